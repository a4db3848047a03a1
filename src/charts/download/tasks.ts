import { Code, callScope, GatewayError, orAborted, unavailable } from '../../protocol/index.ts';

/** Lets a bounded number of tasks run, and a bounded number wait for their turn. */
export class Limiter {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #maxRunning: number;
  readonly #maxWaiting: number;

  constructor(maxRunning: number, maxWaiting: number) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Runs a task as soon as there is room; a task whose signal is aborted before its turn never starts.
   * @throws GatewayError RESOURCE_EXHAUSTED when too many are waiting already; the signal's reason when it is aborted
   */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#running >= this.#maxRunning) await this.#turn(signal);
    else this.#running++;
    try {
      return await task();
    } finally {
      // the place goes to the next in line, or is free
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= this.#maxWaiting) {
      throw new GatewayError(Code.RESOURCE_EXHAUSTED, 'too many charts are being fetched; try again later');
    }
    return new Promise((resolve, reject) => {
      const start = () => {
        signal.removeEventListener('abort', give);
        resolve();
      };
      const give = () => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', give, { once: true });
      this.#waiting.push(start);
    });
  }
}

interface SharedTask<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  waiting: number;
}

/**
 * Lets callers that want the same thing at the same time share one task. The task is aborted when the last caller has gone away,
 * not before.
 */
export class SharedTasks<T> {
  readonly #tasks = new Map<string, SharedTask<T>>();

  /** Joins the task under `key`, starting it when there is none. Rejects with the signal's reason when that is aborted. */
  async run(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const task = this.#tasks.get(key) ?? this.#start(key, start);
    task.waiting++;
    try {
      return await orAborted(task.result, signal);
    } finally {
      task.waiting--;
      if (task.waiting === 0) {
        this.#forget(key, task);
        task.abort.abort(signal.reason);
      }
    }
  }

  #start(key: string, start: (signal: AbortSignal) => Promise<T>): SharedTask<T> {
    const abort = new AbortController();
    const task: SharedTask<T> = { result: start(abort.signal), abort, waiting: 0 };
    this.#tasks.set(key, task);
    // the callers hear of a failure; once it is over nobody new may join
    task.result.catch(() => {}).finally(() => this.#forget(key, task));
    return task;
  }

  #forget(key: string, task: SharedTask<T>): void {
    if (this.#tasks.get(key) === task) this.#tasks.delete(key);
  }
}

/** Bounds the time of work. @param name what is fetched, for the message. @throws GatewayError UNAVAILABLE when it takes longer */
export async function inTime<T>(
  name: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = () => unavailable(`${name}: took longer than ${timeoutMs} ms`);
  const scope = callScope({ signal, timeoutMs, late });
  try {
    return await work(scope.signal);
  } finally {
    scope.end();
  }
}
