import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { type Code, GatewayError, header, invalidArgument, toCode, unavailable } from '../protocol/index.ts';
import { negativeLimit } from '../releases/index.ts';
import type { TillerClient } from '../tiller/index.ts';
import type { CallHandler } from './handler.ts';
import type { ServerCall } from './server-call.ts';

/**
 * Passes a call of Tiller's own service through, byte for byte and with its metadata, so that Tiller's own clients work
 * through the gateway. All of its calls send one message; only a list's is looked at, because a negative limit would
 * take Tiller down.
 */
export function passThroughHandler(tiller: TillerClient): CallHandler {
  return async call => {
    const request = await call.requestBytes();
    if (call.path.endsWith('/ListReleases')) {
      const limit = negativeLimit(await call.onlyMessage(request));
      if (limit !== undefined) throw invalidArgument(`limit: ${limit} is negative`);
    }
    const connection = await tiller.connection(call.signal);
    let upstream: ClientHttp2Stream;
    try {
      upstream = connection.request(requestHeaders(call));
    } catch (cause) {
      throw unavailable('the connection to Tiller was lost before the call was sent', { cause });
    }
    const answered = relayAnswer(call, upstream);
    upstream.end(request);
    return answered;
  };
}

/** Names that belong to one connection. Source: RFC 9113, 8.2.2 */
const hopByHop = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

function metadataOf(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !name.startsWith(':') && !hopByHop.has(name)),
  );
}

function requestHeaders(call: ServerCall): OutgoingHttpHeaders {
  return {
    ...metadataOf(call.headers),
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: call.path,
  };
}

/** Passes the answer on as it comes, no faster than the client takes it. Either side going away ends the other. */
function relayAnswer(call: ServerCall, upstream: ClientHttp2Stream): Promise<Code> {
  return new Promise((resolve, reject) => {
    let trailers: OutgoingHttpHeaders | undefined;
    const abort = () => upstream.close(constants.NGHTTP2_CANCEL);
    call.signal.addEventListener('abort', abort, { once: true });
    upstream.on('response', headers => {
      const metadata = { ...metadataOf(headers), ':status': headers[':status'] ?? 200 };
      if (headers[header.status] !== undefined) trailers = metadata;
      else upstream.pipe(call.passOn(metadata), { end: false });
    });
    upstream.on('trailers', headers => {
      trailers = metadataOf(headers);
    });
    upstream.on('error', () => {}); // its end is seen by 'close'
    upstream.once('close', () => {
      call.signal.removeEventListener('abort', abort);
      const status = trailers?.[header.status];
      if (call.signal.aborted) reject(GatewayError.from(call.signal.reason));
      else if (trailers === undefined || status === undefined)
        reject(unavailable('the connection to Tiller was lost'));
      else {
        call.finishWith(trailers);
        resolve(toCode(Number(status)));
      }
    });
  });
}
