import { createHash } from 'node:crypto';
import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ClusterAccess, RequestSettings } from '../../kubernetes/index.ts';
import type { ProxyOptions } from './proxy-options.ts';

/** What a request to a cluster's gateway needs. Holds secrets: never log it. */
export interface LinkSettings extends RequestSettings {
  readonly agent: HttpAgent;
}

export type LinkOptions = Pick<ProxyOptions, 'maxSockets' | 'connectTimeoutMs'>;

/** Credentials are read again after this time, so that new ones count without a refusal. */
const maxSettingsAgeMs = 5_000;

/** Connections that are kept although nothing uses them. */
const maxFreeSockets = 8;

/**
 * The way to one cluster's gateway through its API server: its credentials, and the connections that are kept open.
 * Owns the agent with its connections.
 */
export class GatewayLink {
  /** Path of the service proxy, without a slash at its end. */
  readonly path: string;
  private readonly access: ClusterAccess;
  private readonly options: LinkOptions;
  private kept: { readonly settings: Promise<LinkSettings>; readonly readAt: number } | undefined;
  private agent: { readonly key: string; readonly agent: HttpAgent } | undefined;

  constructor(access: ClusterAccess, path: string, options: LinkOptions) {
    this.access = access;
    this.path = path;
    this.options = options;
  }

  /** @throws GatewayError UNAVAILABLE where the credentials cannot be had */
  settings(): Promise<LinkSettings> {
    const now = performance.now();
    if (!this.kept || now - this.kept.readAt > maxSettingsAgeMs) {
      const settings = this.read();
      settings.catch(() => {
        this.kept = undefined;
      });
      this.kept = { settings, readAt: now };
    }
    return this.kept.settings;
  }

  /** The API server refused the credentials: the next request reads them anew. */
  forget(): void {
    this.access.forget();
    this.kept = undefined;
  }

  /** A request of this program's own. @throws what the socket throws */
  async send(
    method: string,
    target: string,
    { headers, body, signal }: { headers: OutgoingHttpHeaders; body?: Buffer; signal: AbortSignal },
  ): Promise<IncomingMessage> {
    const settings = await this.settings();
    const url = new URL(`${settings.server}${this.path}${target}`);
    const options = { method, headers: { ...headers, ...settings.headers }, agent: settings.agent, signal };
    const request = url.protocol === 'http:' ? httpRequest(url, options) : httpsRequest(url, options);
    return new Promise((resolve, reject) => {
      request.once('response', resolve).once('error', reject).end(body);
    });
  }

  /** Requests under way finish. */
  close(): void {
    if (this.agent) retire(this.agent.agent);
    this.agent = undefined;
    this.kept = undefined;
  }

  private async read(): Promise<LinkSettings> {
    const settings = await this.access.settings();
    return { ...settings, agent: settings.agent ?? this.agentFor(settings) };
  }

  /** The same one as long as server and certificates are the same. */
  private agentFor({ server, tls }: RequestSettings): HttpAgent {
    const hash = createHash('sha256').update(server);
    for (const value of [tls.ca, tls.cert, tls.key, tls.servername, tls.rejectUnauthorized]) {
      for (const part of [value].flat())
        hash.update(typeof part === 'object' ? (part as Buffer) : String(part)).update('\n');
    }
    const key = hash.digest('hex');
    if (this.agent?.key === key) return this.agent.agent;
    const { maxSockets, connectTimeoutMs } = this.options;
    const options = { keepAlive: true, maxSockets, maxFreeSockets };
    const agent = server.startsWith('http:')
      ? new HttpAgent(options)
      : new HttpsAgent({ ...options, ...tls });
    boundConnecting(agent, connectTimeoutMs);
    if (this.agent) retire(this.agent.agent);
    this.agent = { key, agent };
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
