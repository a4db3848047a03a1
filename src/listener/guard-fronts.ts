import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Code } from '../protocol/index.ts';
import type { Fronts, ListenerLog } from './options.ts';

/**
 * Runs the work of a callback. What it throws ends `owner` (a connection or a stream) and nothing else: an exception
 * out of a callback of node:http, node:http2, node:net or node:tls would end the process.
 */
export function contain(log: ListenerLog, owner: { destroy(): unknown }, work: () => unknown): void {
  const fail = (error: unknown) => {
    log('error', 'a fault of the program ended one request', { error });
    owner.destroy();
  };
  try {
    const result = work();
    if (result instanceof Promise) result.catch(fail);
  } catch (error) {
    fail(error);
  }
}

/**
 * The fronts, where a fault in answering one request ends that request alone; where clients need a certificate, gRPC and
 * upgrades behind a check that the connection has shown one, which was verified in the handshake. Refusing requests
 * rather than handshakes lets probes through and tells other clients what is wrong. HTTP requests are checked by their
 * pipeline (src/http), which knows whether one is for this gateway's own health.
 */
export function guardFronts(
  { http, grpc, upgrade }: Fronts,
  log: ListenerLog,
  certificateRequired: boolean,
): Fronts {
  const isRefused = (socket: Socket | TLSSocket | undefined) => certificateRequired && !isAuthorized(socket);
  return {
    http(request, response) {
      const owner = 'stream' in response ? response.stream : request.socket;
      contain(log, owner, () => http(request, response));
    },
    grpc(stream, headers) {
      const refused = isRefused(stream.session?.socket);
      contain(log, stream, () => (refused ? refuseGrpc(stream) : grpc(stream, headers)));
    },
    ...(upgrade && {
      upgrade(request, socket, head) {
        if (isRefused(request.socket))
          socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        else contain(log, socket, () => upgrade(request, socket, head));
      },
    }),
  };
}

/** HTTP/2 gives a proxy of its socket, in which a member can be read but not looked for with `in`. */
function isAuthorized(socket: Socket | TLSSocket | undefined): boolean {
  return (socket as Partial<TLSSocket> | undefined)?.authorized === true;
}

/** Trailers only, https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses */
function refuseGrpc(stream: ServerHttp2Stream): void {
  stream.respond(
    {
      [constants.HTTP2_HEADER_STATUS]: 200,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      'grpc-status': String(Code.UNAUTHENTICATED),
      'grpc-message': 'a client certificate is required',
    },
    { endStream: true },
  );
  stream.close(constants.NGHTTP2_NO_ERROR);
}
