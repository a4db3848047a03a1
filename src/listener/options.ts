import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  Http2ServerRequest,
  Http2ServerResponse,
  IncomingHttpHeaders,
  ServerHttp2Stream,
} from 'node:http2';
import type { Duplex } from 'node:stream';

/** The servers of requests, by kind. The listener passes each request to one of them. */
export interface Fronts {
  /** A request of HTTP/1.1, or one HTTP/2 stream that is not gRPC. */
  http(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void;
  /** An HTTP/2 stream with the content type `application/grpc`, of which nothing has been read or answered. */
  grpc(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void;
  /** A WebSocket upgrade over HTTP/1.1. Without this front such a request is an ordinary one. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** One address of the listener. */
export interface ListenTarget {
  /** Undefined is every address of the machine, IPv6 and IPv4. */
  readonly host: string | undefined;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Connections without TLS are refused here. */
  readonly tlsOnly: boolean;
  /** HTTP/2 without TLS is refused here. */
  readonly http1Only?: boolean;
}

/** TLS files; all PEM. They are read again every `reloadIntervalMs`. */
export interface TlsOptions {
  readonly certFile: string;
  readonly privateKeyFile: string;
  /** Verifies clients' certificates. */
  readonly caFile?: string | undefined;
  /**
   * `optional` and `required` ask clients for a certificate; one that is shown and cannot be verified ends the
   * connection. With `required`, gRPC and upgrades without one are refused here, HTTP requests by `fronts.http`.
   */
  readonly clientAuth: 'none' | 'optional' | 'required';
  /** Default 10 s. */
  readonly reloadIntervalMs?: number;
}

export interface ListenerOptions {
  readonly targets: readonly ListenTarget[];
  /** Without it every address speaks plain text only, and TLS is refused. */
  readonly tls?: TlsOptions | undefined;
  /** Time limit for the first byte of a connection, and for a TLS handshake. */
  readonly firstByteTimeoutMs: number;
  /** Time limit for an HTTP/1.1 header. */
  readonly headerTimeoutMs: number;
  /** Time limit for a whole request (gRPC requests have their own); the answer has none. */
  readonly requestTimeoutMs: number;
  /** Time after which an idle connection, or one whose peer reads nothing, is closed. */
  readonly idleTimeoutMs: number;
  /** Pause between HTTP/2 pings while requests are open. Default 15 s. */
  readonly pingEveryMs?: number;
  /** Time limit for the answer to an HTTP/2 ping, after which the peer counts as lost. Default 20 s. */
  readonly pingTimeoutMs?: number;
  /** Maximum of open connections on all targets together; for a further one the `Connections` close one. */
  readonly maxConnections: number;
  /** Open requests on one HTTP/2 connection. */
  readonly maxStreams: number;
  /** One request's header. */
  readonly maxHeaderBytes: number;
  /** Counts what no front sees: a status that a malformed request got, `connections`, or `accept` for a failure. */
  readonly refused?: ((what: string) => void) | undefined;
  /** Writes a log line. No field holds a secret. */
  readonly log: ListenerLog;
}

export type ListenerLog = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;
