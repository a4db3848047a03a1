import type { GatewayError } from '../../protocol/index.ts';

export interface ProxyOptions {
  /** Connections to one API server. */
  readonly maxSockets: number;
  /** Largest answer read whole; those that are passed on have no bound. */
  readonly maxMessageBytes: number;
  /** Bound on a call whose client set no deadline. */
  readonly timeoutMs: number;
  /** Bound on connecting to the API server, TLS included. */
  readonly connectTimeoutMs: number;
}

/** What the gateway client tells its owner of the connection. */
export interface GatewayEvents {
  /** A request was answered by the cluster's gateway. */
  connected(): void;
  failed(error: GatewayError): void;
}
