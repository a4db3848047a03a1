import type * as grpc from '@grpc/grpc-js';
import { Code, GatewayError } from '../../protocol/index.ts';
import { tillerService } from './methods.ts';

export interface CallOptions {
  readonly metadata: grpc.Metadata;
  /** Milliseconds the call may take; Infinity for no bound. */
  readonly timeoutMs: number;
  /** Ends the call: its reason, a GatewayError, becomes the call's failure. */
  readonly signal: AbortSignal | undefined;
  /** Holds the call until its answer begins, if it may be ended for want of a connection. */
  readonly unanswered?: Set<UnansweredCall> | undefined;
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

  constructor({ code, details }: grpc.ServiceError, answered: boolean) {
    super(details);
    this.code = code as Code;
    this.details = details;
    this.answered = answered;
  }
}

const same = (bytes: Buffer): Buffer => bytes;

/** The HTTP/2 path of one of Tiller's methods. */
function pathOf(method: string): string {
  return `/${tillerService}/${method}`;
}

/**
 * A call with one reply.
 * @throws CallFailure, or the signal's reason
 */
export function callUnary(
  client: grpc.Client,
  method: string,
  request: Buffer,
  options: CallOptions,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const call = withoutStack(() =>
      client.makeUnaryRequest(
        pathOf(method),
        same,
        same,
        request,
        options.metadata,
        { deadline: deadlineOf(options) },
        (error, reply) => {
          const failure = tracked.failure(error);
          if (failure) reject(failure);
          else resolve(reply as Buffer);
        },
      ),
    );
    const tracked = new TrackedCall(call, options);
  });
}

/**
 * A call with any number of replies, read no faster than they are taken. Leaving the loop cancels the call.
 * @throws CallFailure, or the signal's reason
 */
export async function* callStream(
  client: grpc.Client,
  method: string,
  request: Buffer,
  options: CallOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const deadline = deadlineOf(options);
  const call = withoutStack(() =>
    client.makeServerStreamRequest(pathOf(method), same, same, request, options.metadata, { deadline }),
  );
  const tracked = new TrackedCall(call, options);
  const resume = readOneAhead(call);
  let error: grpc.ServiceError | null = null;
  // it may come before anybody reads, and is told only once
  call.on('error', (given: grpc.ServiceError) => {
    error = given;
  });
  try {
    try {
      for await (const message of call as AsyncIterable<Buffer>) {
        yield message;
        resume();
      }
    } catch (thrown) {
      if (!error) throw thrown;
    }
    const failure = tracked.failure(error);
    if (failure) throw failure;
  } finally {
    tracked.failure(null);
    call.cancel();
  }
}

/** Cancels a call when its signal fires, and remembers why. */
class TrackedCall implements UnansweredCall {
  readonly #call: { cancel(): void };
  readonly #options: CallOptions;
  #answered = false;
  #reason: GatewayError | undefined;

  constructor(call: grpc.ClientUnaryCall | grpc.ClientReadableStream<Buffer>, options: CallOptions) {
    this.#call = call;
    this.#options = options;
    options.unanswered?.add(this);
    call.on('metadata', () => {
      this.#answered = true;
      options.unanswered?.delete(this);
    });
    options.signal?.addEventListener('abort', this.#abort, { once: true });
    if (options.signal?.aborted) this.#abort();
  }

  fail(reason: GatewayError): void {
    this.#reason ??= reason;
    this.#call.cancel();
  }

  /** What the call failed with, once it is over. */
  failure(error: grpc.ServiceError | null): Error | undefined {
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#options.unanswered?.delete(this);
    return this.#reason ?? (error ? new CallFailure(error, this.#answered) : undefined);
  }

  readonly #abort = (): void => {
    this.fail(GatewayError.from(this.#options.signal?.reason));
  };
}

/** grpc-js notes the stack of each call in case it fails, which takes a tenth of a short call. Nobody reads it here. */
function withoutStack<T>(start: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return start();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function deadlineOf({ timeoutMs }: CallOptions): number {
  return Date.now() + timeoutMs;
}

/**
 * Has grpc-js read the next message only when this one is taken. Its own streams read sixteen ahead, which may be 20 MiB
 * each.
 * @returns to be called after each message
 */
function readOneAhead(call: grpc.ClientReadableStream<Buffer>): () => void {
  const read = call._read.bind(call);
  let held = false;
  call._read = size => {
    held = call.readableLength > 0;
    if (!held) read(size);
  };
  return () => {
    if (!held || call.readableLength > 0) return;
    held = false;
    read(1);
  };
}

/** Of a call that never left. */
export const unsent = 'the connection to Tiller was lost before the call was sent';

/** grpc-js's own texts for a channel that has no connection to send on. */
function isUnsent(details: string): boolean {
  return /^(?:No connection established|Name resolution failed|Channel has been shut down)/.test(details);
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
  const reset =
    code === Code.INTERNAL ? /^Received RST_STREAM with code (\d+)/.exec(details)?.[1] : undefined;
  if (reset === undefined) return { code, message: details };
  return {
    code,
    message: `Tiller ended the call without saying why (HTTP/2 error ${reset})`,
    resetCode: Number(reset),
  };
}
