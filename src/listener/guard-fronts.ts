import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Code } from '../protocol/index.ts';
import type { Fronts, ListenerLog } from './options.ts';

const certificateMessage = 'a client certificate is required';

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

/** The fronts, where a fault in answering one request ends that request alone. */
export function containFronts(fronts: Fronts, log: ListenerLog): Fronts {
  const { upgrade } = fronts;
  return {
    http(request, response) {
      const owner = 'stream' in response ? response.stream : request.socket;
      contain(log, owner, () => fronts.http(request, response));
    },
    grpc: (stream, headers) => contain(log, stream, () => fronts.grpc(stream, headers)),
    ...(upgrade && {
      upgrade: (request, socket, head) => contain(log, socket, () => upgrade(request, socket, head)),
    }),
  };
}

/**
 * gRPC and upgrades behind a check that the connection has shown a client certificate; it was verified in the handshake.
 * Refusing requests rather than handshakes lets probes through and tells other clients what is wrong. HTTP requests are
 * checked by their pipeline (src/http), which knows whether one is for this gateway's own health.
 */
export function requireClientCertificate(fronts: Fronts): Fronts {
  const { http, grpc, upgrade } = fronts;
  return {
    http,
    grpc(stream, headers) {
      if (isAuthorized(stream.session?.socket)) return grpc(stream, headers);
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
      'grpc-message': certificateMessage,
    },
    { endStream: true },
  );
  stream.close(constants.NGHTTP2_NO_ERROR);
}
