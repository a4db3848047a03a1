import { createHash } from 'node:crypto';
import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ClusterAccess, RequestSettings } from '../../kubernetes/index.ts';
import type { HttpResponse } from '../../protocol/index.ts';
import type { GatewayProxy, Outgoing } from './proxy.ts';

export interface LinkOptions {
  /** Connections to one API server. */
  readonly maxSockets: number;
  /** Bound on connecting to the API server, TLS included. */
  readonly connectTimeoutMs: number;
}

/** The API server of a cluster as of now. Holds secrets: never log it. */
interface Place {
  readonly settings: RequestSettings;
  readonly proxy: GatewayProxy;
}

/** Credentials are read again after this time, so that new ones count without a refusal. */
const maxSettingsAgeMs = 5_000;

/** Connections that are kept although nothing uses them. */
const maxFreeSockets = 8;

/**
 * The service proxy of one cluster's API server: its credentials, and the connections that are kept open. Every request to
 * the cluster's gateway goes through here.
 */
export class GatewayLink {
  /** Path of the service proxy, without a slash at its end. */
  readonly #path: string;
  readonly #access: ClusterAccess;
  readonly #options: LinkOptions;
  #kept: { readonly place: Promise<Place>; readonly readAt: number } | undefined;
  #agent: { readonly key: string; readonly agent: HttpAgent } | undefined;

  constructor(access: ClusterAccess, path: string, options: LinkOptions) {
    this.#access = access;
    this.#path = path;
    this.#options = options;
  }

  /** The URL of the API server, for messages. @throws GatewayError UNAVAILABLE where the credentials cannot be read */
  async server(): Promise<string> {
    return (await this.#place()).settings.server;
  }

  /** The API server refused the credentials: the next request reads them anew. */
  forget(): void {
    this.#access.forget();
    this.#kept = undefined;
  }

  /** @param outgoing its path is that at the cluster's gateway. @throws as GatewayProxy */
  async send(outgoing: Outgoing, response?: HttpResponse): Promise<IncomingMessage> {
    const { settings, proxy } = await this.#place();
    return proxy.send(this.#addressed(outgoing, settings), response);
  }

  async upgrade(outgoing: Outgoing, socket: Duplex, head: Buffer): Promise<void> {
    const { settings, proxy } = await this.#place();
    return proxy.upgrade(this.#addressed(outgoing, settings), socket, head);
  }

  /** Running requests finish. */
  close(): void {
    if (this.#agent) retire(this.#agent.agent);
    this.#agent = undefined;
    this.#kept = undefined;
  }

  #addressed(outgoing: Outgoing, { headers }: RequestSettings): Outgoing {
    const all = { ...outgoing.headers, ...headers } as Outgoing['headers'];
    return { ...outgoing, path: this.#path + outgoing.path, headers: all };
  }

  #place(): Promise<Place> {
    const now = performance.now();
    if (!this.#kept || now - this.#kept.readAt > maxSettingsAgeMs) {
      const place = this.#read();
      place.catch(() => {
        this.#kept = undefined;
      });
      this.#kept = { place, readAt: now };
    }
    return this.#kept.place;
  }

  async #read(): Promise<Place> {
    // loaded with the first request: a gateway without such clusters does without the library
    const [settings, { GatewayProxy }] = await Promise.all([this.#access.settings(), import('./proxy.ts')]);
    return { settings, proxy: new GatewayProxy(settings.server, settings.agent ?? this.#agentFor(settings)) };
  }

  /** The same one as long as server and certificates are the same. */
  #agentFor({ server, tls }: RequestSettings): HttpAgent {
    const hash = createHash('sha256').update(server);
    for (const value of [tls.ca, tls.cert, tls.key, tls.servername, tls.rejectUnauthorized]) {
      for (const part of [value].flat())
        hash.update(typeof part === 'object' ? (part as Buffer) : String(part)).update('\n');
    }
    const key = hash.digest('hex');
    if (this.#agent?.key === key) return this.#agent.agent;
    const { maxSockets, connectTimeoutMs } = this.#options;
    const options = { keepAlive: true, maxSockets, maxFreeSockets };
    const agent = server.startsWith('http:')
      ? new HttpAgent(options)
      : new HttpsAgent({ ...options, ...tls });
    boundConnecting(agent, connectTimeoutMs);
    if (this.#agent) retire(this.#agent.agent);
    this.#agent = { key, agent };
    return agent;
  }
}

/** An API server that takes connections and then says nothing would otherwise hold each request for ever. */
function boundConnecting(agent: HttpAgent, timeoutMs: number): void {
  const create = agent.createConnection.bind(agent);
  const ready = agent instanceof HttpsAgent ? 'secureConnect' : 'connect';
  agent.createConnection = (options, callback) => {
    const socket: Duplex | null | undefined = create(options, callback);
    const late = () => socket?.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }));
    const timer = setTimeout(late, timeoutMs).unref();
    const settle = () => clearTimeout(timer);
    socket?.once(ready, settle).once('close', settle);
    return socket;
  };
}

/** Closes what nothing uses; the other connections close with the end of their requests. */
function retire(agent: HttpAgent): void {
  agent.maxFreeSockets = 0;
  for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
}
