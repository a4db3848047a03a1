import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Connection, TillerClient } from '../backends/index.ts';
import {
  Code,
  decodeGrpcMessage,
  FrameReader,
  GatewayError,
  header,
  toCode,
  unavailable,
} from '../protocol/index.ts';
import { tillerRequestCheck } from '../releases/index.ts';
import type { CallHandler } from './handler.ts';
import type { MessageTap } from './message-tap.ts';
import type { ServerCall } from './server-call.ts';

/** Of an answer with a larger message no more is shown. Tiller's own bound on messages. */
const maxTappedBytes = 20 * 1024 * 1024;

/**
 * Passes calls of Tiller's own service through, byte for byte and with their metadata, so that Tiller's own clients work
 * through the gateway. All of them send one message; it is looked at only where some would take Tiller down, and where
 * `tap` wants to see it.
 */
export function passThroughHandler(tiller: TillerClient, tap?: MessageTap): CallHandler {
  return async call => {
    const request = await call.requestBytes();
    const method = call.path.slice(call.path.lastIndexOf('/') + 1);
    const check = tillerRequestCheck(method);
    if (check || tap) {
      const message = await call.onlyMessage(request);
      tap?.request(call.path, message);
      check?.(message);
    }
    const startedAt = performance.now();
    let code: Code = Code.UNKNOWN;
    try {
      const connection = await tiller.connection(call.signal);
      code = await relay(call, connection, request, tap);
      return code;
    } catch (error) {
      ({ code } = GatewayError.from(error));
      throw error;
    } finally {
      tiller.countPassed(method, code, performance.now() - startedAt);
    }
  };
}

function relay(
  call: ServerCall,
  connection: Connection,
  request: Buffer,
  tap: MessageTap | undefined,
): Promise<Code> {
  let upstream: ClientHttp2Stream;
  try {
    upstream = connection.request(requestHeaders(call));
  } catch (cause) {
    throw unavailable('the connection to Tiller was lost before the call was sent', { cause });
  }
  const answered = relayAnswer(call, upstream);
  if (tap) tapAnswer(call.path, upstream, tap);
  upstream.end(request);
  return answered;
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
    if (call.signal.aborted) abort(); // the client left while the connection was being opened
    upstream.on('response', headers => {
      const metadata = { ...metadataOf(headers), ':status': headers[':status'] ?? 200 };
      if (headers[header.status] !== undefined) trailers = metadata;
      else
        upstream
          .on('data', (chunk: Buffer) => call.count(chunk.length))
          .pipe(call.passOn(metadata), { end: false });
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

/** Shows the messages of an answer beside its being passed on; what cannot be read as messages is left to the client. */
function tapAnswer(path: string, upstream: ClientHttp2Stream, tap: MessageTap): void {
  const frames = new FrameReader(maxTappedBytes);
  const read = (chunk: Buffer) => {
    try {
      for (const { compressed, message } of frames.push(chunk)) if (!compressed) tap.reply(path, message);
    } catch {
      upstream.off('data', read);
    }
  };
  const status = (headers: IncomingHttpHeaders) => {
    const code = toCode(Number(headers[header.status] ?? Code.OK));
    if (code !== Code.OK)
      tap.failed(path, new GatewayError(code, decodeGrpcMessage(String(headers[header.message] ?? ''))));
  };
  upstream.on('data', read).on('response', status).on('trailers', status);
}
