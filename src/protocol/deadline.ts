import { Code } from './code.ts';
import { GatewayError } from './gateway-error.ts';

/** setTimeout fires at once above this. */
const maxTimerMs = 2 ** 31 - 1;

export interface ScopeOptions {
  /** Ends the scope with its own reason. */
  readonly signal?: AbortSignal | undefined;
  /** On the clock of `performance.now()`. With `timeoutMs` as well, the earlier of both counts. */
  readonly deadline?: number | undefined;
  readonly timeoutMs?: number | undefined;
  /** The error when time is over. Default: DEADLINE_EXCEEDED, `the deadline has passed`. */
  readonly late?: (() => Error) | undefined;
}

/** A signal of one's own with an end in time. `end` must be called: it stops the timer and lets the outer signal go. */
export interface CallScope {
  readonly signal: AbortSignal;
  /** On the clock of `performance.now()`; undefined where there is none. */
  readonly deadline: number | undefined;
  /** Fires the signal from this side. */
  abort(reason: Error): void;
  /** May be called more than once. The signal does not fire any more, except by `abort`. */
  end(): void;
}

/** A signal that fires with the outer one, at the deadline, or by `abort`, whichever comes first. */
export function callScope({ signal, deadline, timeoutMs, late }: ScopeOptions): CallScope {
  const controller = new AbortController();
  const until = Math.min(
    deadline ?? Number.POSITIVE_INFINITY,
    timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs,
  );
  const expire = () => {
    controller.abort(late?.() ?? new GatewayError(Code.DEADLINE_EXCEEDED, 'the deadline has passed'));
  };
  const leave = () => controller.abort(signal?.reason);
  const timer = Number.isFinite(until) ? setTimeout(expire, toDelay(until - performance.now())) : undefined;
  signal?.addEventListener('abort', leave, { once: true });
  if (signal?.aborted) leave();
  return {
    signal: controller.signal,
    deadline: Number.isFinite(until) ? until : undefined,
    abort: reason => controller.abort(reason),
    end() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', leave);
    },
  };
}

/**
 * The promise, or the signal's reason if that comes first. The work behind the promise goes on, for others who wait or
 * for nobody: a late failure of it is no unhandled rejection.
 * @throws the signal's reason as GatewayError (CANCELLED where it is none)
 */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(abortReason(signal));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', abort));
}

function toDelay(milliseconds: number): number {
  return Math.min(Math.max(0, milliseconds), maxTimerMs);
}

/** Why a signal fired, as an error of this program: AbortController's own reasons become DEADLINE_EXCEEDED and CANCELLED. */
export function abortReason({ reason }: AbortSignal): Error {
  if (reason instanceof GatewayError) return reason;
  if (reason instanceof Error && reason.name === 'TimeoutError')
    return new GatewayError(Code.DEADLINE_EXCEEDED, 'no answer in time', { cause: reason });
  if (reason instanceof Error && reason.name !== 'AbortError') return reason;
  return new GatewayError(Code.CANCELLED, 'the call was cancelled', { cause: reason });
}
