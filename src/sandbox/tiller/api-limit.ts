import { setTimeout as wait } from 'node:timers/promises';

/**
 * Requests to the API server that a real Tiller with its default storage makes for a call, as far as its speed tells:
 * with 5 a second it answers 5 to 7 lists, or 2 of the others.
 */
const requestsOf: Readonly<Record<string, number>> = { GetVersion: 0, ListReleases: 1 };
const requestsOfOthers = 3;

/** So many are allowed at once after a pause. */
const burst = 10;

/** Tiller's bound on its requests to the API server: calls wait for their turn, in order. */
export class ApiLimit {
  readonly #perSecond: number;
  /** When the latest request that was let through would have been, had there been no burst. */
  #last = Number.NEGATIVE_INFINITY;

  /** @param perSecond 5 in Tiller */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Waits until the call's requests may be made, or until the signal fires. */
  async admit(method: string, signal: AbortSignal): Promise<void> {
    const requests = requestsOf[method] ?? requestsOfOthers;
    const everyMs = 1000 / this.#perSecond;
    const now = performance.now();
    this.#last = Math.max(this.#last, now - burst * everyMs) + requests * everyMs;
    const pauseMs = this.#last - now;
    if (pauseMs > 0) await wait(pauseMs, undefined, { signal }).catch(() => {});
  }
}
