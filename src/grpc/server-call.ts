import { on, once } from 'node:events';
import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import {
  Budget,
  type CallScope,
  Code,
  type Consistency,
  callScope,
  decompressFrame,
  encodeGrpcMessage,
  FrameReader,
  framePrefixBytes,
  GatewayError,
  grpcContentType,
  type Holder,
  header,
  limitExceeded,
  parseGrpcTimeout,
  readConsistency,
  requestIdOf,
  toFrame,
  withoutLocalPaths,
} from '../protocol/index.ts';
import { type Call, type CallBounds, encodingOf, onlyMessage } from './call.ts';

const gzipAsync = promisify(gzip);

/** Smaller messages are not worth compressing. */
const minGzipBytes = 1024;

/** A status travels as a header: many clients refuse headers over 8 KiB, and end the connection over 64 KiB. */
const maxStatusChars = 4096;

/**
 * One gRPC call that came in on an HTTP/2 stream: its messages, its deadline, its end. Owns the stream: whatever
 * happens, the stream is closed with a status or reset.
 */
export class ServerCall implements Call {
  /** The caller's own, or a new one. */
  readonly requestId: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly deadline: number | undefined;
  readonly signal: AbortSignal;
  readonly hold: Holder;
  readonly consistency: Consistency | undefined;
  /** Bytes of messages sent so far, prefixes included. */
  sentBytes = 0;
  /** The text of the status that the call ended with. */
  statusMessage = '';
  /** Of a read: where its answer came from. */
  reads: string | undefined;
  readonly #stream: ServerHttp2Stream;
  readonly #maxMessageBytes: number;
  readonly #scope: CallScope;
  readonly #requestTimer: NodeJS.Timeout;
  /** Answers are compressed as the request was, and only then. */
  readonly #compress: boolean;
  #finished = false;

