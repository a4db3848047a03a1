import type { Duplex } from 'node:stream';
import type { SocketAddress } from './endpoint.ts';

/** One open byte stream to a Tiller; whoever asked for it owns it and destroys it. */
export interface TillerStream {
  /** TCP socket, Unix socket or tunnel. TLS and HTTP/2 are put on top of it by `tiller/`. */
  readonly stream: Duplex;
  /** `host:port` for `:authority`; its host is also what a TLS certificate has to name. */
  readonly authority: string;
  /** Where it leads, for logs and errors: `pod kube-system/tiller-deploy-5b4f through https://10.0.0.1`. */
  readonly target: string;
}

/** A way to one Tiller: finds it, and opens streams to it. */
export interface Connector {
  /** The way in words, without secrets. */
  readonly description: string;
  /** Where Tiller always is, if that is known: a client that can dial does so itself. */
  readonly address?: SocketAddress;
  /**
   * Finds Tiller (anew each time, since pods come and go) and opens one stream to it.
   * @param signal ends the attempt; the caller bounds its time with it
   * @throws GatewayError, mostly UNAVAILABLE, whose message names the step that failed (finding Tiller, opening the
   * tunnel, connecting) and holds no secret
   */
  connect(signal: AbortSignal): Promise<TillerStream>;
  /** Releases what the connector itself keeps (watches, timers); streams already handed out stay their owner's. */
  close(): Promise<void>;
}
