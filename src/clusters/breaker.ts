import type { GatewayError } from '../protocol/index.ts';

/** So many attempts in a row fail before a cluster counts as down. */
const tripAfter = 3;
/** Or one attempt that took so long. */
const slowAttemptMs = 5_000;

/** Between probes: doubles from the first to the last. */
const firstPauseMs = 1_000;
const lastPauseMs = 30_000;

/**
 * Whether it makes sense to try a cluster. Closed, calls go through; open, they fail at once with the last failure, and
 * somebody has to probe after `pauseMs`.
 */
export class Breaker {
  private failures = 0;
  private probes = 0;
  private startedAt: number | undefined;
  private opened = false;
  /** The last failure since anything worked. */
  failure: GatewayError | undefined;
  /** When the failures began. */
  since: Date | undefined;

  get isOpen(): boolean {
    return this.opened;
  }

  /** How long to wait before the next probe. */
  get pauseMs(): number {
    return Math.min(firstPauseMs * 2 ** Math.max(0, this.probes - 1), lastPauseMs);
  }

  /** An attempt begins. */
  started(now: number): void {
    this.startedAt ??= now;
  }

  /** @returns true where this failure opens it */
  failed(error: GatewayError, now: number): boolean {
    const slow = this.startedAt !== undefined && now - this.startedAt >= slowAttemptMs;
    this.startedAt = undefined;
    this.failures++;
    this.failure = error;
    this.since ??= new Date();
    if (this.opened || (this.failures < tripAfter && !slow)) return false;
    this.opened = true;
    this.probes = 1;
    return true;
  }

  probeFailed(): void {
    this.probes++;
  }

  succeeded(): void {
    this.failures = 0;
    this.probes = 0;
    this.startedAt = undefined;
    this.opened = false;
    this.failure = undefined;
    this.since = undefined;
  }

  /** Nobody probes any more: the next call may try, and its first failure opens it again. */
  rest(): void {
    this.opened = false;
    this.failures = tripAfter - 1;
  }
}
