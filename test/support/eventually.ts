/** Waiting in tests, always with a bound, so that what never comes fails one test and hangs nothing. */
import { setTimeout as pause } from 'node:timers/promises';

export interface WaitOptions {
  /** Default: 15,000. */
  readonly timeoutMs?: number;
  /** The pause between two looks. Default: 10. */
  readonly everyMs?: number;
}

/** Looks again and again until `check` gives something truthy, and gives that. Rejects when time is up. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 15_000, everyMs = 10 }: WaitOptions = {},
): Promise<Exclude<T, false | undefined>> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value) return value as Exclude<T, false | undefined>;
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${check}`);
    await pause(everyMs);
  }
}

/**
 * Waits until a number has stood still for `forMs` and gives it: how much went through before back-pressure stopped it.
 * A machine that is busy for as long can only make the number smaller, never a test fail that should pass.
 */
export async function whenStill(read: () => number, forMs = 200, timeoutMs = 15_000): Promise<number> {
  const end = performance.now() + timeoutMs;
  let value = read();
  let since = performance.now();
  while (performance.now() - since < forMs) {
    if (performance.now() > end) throw new Error(`still moving after ${timeoutMs} ms: ${read}`);
    await pause(10);
    const next = read();
    if (next !== value) since = performance.now();
    value = next;
  }
  return value;
}
