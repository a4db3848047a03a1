import { setTimeout as sleep } from 'node:timers/promises';
import { Code, GatewayError, unavailable } from '../../protocol/index.ts';
import { type Connection, type ConnectionOptions, openConnection } from './connection.ts';

/** Back-off between attempts: doubles from the first to the last, with a random part so that many gateways spread. */
const firstBackoffMs = 200;
const lastBackoffMs = 3_000;

export interface KeptConnectionOptions extends ConnectionOptions {
  /** Bound on one attempt, from finding Tiller to knowing its version. */
  readonly connectTimeoutMs: number;
  /** How long a call waits, over several attempts, before it fails for want of a connection. */
  readonly waitMs: number;
  readonly onOpened?: (connection: Connection) => void;
  readonly onLost?: (target: string, reason: string) => void;
  readonly onAttemptFailed?: (error: GatewayError) => void;
}

/**
 * One connection, opened on first use, shared by all calls, and opened again with back-off when it is lost. Callers that
 * come while it is being opened share the attempt.
 */
export class KeptConnection {
  private readonly options: KeptConnectionOptions;
  private readonly stopped = new AbortController();
  private current: Connection | undefined;
  private attempt: Promise<Connection> | undefined;
  private failures = 0;
  /** When the attempts began to fail, on the monotonic clock. */
  private failingSince: number | undefined;
  private lastFailure: GatewayError | undefined;

  constructor(options: KeptConnectionOptions) {
    this.options = options;
  }

  /** The connection if it is open and takes calls. */
  get open(): Connection | undefined {
    return this.current?.usable ? this.current : undefined;
  }

  /**
   * The connection, opened if need be. Waits for `waitMs` at the most; when attempts have failed for longer than that
   * already, the last failure is given at once, so that a dead Tiller does not hold every caller.
   * @throws GatewayError of the last attempt, or the signal's reason
   */
  async get(signal: AbortSignal | undefined): Promise<Connection> {
    const giveUpAt = performance.now() + this.options.waitMs;
    for (;;) {
      if (this.current?.usable) return this.current;
      if (signal?.aborted) throw GatewayError.from(signal.reason);
      if (this.lastFailure && this.failedFor() > this.options.waitMs && this.attempt) throw this.lastFailure;
      try {
        return await this.waitFor(this.sharedAttempt(), signal, giveUpAt);
      } catch (error) {
        const failure = GatewayError.from(error);
        const hopeless = failure.code !== Code.UNAVAILABLE || this.stopped.signal.aborted || signal?.aborted;
        if (hopeless || performance.now() >= giveUpAt || this.failedFor() > this.options.waitMs)
          throw failure;
      }
    }
  }

  /** Opens the connection for those who come later, if it is not open. How that goes is told to the options' events. */
  reopen(): void {
    if (!this.open && !this.stopped.signal.aborted) this.sharedAttempt();
  }

  /** Lets calls under way finish; no new connection is opened afterwards. `reason` is what callers who wait are told. */
  close(reason = 'the gateway is stopping'): void {
    this.stopped.abort(unavailable(reason));
    this.current?.close();
  }

  destroy(): void {
    this.close();
    this.current?.destroy();
  }

  private failedFor(): number {
    return this.failingSince === undefined ? 0 : performance.now() - this.failingSince;
  }

  private sharedAttempt(): Promise<Connection> {
    if (this.attempt) return this.attempt;
    const attempt = this.openAfterBackoff().finally(() => {
      this.attempt = undefined;
    });
    attempt.catch(() => {}); // its callers may all have gone by the time it fails
    this.attempt = attempt;
    return attempt;
  }

  /** Waits for a shared attempt without ending it: only this caller's waiting ends, at the signal or the time. */
  private waitFor(
    attempt: Promise<Connection>,
    signal: AbortSignal | undefined,
    until: number,
  ): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const abort = () => settle(() => reject(GatewayError.from(signal?.reason)));
      const late = () =>
        reject(this.lastFailure ?? unavailable('no connection to Tiller could be opened in time'));
      const timer = setTimeout(() => settle(late), Math.max(0, until - performance.now()));
      const settle = (action: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        action();
      };
      signal?.addEventListener('abort', abort, { once: true });
      attempt.then(
        connection => settle(() => resolve(connection)),
        error => settle(() => reject(error)),
      );
    });
  }

  private async openAfterBackoff(): Promise<Connection> {
    const { signal } = this.stopped;
    if (this.failures > 0) await sleep(backoffMs(this.failures), undefined, { signal }).catch(() => {});
    if (signal.aborted) throw GatewayError.from(signal.reason);
    const { connectTimeoutMs, onOpened, onLost, onAttemptFailed } = this.options;
    const bound = timeout(connectTimeoutMs, signal);
    try {
      const connection = await openConnection(this.options, bound.signal);
      this.failures = 0;
      this.failingSince = undefined;
      this.lastFailure = undefined;
      this.current = connection;
      connection.onUnusable(reason => {
        if (!signal.aborted) onLost?.(connection.target, reason);
      });
      onOpened?.(connection);
      return connection;
    } catch (error) {
      this.failures++;
      this.failingSince ??= performance.now();
      this.lastFailure = GatewayError.from(error);
      onAttemptFailed?.(this.lastFailure);
      throw this.lastFailure;
    } finally {
      bound.clear();
    }
  }
}

function backoffMs(failures: number): number {
  const bound = Math.min(firstBackoffMs * 2 ** (failures - 1), lastBackoffMs);
  return bound / 2 + (Math.random() * bound) / 2;
}

/** A signal that fires with UNAVAILABLE after a time, or when `outer` does. */
function timeout(milliseconds: number, outer: AbortSignal): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const abort = () => controller.abort(outer.reason);
  outer.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(
    () => controller.abort(unavailable(`Tiller was not reached within ${milliseconds / 1000} s`)),
    milliseconds,
  );
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer);
      outer.removeEventListener('abort', abort);
    },
  };
}
