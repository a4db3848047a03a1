import type * as grpc from '@grpc/grpc-js';
import { Code, GatewayError, type Holder, toCode } from '../../protocol/index.ts';
import { tillerService } from './methods.ts';
import { watchBytes } from './tiller-sessions.ts';

export interface CallOptions {
  readonly channel: grpc.ChannelInterface;
  readonly metadata: grpc.Metadata;
  /** Milliseconds the call may take; Infinity for no bound. */
  readonly timeoutMs: number;
  /** Ends the call: its reason, a GatewayError, becomes the call's failure. */
  readonly signal: AbortSignal | undefined;
  /** Holds the call until its answer begins, if it may be ended for want of a connection. */
  readonly unanswered?: Set<UnansweredCall> | undefined;
  /** Counts a message while it arrives. Whoever takes it counts it from then on. */
  readonly hold?: Pick<Holder, 'answer' | 'sent'> | undefined;
}

/** A call whose answer has not begun. */
export interface UnansweredCall {
  fail(reason: GatewayError): void;
}

/** A call that ended with a status other than OK: Tiller's, or one that grpc-js made up. */
export class CallFailure extends Error {
  override readonly name = 'CallFailure';
  readonly code: Code;
  readonly details: string;
  /** Whether Tiller's answer had begun. */
  readonly answered: boolean;

  constructor({ code, details }: { code: number; details: string }, answered: boolean) {
    super(details);
    this.code = toCode(code); // a peer can send any number
    this.details = details;
    this.answered = answered;
  }
}

/**
 * A call with one reply.
 * @throws CallFailure, or the signal's reason
 */
export async function callUnary(method: string, request: Buffer, options: CallOptions): Promise<Buffer> {
  const call = new Call(method, request, options);
  const reply = await call.next();
  // a status that is no OK counts more than a reply before it
  const isWhole = reply !== undefined && (await call.next()) === undefined;
  if (isWhole) return reply;
  call.cancel();
  const details = reply ? 'Tiller gave more than one reply' : 'Tiller gave no reply';
  throw new CallFailure({ code: Code.UNIMPLEMENTED, details }, true);
}

/**
 * A call with any number of replies, read no faster than they are taken: one ahead. Leaving the loop cancels the call.
 * @throws CallFailure, or the signal's reason
 */
export async function* callStream(
  method: string,
  request: Buffer,
  options: CallOptions,
): AsyncGenerator<Buffer> {
  const call = new Call(method, request, options);
  try {
    for (;;) {
      const message = await call.next();
      if (!message) return;
      yield message;
    }
  } finally {
    call.cancel();
  }
}

/**
 * One call on grpc-js's channel itself. Its `Client` would put events, interceptors and a stack trace around it, which
 * takes a third of a short call, and a stream that reads sixteen messages ahead, which may be 20 MiB each.
 */
class Call implements UnansweredCall {
  readonly #call: ReturnType<grpc.ChannelInterface['createCall']>;
  readonly #options: CallOptions;
  #answered = false;
  #reason: GatewayError | undefined;
  #message: Buffer | undefined;
  #status: Pick<grpc.StatusObject, 'code' | 'details'> | undefined;
  /** Bytes that have arrived and were not taken yet. */
  #held = 0;
  #unwatch = () => {};
  /** Takes the next message or the status, if somebody waits for it. */
  #wake: (() => void) | undefined;