  /** Where `grpc-timeout` or `min-revision` is malformed the call is ended from the outset: `signal` has the reason. */
  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, bounds: CallBounds) {
    this.#stream = stream;
    this.headers = headers;
    this.path = headers[':path'] ?? '';
    this.requestId = requestIdOf(headers['x-request-id']);
    this.#maxMessageBytes = bounds.maxMessageBytes;
    this.hold = (bounds.budget ?? new Budget(Number.POSITIVE_INFINITY)).open(stream);
    this.#compress = headers[header.encoding] === 'gzip';
    let timeoutMs: number | undefined;
    let problem: unknown;
    try {
      this.consistency = readConsistency(headers);
      const timeout = headers[header.timeout];
      if (typeof timeout === 'string') timeoutMs = parseGrpcTimeout(timeout);
    } catch (error) {
      problem = error;
    }
    const late = () => new GatewayError(Code.DEADLINE_EXCEEDED, 'the deadline of the call has passed');
    this.#scope = callScope({ timeoutMs, late });
    this.signal = this.#scope.signal;
    this.deadline = this.#scope.deadline;
    if (problem) this.abort(GatewayError.from(problem));
    this.#requestTimer = setTimeout(() => {
      const seconds = bounds.requestTimeoutMs / 1000;
      this.abort(new GatewayError(Code.DEADLINE_EXCEEDED, `the request did not arrive within ${seconds} s`));
    }, bounds.requestTimeoutMs);
    stream.once('end', () => clearTimeout(this.#requestTimer)).once('close', this.#leave);
  }

  abort(reason: GatewayError): void {
    this.#scope.abort(reason);
  }

  readsFrom(source: string): void {
    this.reads = source;
  }

  async request(): Promise<Buffer> {
    return onlyMessage(await this.#requestBytes(), this.headers, this.#maxMessageBytes, this.hold);
  }

  /** The bytes of a request that is one message, prefix and all, as they came. @throws GatewayError when it is over the limit */
  #requestBytes(): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const stream = this.#stream;
    const { signal } = this;
    const chunks: Buffer[] = [];
    let total = 0;
    const fail = (error: unknown) => {
      stream.off('data', take).resume();
      reject(error);
    };
    const abort = () => fail(signal.reason);
    const take = (chunk: Buffer) => {
      total += chunk.length;
      chunks.push(chunk);
      try {
        this.hold.body(chunk.length);
        if (total > this.#maxMessageBytes + framePrefixBytes) throw tooLarge(this.#maxMessageBytes);
      } catch (error) {
        fail(error);
      }
    };
    if (signal.aborted) abort();
    else {
      signal.addEventListener('abort', abort, { once: true });
      stream.on('data', take);
      stream.once('end', () => {
        signal.removeEventListener('abort', abort);
        resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, total));
      });
    }
    return promise;
  }

  /** The messages of a call whose client may send any number, as they come. @throws GatewayError for one over the limit */
  async *requests(maxMessageBytes: number): AsyncGenerator<Buffer, void, undefined> {
    const stream = this.#stream;
    const { signal } = this;
    const frames = new FrameReader(maxMessageBytes);
    try {
      // the stream's own iterator knows no signal, and would destroy the stream before its status is sent
      for await (const [chunk] of on(stream, 'data', { signal, close: ['end'], highWaterMark: 16 })) {
        for (const frame of frames.push(chunk))
          yield decompressFrame(frame, encodingOf(this.headers), maxMessageBytes);
      }
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  }

  async send(message: Uint8Array): Promise<void> {
    this.hold.answer(message.length);
    this.#begin();
    const frame =
      this.#compress && message.length >= minGzipBytes ? await compressedFrame(message) : toFrame(message);
    this.sentBytes += frame.length;
    let written = true;
    this.#contain(() => {
      written = this.#gone || this.#stream.write(frame);
    });
    if (!written) await once(this.#stream, 'drain', { signal: this.signal }).catch(() => {});
    this.hold.sent(message.length);
  }

  /**
   * Ends the call with its status; where nothing was sent yet, as headers alone ("trailers-only"). Only the first end
   * counts.
   * @param maxChars bound on the text as it is sent
   */
  finish(code: Code, message = '', maxChars = maxStatusChars): void {
    const stream = this.#stream;
    this.#clearTimers();
    stream.off('close', this.#leave);
    if (this.#finished || this.#gone) return;
    this.#finished = true;
    this.statusMessage = message;
    const shown = withoutLocalPaths(message);
    const trailers = {
      [header.status]: String(code),
      ...(shown !== '' && { [header.message]: encodeShortened(shown, maxChars) }),
    };
    this.#contain(() => {
      if (stream.headersSent) {
        stream.once('wantTrailers', () => this.#contain(() => this.#sendTrailers(trailers)));
        stream.end();
      } else {
        stream.respond(
          { ':status': 200, [header.contentType]: grpcContentType, ...trailers },
          { endStream: true },
        );
        this.#refuseRest();
      }
      stream.resume(); // what is left of the request is dropped
    });
  }

  #sendTrailers(trailers: OutgoingHttpHeaders): void {
    if (this.#gone) return;
    this.#stream.sendTrailers(trailers);
    setImmediate(() => this.#contain(() => this.#refuseRest())); // a reset in this turn would overtake the trailers
  }

  /** Asks a client that is still sending to stop, or its stream would stay open. Rule: RFC 9113, 8.1 */
  #refuseRest(): void {
    if (!this.#stream.readableEnded && !this.#gone) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #clearTimers(): void {
    this.#scope.end();
    clearTimeout(this.#requestTimer);
  }

  /** Nothing can be sent any more. A stream that the client has reset is closed some time before it is destroyed. */
  get #gone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  #begin(): void {
    if (this.#stream.headersSent || this.#gone) return;
    const encoding = this.#compress ? { [header.encoding]: 'gzip' } : {};
    this.#contain(() =>
      this.#stream.respond(
        {
          ':status': 200,
          [header.contentType]: grpcContentType,
          [header.acceptEncoding]: 'identity,deflate,gzip',
          ...encoding,
          ...(this.reads !== undefined && { [header.reads]: this.reads }),
        },
        { waitForTrailers: true },
      ),
    );
  }

  /**
   * node:http2 throws where a stream or its session has just ended, or a header is none. It is called from callbacks,
   * where an exception would end the process: whatever it throws ends this stream and nothing else.
   */
  #contain(action: () => void): void {
    try {
      action();
    } catch {
      this.#stream.destroy();
    }
  }

  readonly #leave = (): void => {
    this.#clearTimers();
    this.abort(new GatewayError(Code.CANCELLED, 'the client has gone'));
  };
}

function tooLarge(maxBytes: number): GatewayError {
  return limitExceeded(`the request is over the limit of ${maxBytes} bytes`);
}

function encodeShortened(message: string, maxChars: number): string {
  const encoded = encodeGrpcMessage(message);
  if (encoded.length <= maxChars) return encoded;
  const kept = Math.floor(((maxChars - 9) * message.length) / encoded.length);
  return encodeShortened(`${message.slice(0, Math.min(kept, message.length - 2))}…`, maxChars);
}

async function compressedFrame(message: Uint8Array): Promise<Buffer> {
  const frame = toFrame(await gzipAsync(message));
  frame[0] = 1;
  return frame;
}
