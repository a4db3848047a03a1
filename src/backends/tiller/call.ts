import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import {
  Code,
  decodeGrpcMessage,
  FrameReader,
  GatewayError,
  header,
  toCode,
  toFrame,
} from '../../protocol/index.ts';
import { CallFailure, type CallProgress } from './call-failure.ts';

/** What Tiller said at the end of a call. */
interface Status {
  readonly code: Code;
  readonly message: string;
}

export interface CallBounds {
  /** Ends the call: its reason, a GatewayError, becomes the call's failure. */
  readonly signal: AbortSignal | undefined;
  /** Milliseconds the call may take. */
  readonly timeoutMs: number;
  /** Largest message taken from Tiller. */
  readonly maxMessageBytes: number;
}

/**
 * One gRPC call on an open HTTP/2 stream: sends the request, reads the messages and the status. The owner of the stream
 * from the moment it is made; every way out closes it and clears the timer.
 */
export class Call {
  private readonly stream: ClientHttp2Stream;
  private readonly session: ClientHttp2Session | undefined;
  private readonly frames: FrameReader;
  private readonly signal: AbortSignal | undefined;
  private readonly timer: NodeJS.Timeout;
  private status: Status | undefined;
  /** Why this side ended the call, if it did. */
  private ownReason: GatewayError | undefined;
  private streamError: Error | undefined;
  private answered = false;

  constructor(stream: ClientHttp2Stream, request: Uint8Array, bounds: CallBounds) {
    this.stream = stream;
    this.session = stream.session as ClientHttp2Session | undefined;
    this.frames = new FrameReader(bounds.maxMessageBytes, bounds.maxMessageBytes);
    this.signal = bounds.signal;
    this.timer = setTimeout(this.expire, bounds.timeoutMs);
    stream.on('response', this.readResponse);
    stream.on('trailers', this.readStatus);
    stream.on('error', error => {
      this.streamError = error;
    });
    stream.once('close', this.release);
    this.signal?.addEventListener('abort', this.abort, { once: true });
    if (this.signal?.aborted) this.abort();
    else stream.end(toFrame(request));
  }

  /**
   * The one message of a unary call.
   * @throws GatewayError with Tiller's status as it came, or CallFailure when the connection failed
   */
  unary(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let message: Buffer | undefined;
      this.stream.on('data', (chunk: Buffer) => {
        try {
          for (const frame of this.take(chunk)) message = frame;
        } catch (error) {
          this.cancel(GatewayError.from(error));
        }
      });
      this.stream.once('close', () => {
        const failure = this.failure();
        if (failure) reject(failure);
        else if (message) resolve(message);
        else reject(new GatewayError(Code.INTERNAL, 'Tiller answered OK without a message'));
      });
    });
  }

  /** The messages of a server-streaming call, read no faster than they are taken. Leaving early cancels the call. */
  async *messages(): AsyncGenerator<Buffer, void, undefined> {
    try {
      for await (const chunk of this.stream as AsyncIterable<Buffer>) yield* this.take(chunk);
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      this.streamError ??= error as Error;
    }
    const failure = this.failure();
    if (failure) throw failure;
  }

  private take(chunk: Buffer): Buffer[] {
    return this.frames.push(chunk).map(({ compressed, message }) => {
      // None was offered in grpc-accept-encoding.
      if (compressed) throw new GatewayError(Code.INTERNAL, 'Tiller sent a compressed message unasked');
      return message;
    });
  }

  private readonly expire = (): void => {
    this.cancel(new GatewayError(Code.DEADLINE_EXCEEDED, 'the deadline passed before Tiller answered'));
  };

  private readonly abort = (): void => {
    this.cancel(GatewayError.from(this.signal?.reason));
  };

  private cancel(reason: GatewayError): void {
    this.ownReason ??= reason;
    this.stream.close(constants.NGHTTP2_CANCEL);
  }

  private readonly release = (): void => {
    clearTimeout(this.timer);
    this.signal?.removeEventListener('abort', this.abort);
  };

  private readonly readResponse = (headers: IncomingHttpHeaders): void => {
    this.answered = true;
    if (headers[header.status] !== undefined) {
      this.readStatus(headers);
    } else if ((headers[':status'] as unknown as number) !== 200) {
      this.status = {
        code: httpToCode(Number(headers[':status'])),
        message: `Tiller's address answered HTTP ${headers[':status']}, not gRPC`,
      };
    }
  };

  private readonly readStatus = (headers: IncomingHttpHeaders): void => {
    const code = headers[header.status];
    if (code === undefined) return;
    const message = headers[header.message];
    this.status ??= {
      code: toCode(Number(code)),
      message: typeof message === 'string' ? decodeGrpcMessage(message) : '',
    };
  };

  private failure(): GatewayError | undefined {
    if (this.ownReason) return this.ownReason;
    if (this.status)
      return this.status.code === Code.OK
        ? undefined
        : new GatewayError(this.status.code, this.status.message);
    const progress = this.progress();
    if (progress !== 'unsent' && this.session && !this.session.closed && !this.session.destroyed) {
      // grpc-go does so where an error's text is longer than a header may be
      return new GatewayError(
        Code.INTERNAL,
        `Tiller ended the call without saying why (HTTP/2 error ${this.stream.rstCode})`,
      );
    }
    const when = {
      unsent: 'before the call was sent',
      unanswered: 'before Tiller answered',
      answered: 'in the middle of the answer',
    };
    return new CallFailure(
      Code.UNAVAILABLE,
      `the connection to Tiller was lost ${when[progress]}`,
      progress,
      {
        cause: this.streamError,
      },
    );
  }

  /** REFUSED_STREAM promises that the call was not processed (RFC 9113, 8.7). */
  private progress(): CallProgress {
    if (this.answered) return 'answered';
    const unsent = this.stream.id === undefined || this.stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    return unsent ? 'unsent' : 'unanswered';
  }
}

/** Source: https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md */
function httpToCode(status: number): Code {
  if (status === 400) return Code.INTERNAL;
  if (status === 401) return Code.UNAUTHENTICATED;
  if (status === 403) return Code.PERMISSION_DENIED;
  if (status === 404) return Code.UNIMPLEMENTED;
  return [429, 502, 503, 504].includes(status) ? Code.UNAVAILABLE : Code.UNKNOWN;
}
