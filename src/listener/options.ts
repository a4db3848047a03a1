import type { IncomingMessage, ServerResponse } from 'node:http';
import type {
  Http2ServerRequest,
  Http2ServerResponse,
  IncomingHttpHeaders,
  ServerHttp2Stream,
} from 'node:http2';
import type { Duplex } from 'node:stream';

/** Who answers. The listener hands each request to one of these and keeps only what it needs to drain. */
export interface Fronts {
  /** A request of HTTP/1.1, or one HTTP/2 stream that is not gRPC. */
  http(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void;
  /** An HTTP/2 stream whose content type is `application/grpc`, whole: nothing has been read or answered. */
  grpc(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void;
  /** An HTTP/1.1 request to become a WebSocket. Without it such a request is an ordinary one. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** One address of the listener. */
export interface ListenTarget {
  /** Nothing means every address of the machine, IPv6 and IPv4. */
  readonly host: string | undefined;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Connections without TLS are refused here. */
  readonly tlsOnly: boolean;
}

/** TLS files; all PEM. They are looked at again every `reloadIntervalMs`. */
export interface TlsOptions {
  readonly certFile: string;
  readonly privateKeyFile: string;
  /** Verifies clients' certificates. */
  readonly caFile?: string | undefined;
  /**
   * `optional` and `required` ask clients for a certificate; one that is shown and cannot be verified ends the
   * connection. With `required`, requests over connections without one are refused, except GET and HEAD of `openPaths`.
   */
  readonly clientAuth: 'none' | 'optional' | 'required';
  /** Paths that need no client certificate, for probes. */
  readonly openPaths?: readonly string[];
  /** Default 10 s. */
  readonly reloadIntervalMs?: number;
}

export interface ListenerOptions {
  readonly targets: readonly ListenTarget[];
  /** Without it every address speaks plain text only, and TLS is refused. */
  readonly tls?: TlsOptions | undefined;
  /** Silence of a new connection, and a TLS handshake, last at most this long. */
  readonly firstByteTimeoutMs: number;
  /** An HTTP/1.1 header arrives within this time. */
  readonly headerTimeoutMs: number;
  /** A request arrives whole within this time (the gRPC front sees to its own); its answer is not bounded. */
  readonly requestTimeoutMs: number;
  /** A connection without a request, and one whose peer takes nothing of what it is sent, is closed after this time. */
  readonly idleTimeoutMs: number;
  /** How long an HTTP/2 peer with open requests may take to answer a ping before it counts as gone. Default 20 s. */
  readonly pingTimeoutMs?: number;
  /** Over all targets; further connections are closed as soon as they are accepted. */
  readonly maxConnections: number;
  /** Open requests on one HTTP/2 connection. */
  readonly maxStreams: number;
  /** One request's header. */
  readonly maxHeaderBytes: number;
  /** Writes a log line. No field holds a secret. */
  readonly log: ListenerLog;
}

export type ListenerLog = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;
