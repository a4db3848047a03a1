import { randomUUID } from 'node:crypto';
import type { Holder } from './budget.ts';
import type { Consistency } from './consistency.ts';

/** What a call takes from the request that it serves. */
export interface CallContext {
  /** Fires with a GatewayError when the client has gone or its deadline has passed. */
  readonly signal: AbortSignal;
  /** When the client's deadline passes, on the clock of `performance.now()`; undefined where it set none. */
  readonly deadline: number | undefined;
  /** The id of the request in logs. */
  readonly requestId?: string | undefined;
  /** Counts what the request keeps in memory. */
  readonly hold?: Holder | undefined;
  /** Has the call end for this reason, whatever it waits for. */
  abort?(reason: Error): void;
  /** How new the answer of a read has to be; without it, as new as the records are. */
  readonly consistency?: Consistency | undefined;
  /** Is told where the answer of a read comes from, for the header `Tiller-Gateway-Reads`. */
  readonly readsFrom?: ((source: string) => void) | undefined;
}

/** What a write may take in the gateway beyond the time that it asks Tiller to take. */
const marginMs = 30_000;

const dayMs = 24 * 3_600_000;

/**
 * The time that a call which waits in Tiller must be given at least, from the request's `timeout` field.
 * @param timeoutSeconds as the caller gave it: whatever it is, the result is between 0 and a day
 */
export function minTimeoutMs(timeoutSeconds: bigint): number {
  if (timeoutSeconds <= 0n) return 0;
  return Math.min(Number(timeoutSeconds) * 1000 + marginMs, dayMs);
}

/** The caller's `x-request-id` where it is fit for a log line, else a new one. */
export function requestIdOf(given: unknown): string {
  return typeof given === 'string' && /^[\w.:@/+=-]{1,128}$/.test(given) ? given : randomUUID();
}
