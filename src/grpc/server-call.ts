import { once } from 'node:events';
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import {
  type CallContext,
  Code,
  decompressFrame,
  encodeGrpcMessage,
  FrameReader,
  framePrefixBytes,
  GatewayError,
  grpcContentType,
  header,
  parseGrpcTimeout,
  toFrame,
} from '../protocol/index.ts';

const gzipAsync = promisify(gzip);

/** Smaller messages are not worth compressing. */
const minGzipBytes = 1024;

/** A status travels as a header: many clients refuse headers over 8 KiB, and end the connection over 64 KiB. */
const maxStatusChars = 4096;

/**
 * One gRPC call that came in on an HTTP/2 stream: its messages, its deadline, its end. Owns the stream: whatever
 * happens, the stream is closed with a status or reset.
 */
export class ServerCall implements CallContext {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly deadline: number | undefined;
  private readonly stream: ServerHttp2Stream;
  private readonly maxMessageBytes: number;
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout | undefined;
  /** Answers are compressed as the request was, and only then. */
  private readonly compress: boolean;
  private finished = false;

  /** @throws GatewayError INVALID_ARGUMENT for a malformed `grpc-timeout` */
  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, maxMessageBytes: number) {
    this.stream = stream;
    this.headers = headers;
    this.path = headers[':path'] ?? '';
    this.maxMessageBytes = maxMessageBytes;
    this.compress = headers[header.encoding] === 'gzip';
    stream.once('close', this.leave);
    const timeout = headers[header.timeout];
    if (typeof timeout !== 'string') return;
    const timeoutMs = parseGrpcTimeout(timeout);
    this.deadline = performance.now() + timeoutMs;
    this.timer = setTimeout(this.expire, timeoutMs);
  }

  /** The caller's own, if it sent one. */
  get requestId(): string | undefined {
    return requestIdOf(this.headers);
  }

  /** Fires when the client has gone, or its deadline has passed. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /**
   * The one message of a call whose client sends one.
   * @throws GatewayError for none or several, for one over the limit, and for bytes that are no messages
   */
  async request(): Promise<Buffer> {
    return this.onlyMessage(await this.requestBytes());
  }

  /**
   * The one message in the bytes of a request.
   * @throws GatewayError as `request`
   */
  async onlyMessage(bytes: Buffer): Promise<Buffer> {
    const reader = new FrameReader(this.maxMessageBytes);
    const frames = reader.push(bytes);
    if (!reader.empty) throw new GatewayError(Code.INTERNAL, 'the request ends in the middle of a message');
    const [frame] = frames;
    if (!frame || frames.length > 1) {
      throw new GatewayError(Code.UNIMPLEMENTED, `the call takes one message and got ${frames.length}`);
    }
    return decompressFrame(frame, this.encoding, this.maxMessageBytes);
  }

  /** The bytes of a request that is one message, prefix and all, as they came. @throws GatewayError when it is over the limit */
  requestBytes(): Promise<Buffer> {
    const { stream, signal } = this;
    return new Promise((resolve, reject) => {
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
        if (total <= this.maxMessageBytes + framePrefixBytes) return;
        fail(
          new GatewayError(
            Code.RESOURCE_EXHAUSTED,
            `the request is over the limit of ${this.maxMessageBytes} bytes`,
          ),
        );
      };
      signal.addEventListener('abort', abort, { once: true });
      stream.on('data', take);
      stream.once('end', () => {
        signal.removeEventListener('abort', abort);
        resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, total));
      });
    });
  }

  /** The messages of a call whose client may send any number, as they come. */
  async *requests(): AsyncGenerator<Buffer, void, undefined> {
    const frames = new FrameReader(this.maxMessageBytes);
    for await (const chunk of this.stream as AsyncIterable<Buffer>) {
      for (const frame of frames.push(chunk))
        yield decompressFrame(frame, this.encoding, this.maxMessageBytes);
    }
  }

  /** Sends a message; waits while the client is slower. Does nothing once the client has gone. */
  async send(message: Uint8Array): Promise<void> {
    this.begin();
    const frame =
      this.compress && message.length >= minGzipBytes ? await compressedFrame(message) : toFrame(message);
    if (this.gone || this.stream.write(frame)) return;
    await once(this.stream, 'drain', { signal: this.signal }).catch(() => {});
  }

  /** Ends the call with its status. Only the first end counts. */
  finish(code: Code, message = ''): void {
    this.finishWith({
      [header.status]: String(code),
      ...(message !== '' && { [header.message]: encodeGrpcMessage(shortened(message)) }),
    });
  }

  /** Ends the call with these trailers; where nothing was sent yet, they are sent as headers alone ("trailers-only"). */
  finishWith(trailers: OutgoingHttpHeaders): void {
    const { stream } = this;
    clearTimeout(this.timer);
    stream.off('close', this.leave);
    if (this.finished || this.gone) return;
    this.finished = true;
    if (stream.headersSent) {
      stream.once('wantTrailers', () => {
        if (!this.gone) stream.sendTrailers(trailers);
      });
      stream.end();
    } else {
      stream.respond(
        { ':status': 200, [header.contentType]: grpcContentType, ...trailers },
        { endStream: true },
      );
    }
    stream.resume(); // what is left of the request is dropped
  }

  /** Sends the headers of an answer that is passed on as it comes, and gives the stream to write it to. */
  passOn(headers: OutgoingHttpHeaders): Writable {
    if (!this.gone && !this.finished) this.stream.respond(headers, { waitForTrailers: true });
    return this.stream;
  }

  /** Nothing can be sent any more. A stream that the client has reset is closed some time before it is destroyed. */
  private get gone(): boolean {
    return this.stream.destroyed || this.stream.closed;
  }

  private get encoding(): string | undefined {
    const encoding = this.headers[header.encoding];
    return typeof encoding === 'string' ? encoding : undefined;
  }

  private begin(): void {
    if (this.stream.headersSent || this.gone) return;
    const encoding = this.compress ? { [header.encoding]: 'gzip' } : {};
    this.stream.respond(
      {
        ':status': 200,
        [header.contentType]: grpcContentType,
        [header.acceptEncoding]: 'identity,deflate,gzip',
        ...encoding,
      },
      { waitForTrailers: true },
    );
  }

  private readonly leave = (): void => {
    clearTimeout(this.timer);
    this.controller.abort(new GatewayError(Code.CANCELLED, 'the client has gone'));
  };

  private readonly expire = (): void => {
    this.controller.abort(new GatewayError(Code.DEADLINE_EXCEEDED, 'the deadline of the call has passed'));
  };
}

/** The caller's `x-request-id`, if it sent one. */
export function requestIdOf(headers: IncomingHttpHeaders): string | undefined {
  const value = headers['x-request-id'];
  return typeof value === 'string' ? value.slice(0, 128) : undefined;
}

function shortened(message: string): string {
  return message.length <= maxStatusChars ? message : `${message.slice(0, maxStatusChars - 1)}…`;
}

async function compressedFrame(message: Uint8Array): Promise<Buffer> {
  const content = await gzipAsync(message);
  const prefix = Buffer.alloc(framePrefixBytes);
  prefix[0] = 1;
  prefix.writeUInt32BE(content.length, 1);
  return Buffer.concat([prefix, content]);
}
