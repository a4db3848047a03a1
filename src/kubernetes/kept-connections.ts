import { createHash } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { RequestSettings } from './api.ts';

export interface KeptConnectionsOptions {
  /** How many connections there are at the most. Default: as many as there are requests. */
  readonly maxSockets?: number;
  /** Connections that are kept although nothing uses them. */
  readonly maxFreeSockets?: number;
  /** Bound on opening one, in milliseconds. Default: none but the request's own. */
  readonly connectTimeoutMs?: number;
}

/**
 * Connections to one API server that are kept open between requests. What TLS verifies is said to the agent, not with
 * each request: Node never uses a connection again for a request with a check of its own.
 */
export class KeptConnections {
  readonly #options: KeptConnectionsOptions;
  #kept: { readonly key: string; readonly agent: HttpAgent } | undefined;

  constructor(options: KeptConnectionsOptions = {}) {
    this.#options = options;
  }

  /** The same agent as long as server and certificates are the same; that of a proxy where one leads to the server. */
  agentFor(settings: RequestSettings): HttpAgent {
    if (settings.agent) return settings.agent;
    const key = keyOf(settings);
    if (this.#kept?.key === key) return this.#kept.agent;
    const { server, tls } = settings;
    const { connectTimeoutMs, ...bounds } = this.#options;
    const options = { keepAlive: true, ...bounds };
    const agent = server.startsWith('http:')
      ? new HttpAgent(options)
      : new HttpsAgent({ ...options, ...tls });
    if (connectTimeoutMs !== undefined) boundConnecting(agent, connectTimeoutMs);
    this.close();
    this.#kept = { key, agent };
    return agent;
  }

  /** Running requests finish. */
  close(): void {
    const { agent } = this.#kept ?? {};
    this.#kept = undefined;
    if (!agent) return;
    agent.maxFreeSockets = 0;
    for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
  }

  /** Running requests fail. */
  destroy(): void {
    this.#kept?.agent.destroy();
    this.#kept = undefined;
  }
}

function keyOf({ server, tls }: RequestSettings): string {
  const hash = createHash('sha256').update(server);
  for (const value of [tls.ca, tls.cert, tls.key, tls.servername, tls.rejectUnauthorized]) {
    for (const part of [value].flat())
      hash.update(typeof part === 'object' ? (part as Buffer) : String(part)).update('\n');
  }
  return hash.digest('hex');
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
