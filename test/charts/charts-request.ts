import type { ChartRequest } from '../../src/charts/index.ts';

/** A request that names nothing but what is given. */
export function chartRequest(given: Partial<ChartRequest>): ChartRequest {
  return { chartUrl: '', verify: false, set: [], setString: [], ...given };
}

/** A signal that nobody aborts. */
export const noSignal = new AbortController().signal;
