import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Code } from '../protocol/index.ts';
import type { Fronts, ListenerLog } from './options.ts';

type HttpFront = Fronts['http'];

const certificateMessage = 'a client certificate is required';

/** All that a probe without a certificate may say: nothing in it names a cluster or carries credentials. */
const probeHeaders = new Set([
  ':authority',
  ':method',
  ':path',
  ':scheme',
  'accept',
  'host',
  'user-agent',
  'x-request-id',
]);

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
 * The fronts behind a check that the connection has shown a client certificate; it was verified in the handshake.
 * Refusing requests rather than handshakes lets probes reach `openPaths` and tells other clients what is wrong.
 */
export function requireClientCertificate(fronts: Fronts, openPaths: readonly string[]): Fronts {
  const { upgrade } = fronts;
  return {
    http(request, response) {
      if (isAuthorized(request.socket)) return fronts.http(request, response);
      if (isProbe(request, openPaths)) return fronts.http(withProbeHeaders(request), response);
      const body = JSON.stringify({
        code: Code.UNAUTHENTICATED,
        message: certificateMessage,
        reason: 'UNAUTHENTICATED',
      });
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

/** Another query could name a cluster, to which the request would go with the gateway's credentials. */
function isProbe({ method, url = '' }: Parameters<HttpFront>[0], openPaths: readonly string[]): boolean {
  return (
    (method === 'GET' || method === 'HEAD') && openPaths.includes(url.replace(/\?(?:verbose|pretty)?$/, ''))
  );
}

function withProbeHeaders(request: Parameters<HttpFront>[0]): Parameters<HttpFront>[0] {
  for (const name of Object.keys(request.headers)) {
    if (!probeHeaders.has(name)) delete request.headers[name];
  }
  return request;
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
