import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ClusterAccess, KeptConnections, type RequestSettings } from '../../kubernetes/index.ts';
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
  #kept: { readonly place: Promise<Place>; readonly readAt: number } | undefined;
  readonly #connections: KeptConnections;

  constructor(access: ClusterAccess, path: string, options: LinkOptions) {
    this.#access = access;
    this.#path = path;
    this.#connections = new KeptConnections({ ...options, maxFreeSockets });
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
    this.#connections.close();
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
    return { settings, proxy: new GatewayProxy(settings.server, this.#connections.agentFor(settings)) };
  }
}