  constructor(method: string, request: Buffer, options: CallOptions) {
    this.#options = options;
    const { channel, timeoutMs, signal, unanswered, hold } = options;
    let { metadata } = options;
    if (signal?.aborted) throw GatewayError.from(signal.reason);
    // without a virtual host, and without a call of ours that it belongs to
    this.#call = channel.createCall(`/${tillerService}/${method}`, Date.now() + timeoutMs, null, null, null);
    // behind what throws where the channel is closed: nobody would end the watching
    if (hold)
      ({ metadata, release: this.#unwatch } = watchBytes(metadata, bytes => this.#count(hold, bytes)));
    this.#call.start(metadata, {
      onReceiveMetadata: () => {
        this.#answered = true;
        unanswered?.delete(this);
      },
      onReceiveMessage: (message: Buffer) => {
        this.#message = message;
        this.#wake?.();
      },
      onReceiveStatus: status => {
        this.#status = status;
        this.#release();
        this.#wake?.();
      },
    });
    this.#call.sendMessageWithContext({}, request);
    this.#call.halfClose();
    this.#call.startRead();
    unanswered?.add(this);
    signal?.addEventListener('abort', this.#abort);
  }

  /**
   * The next message; undefined at the end.
   * @throws CallFailure, or the reason it was ended for
   */
  async next(): Promise<Buffer | undefined> {
    if (!this.#message && !this.#status) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    const message = this.#message;
    this.#message = undefined;
    if (this.#reason) throw this.#reason;
    if (message) {
      this.#letGo();
      this.#call.startRead();
      return message;
    }
    if (this.#status?.code !== Code.OK) throw new CallFailure(this.#status!, this.#answered);
    return undefined;
  }

  /** Without effect on a call that is over. */
  cancel(): void {
    this.#message = undefined;
    this.#release();
    if (this.#status) return;
    const end = () => this.#call.cancelWithStatus(Code.CANCELLED as number, 'the reader has left');
    end();
    // grpc-js opens the stream some promises after `start`, and then does not look whether the call was cancelled
    // meanwhile: nothing else would ever end it
    setImmediate(end);
  }

  fail(reason: GatewayError): void {
    this.#reason ??= reason;
    this.cancel();
  }

  #count(hold: NonNullable<CallOptions['hold']>, bytes: number): void {
    try {
      hold.answer(bytes);
      this.#held += bytes;
    } catch (error) {
      this.fail(GatewayError.from(error));
    }
  }

  #letGo(): void {
    this.#options.hold?.sent(this.#held);
    this.#held = 0;
  }

  #release(): void {
    this.#unwatch();
    if (!this.#message) this.#letGo();
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#options.unanswered?.delete(this);
  }

  readonly #abort = (): void => {
    this.fail(GatewayError.from(this.#options.signal?.reason));
  };
}

/** Of a call that never left. */
export const unsent = 'the connection to Tiller was lost before the call was sent';

/** grpc-js's own texts for a channel that has no connection to send on. */
function isUnsent(details: string): boolean {
  return /^(?:No connection established|Name resolution failed|Channel has been shut down)/.test(details);
}

/** Of a call that HTTP/2 ended. Node itself does where trailers are a little over 64 KiB (11), or much (2). */
function resetCodeOf(code: Code, details: string): number | undefined {
  if (code === Code.RESOURCE_EXHAUSTED && details === 'Bandwidth exhausted or memory limit exceeded')
    return 11;
  const reset =
    code === Code.INTERNAL ? /^Received RST_STREAM with code (\d+)/.exec(details)?.[1] : undefined;
  return reset === undefined ? undefined : Number(reset);
}

/** How a call that failed reads: the deadline, a lost connection, or Tiller's own status. */
export function describeFailure({ code, details, answered }: CallFailure): {
  code: Code;
  message: string;
  /** Set where HTTP/2 ended the call without a status. */
  resetCode?: number;
  lost?: true;
} {
  if (code === Code.DEADLINE_EXCEEDED) return { code, message: 'the deadline passed before Tiller answered' };
  if (isUnsent(details)) return { code: Code.UNAVAILABLE, message: unsent };
  if (code === Code.UNAVAILABLE || code === Code.CANCELLED) {
    const when = answered ? 'in the middle of the answer' : 'before Tiller answered';
    return { code: Code.UNAVAILABLE, message: `the connection to Tiller was lost ${when}`, lost: true };
  }
  const resetCode = resetCodeOf(code, details);
  if (resetCode === undefined) return { code, message: details || 'Tiller failed without saying why' };
  return {
    code: Code.INTERNAL,
    message: `Tiller ended the call without saying why (HTTP/2 error ${resetCode})`,
    resetCode,
  };
}

/**
 * What is known of a call that failed: it was not sent, Tiller answered it with a status of its own, or nobody knows what
 * it has done.
 */
export function outcomeOf(error: unknown): 'unsent' | 'answered' | 'unknown' {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (!(cause instanceof CallFailure)) continue;
    const { code, message, resetCode, lost } = describeFailure(cause);
    if (message === unsent) return 'unsent';
    const isAnswer = !lost && resetCode === undefined && code !== Code.DEADLINE_EXCEEDED;
    return isAnswer ? 'answered' : 'unknown';
  }
  return 'unsent';
}
