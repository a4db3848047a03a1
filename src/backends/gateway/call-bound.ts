import { type CallContext, Code, GatewayError } from '../../protocol/index.ts';

/** A call's own signal: fires with the caller's, or when its time is over. `clear` ends the timer. */
export interface CallBound {
  readonly signal: AbortSignal;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  clear(): void;
}

/** @param timeoutMs what a call may take whose caller set no deadline */
export function boundCall(context: Pick<CallContext, 'signal' | 'deadline'>, timeoutMs: number): CallBound {
  const now = performance.now();
  const deadline = context.deadline ?? now + timeoutMs;
  const controller = new AbortController();
  const leave = () => controller.abort(context.signal.reason);
  const late = () =>
    controller.abort(
      new GatewayError(Code.DEADLINE_EXCEEDED, "the deadline passed before the cluster's gateway answered"),
    );
  const timer = setTimeout(late, Math.max(0, deadline - now));
  context.signal.addEventListener('abort', leave, { once: true });
  if (context.signal.aborted) leave();
  return {
    signal: controller.signal,
    deadline,
    clear() {
      clearTimeout(timer);
      context.signal.removeEventListener('abort', leave);
    },
  };
}
