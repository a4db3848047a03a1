import type { RecordsReport } from '../backends/index.ts';
import type { GatewayError } from '../protocol/index.ts';
import type { UpstreamKind } from './upstreams/upstream.ts';

/** When a cluster counts as down, and how it is probed then. */
export interface BreakerRules {
  /** So many attempts in a row failed. */
  readonly failures: number;
  /** Or one failed attempt took so long. */
  readonly slowMs: number;
  /** Longest pause between probes; the first is a second, and each doubles. */
  readonly maxPauseMs: number;
}

const firstPauseMs = 1_000;

const defaultRules: BreakerRules = { failures: 3, slowMs: 5_000, maxPauseMs: 30_000 };

/**
 * Whether it makes sense to try a cluster. Closed, calls go through; open, they fail at once with the last failure, and
 * somebody has to probe after `pauseMs`.
 */
export class Breaker {
  readonly #rules: BreakerRules;
  #failures = 0;
  #probes = 0;
  #startedAt: number | undefined;
  #opened = false;
  /** The last failure since anything worked. */
  failure: GatewayError | undefined;
  /** When the failures began. */
  since: Date | undefined;

  constructor(rules = defaultRules) {
    this.#rules = rules;
  }

  get isOpen(): boolean {
    return this.#opened;
  }

  /** How long to wait before the next probe. */
  get pauseMs(): number {
    return Math.min(firstPauseMs * 2 ** Math.max(0, this.#probes - 1), this.#rules.maxPauseMs);
  }

  /** An attempt begins. */
  started(now: number): void {
    this.#startedAt ??= now;
  }

  /** @returns true where this failure opens it */
  failed(error: GatewayError, now: number): boolean {
    const { failures, slowMs } = this.#rules;
    const slow = this.#startedAt !== undefined && now - this.#startedAt >= slowMs;
    this.#startedAt = undefined;
    this.#failures++;
    this.failure = error;
    this.since ??= new Date();
    if (this.#opened || (this.#failures < failures && !slow)) return false;
    this.#opened = true;
    this.#probes = 1;
    return true;
  }

  probeFailed(): void {
    this.#probes++;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#probes = 0;
    this.#startedAt = undefined;
    this.#opened = false;
    this.failure = undefined;
    this.since = undefined;
  }

  /** Nobody probes any more: the next call may try, and its first failure opens it again. */
  rest(): void {
    this.#opened = false;
    this.#failures = this.#rules.failures - 1;
  }
}

/** `idle`: nobody has used it lately, so it is not known whether it could be reached. */
export type ClusterState = 'idle' | 'connecting' | 'ready' | 'failing';

/** One cluster in `GET /clusters`. */
export interface ClusterReport {
  readonly name: string;
  /** `auto` until the cluster is opened. */
  readonly upstream: UpstreamKind | 'auto';
  readonly state: ClusterState;
  readonly failing?: FailureReport;
  /** Tiller's version. */
  readonly tiller?: string;
  /** Time to ask Tiller's version, measured the last time. */
  readonly round_trip_ms?: number;
  /** Running at the moment. */
  readonly calls: number;
  /** Where its release records can be read. */
  readonly reads?: ReadsReport;
}

/** Where reads come from. */
export type ReadsReport = Omit<RecordsReport, 'usable' | 'faults' | 'ageMs'> & {
  readonly from: 'records' | 'tiller';
  /** The first unreadable records, with the reasons. */
  readonly faults?: readonly string[];
  /** How old an answer can be. */
  readonly age_ms?: number;
};

export function describeReads({ usable, ageMs, faults, reason, ...counts }: RecordsReport): ReadsReport {
  return {
    from: usable ? 'records' : 'tiller',
    ...(reason !== undefined && { reason }),
    ...counts,
    ...(faults.length > 0 && { faults }),
    ...(Number.isFinite(ageMs) && { age_ms: Math.round(ageMs) }),
  };
}

export interface FailureReport {
  readonly since: string;
  /** Such as `finding Tiller`, `opening the tunnel`. */
  readonly step: string;
  readonly message: string;
}

/** The step is the error's own; without one, the message up to the first object or reason. */
export function describeFailure({ step, message }: GatewayError, since: Date): FailureReport {
  const begun = /^(.*?)(?: to | at | of | through |: | failed)/.exec(step ?? message)?.[1];
  return { since: since.toISOString(), step: begun ?? step ?? message, message };
}
