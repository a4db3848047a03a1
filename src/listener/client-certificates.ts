import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Code } from '../protocol/index.ts';
import type { Fronts } from './options.ts';

const message = 'a client certificate is required';

/**
 * The fronts behind a check that the connection has shown a client certificate; it was verified in the handshake.
 * Refusing requests rather than handshakes lets probes reach `openPaths` and tells other clients what is wrong.
 */
export function requireClientCertificate(fronts: Fronts, openPaths: readonly string[]): Fronts {
  const { upgrade } = fronts;
  return {
    http(request, response) {
      const [path = ''] = (request.url ?? '').split('?', 1);
      if (isAuthorized(request.socket) || openPaths.includes(path)) return fronts.http(request, response);
      const body = JSON.stringify({ code: Code.UNAUTHENTICATED, message });
      // a method both responses have, so that the union can be called
      response.statusCode = 401;
      response.setHeader('content-type', 'application/json');
      response.end(body);
    },
    grpc(stream, headers) {
      if (isAuthorized(stream.session?.socket)) return fronts.grpc(stream, headers);
      refuseGrpc(stream);
    },
    ...(upgrade && {
      upgrade(request, socket, head) {
        if (isAuthorized(request.socket)) return upgrade(request, socket, head);
        socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
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
      'grpc-message': message,
    },
    { endStream: true },
  );
  stream.close(constants.NGHTTP2_NO_ERROR);
}
