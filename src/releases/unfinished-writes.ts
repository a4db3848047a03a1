import { setTimeout as wait } from 'node:timers/promises';
import { type CallContext, Code, GatewayError, limitExceeded, orAborted } from '../protocol/index.ts';

export interface UnfinishedOptions {
  /** Each holds a call to Tiller open. Default: 256. */
  readonly maxRunning?: number;
  /** Bound on their requests together, which stay in memory; one alone may pass it. Default: none. */
  readonly maxBytes?: number;
  /** Gets what failed behind the back of its client. */
  readonly log?: (message: string, fields: Record<string, unknown>) => void;
}

/**
 * Writes that go on when their client leaves or its deadline passes, because what they have begun must be undone where it
 * fails. The gateway waits for them before it ends.
 */
export class UnfinishedWrites {
  readonly #options: UnfinishedOptions;
  readonly #running = new Map<Promise<unknown>, string>();
  #bytes = 0;
  readonly #closed = new AbortController();

  constructor(options: UnfinishedOptions = {}) {
    this.#options = options;
  }

  /**
   * @param what is done, for the log
   * @param bytes of the request, which is kept in memory meanwhile
   * @param work gets a context without the client's signal and deadline: it has to bound its own time
   * @throws GatewayError what the work throws; the signal's reason, while the work goes on; RESOURCE_EXHAUSTED for too many
   */
  async run<T>(
    what: string,
    bytes: number,
    { signal, requestId }: CallContext,
    work: (context: CallContext) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    this.#admit(bytes);
    const running = work({ signal: this.#closed.signal, deadline: undefined, requestId });
    this.#running.set(running, what);
    this.#bytes += bytes;
    const end = () => {
      this.#running.delete(running);
      this.#bytes -= bytes;
    };
    running.then(end, error => {
      end();
      if (signal.aborted)
        this.#options.log?.('a change failed after its client had left', {
          what,
          request: requestId,
          error,
        });
    });
    return orAborted(running, signal);
  }

  #admit(bytes: number): void {
    const { maxRunning = 256, maxBytes = Number.POSITIVE_INFINITY } = this.#options;
    const { size } = this.#running;
    if (size < maxRunning && (size === 0 || this.#bytes + bytes <= maxBytes)) return;
    const message =
      size < maxRunning
        ? `the atomic changes in progress take up ${maxBytes} bytes already: try again later`
        : `${maxRunning} atomic changes are in progress already`;
    throw limitExceeded(message, { reason: 'OVERLOADED' });
  }

  /**
   * Waits for what runs, and gives it up when the time is over.
   * @returns what did not end
   */
  async drain(timeoutMs: number): Promise<string[]> {
    const late = wait(timeoutMs, 'late' as const, { ref: false, signal: this.#closed.signal }).catch(
      () => {},
    );
    while (this.#running.size > 0) {
      const ended = Promise.allSettled([...this.#running.keys()]);
      if ((await Promise.race([ended, late])) === 'late') break;
    }
    const unfinished = [...this.#running.values()];
    this.#closed.abort(new GatewayError(Code.CANCELLED, 'the gateway has stopped', { reason: 'STOPPING' }));
    return unfinished;
  }
}
