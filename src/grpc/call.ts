import type { IncomingHttpHeaders } from 'node:http';
import { MalformedMessage } from '../codec/index.ts';
import {
  type Budget,
  type CallContext,
  Code,
  decompressFrame,
  FrameReader,
  GatewayError,
  type Holder,
  header,
  invalidArgument,
  unavailable,
} from '../protocol/index.ts';

export interface CallBounds {
  /** Largest message taken from a client. */
  readonly maxMessageBytes: number;
  /** How long a request may take to arrive, from its first byte to its last. */
  readonly requestTimeoutMs: number;
  /** Of the bytes of all requests together. */
  readonly budget?: Budget | undefined;
}

/** A call with one request, however it came in: by gRPC or by gRPC-Web. */
export interface Call extends CallContext {
  /** Fires when the client has gone, its deadline has passed, or this side has ended the call. */
  readonly signal: AbortSignal;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** @throws GatewayError for no message or several, for one over the limit, and for bytes that are no messages */
  request(): Promise<Buffer>;
  /** Sends a message; waits while the client is slower. Does nothing once the client has gone. */
  send(message: Uint8Array): Promise<void>;
  /** Has the call end for this reason, whatever its handler waits for. */
  abort(reason: GatewayError): void;
}

/**
 * Answers a call and gives the status that it ends with.
 * @throws GatewayError, which becomes the call's status
 */
export type CallHandler<C extends Call = Call> = (call: C) => Promise<Code>;

/**
 * The one message in the bytes of a request.
 * @param hold counts what is decompressed; the bytes that came are counted already
 * @throws GatewayError as `Call.request`
 */
export async function onlyMessage(
  bytes: Buffer,
  headers: IncomingHttpHeaders,
  maxMessageBytes: number,
  hold: Holder,
): Promise<Buffer> {
  const reader = new FrameReader(maxMessageBytes);
  const frames = reader.push(bytes);
  if (!reader.empty) throw new GatewayError(Code.INTERNAL, 'the request ends in the middle of a message');
  const [frame] = frames;
  if (!frame || frames.length > 1) {
    throw new GatewayError(Code.UNIMPLEMENTED, `the call takes one message and got ${frames.length}`);
  }
  return decompressFrame(frame, encodingOf(headers), maxMessageBytes, hold.body);
}

/** How compressed messages of a request are compressed. */
export function encodingOf(headers: IncomingHttpHeaders): string | undefined {
  const encoding = headers[header.encoding];
  return typeof encoding === 'string' ? encoding : undefined;
}

/** A handler whose only bytes to parse are the caller's: what does not parse is the caller's fault. */
export function parsingRequests<C extends Call>(handler: CallHandler<C>): CallHandler<C> {
  return async call => {
    try {
      return await handler(call);
    } catch (error) {
      if (error instanceof MalformedMessage) throw invalidArgument(error.message, { cause: error });
      throw error;
    }
  };
}

/** Handlers of calls that go on as long as their clients like end when the gateway stops, which waits for none. */
export function untilStopped<C extends Call>(
  handlers: readonly [string, CallHandler<C>][],
  stopping: AbortSignal,
): [string, CallHandler<C>][] {
  return handlers.map(([path, handler]) => [
    path,
    parsingRequests(async call => {
      const stop = () => call.abort(unavailable('the gateway is stopping'));
      if (stopping.aborted) stop();
      stopping.addEventListener('abort', stop, { once: true });
      try {
        return await handler(call);
      } finally {
        stopping.removeEventListener('abort', stop);
      }
    }),
  ]);
}
