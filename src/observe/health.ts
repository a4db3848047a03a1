import { GatewayError, unavailable } from '../protocol/index.ts';

/** The answer to a probe. `reason` is for people and holds no secret. */
export interface HealthReport {
  readonly ok: boolean;
  readonly reason: string;
}

export interface HealthOptions {
  /**
   * Reaches Tiller, or fails with the reason.
   * @returns what was reached, such as `Tiller v2.17.0`
   */
  readonly check: (signal: AbortSignal) => Promise<string>;
  /** Why the latest attempt to connect failed: the reason of a check that runs out of time while attempts go on. */
  readonly lastFailure?: () => string | undefined;
  /** Bound on one check. Probes of Kubernetes give up after 1 s by default, so an answer should come before. */
  readonly timeoutMs: number;
  /** For how long an answer serves further probes. */
  readonly maxAgeMs: number;
}

export interface Health {
  /** `/healthz`: the process answers. */
  live(): HealthReport;
  /** `/readyz`: requests would be served. Many probes at once cost one check. */
  ready(): Promise<HealthReport>;
  /** Whether the latest report of `ready` was good, without a check; false before the first. */
  serving(): boolean;
  /** From now on not ready: the program is stopping. */
  stop(): void;
  /** Runs when `serving()` changes; gives a function that ends it. */
  onChange(listener: () => void): () => void;
}

const stopping: HealthReport = { ok: false, reason: 'shutting down' };

export function createHealth(options: HealthOptions): Health {
  const { maxAgeMs } = options;
  let latest: HealthReport = { ok: false, reason: 'not checked yet' };
  let checkedAt = Number.NEGATIVE_INFINITY;
  let running: Promise<HealthReport> | undefined;
  let stopped = false;
  const listeners = new Set<() => void>();

  const settle = (report: HealthReport): HealthReport => {
    const changed = latest.ok !== report.ok;
    latest = report;
    if (changed) for (const listener of listeners) listener();
    return report;
  };
  const run = async (): Promise<HealthReport> => {
    const report = await runCheck(options);
    checkedAt = performance.now();
    running = undefined;
    return stopped ? latest : settle(report);
  };
  return {
    live: () => ({ ok: true, reason: 'alive' }),
    async ready() {
      if (stopped || performance.now() - checkedAt < maxAgeMs) return latest;
      running ??= run();
      return running;
    },
    serving: () => latest.ok,
    stop() {
      stopped = true;
      settle(stopping);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** The check's outcome, within the bound even if the check ignores its signal. */
function runCheck({ check, lastFailure, timeoutMs }: HealthOptions): Promise<HealthReport> {
  const { promise, resolve } = Promise.withResolvers<HealthReport>();
  const controller = new AbortController();
  const timer = setTimeout(() => {
    const reason = lastFailure?.() ?? `no answer within ${timeoutMs} ms`;
    resolve({ ok: false, reason });
    controller.abort(unavailable(reason));
  }, timeoutMs);
  check(controller.signal).then(
    reason => resolve({ ok: true, reason }),
    (error: unknown) => resolve({ ok: false, reason: GatewayError.from(error).message }),
  );
  return promise.finally(() => clearTimeout(timer));
}
