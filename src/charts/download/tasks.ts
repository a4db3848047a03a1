import { callScope, type GatewayError, limitExceeded, orAborted, unavailable } from '../../protocol/index.ts';

interface SharedTask<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  waiting: number;
}

/**
 * Lets callers that want the same thing at the same time share one task. It is aborted once the last caller has gone away.
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

/** The error for one more download than may wait for its turn. */
export function tooManyFetched(): GatewayError {
  return limitExceeded('too many charts are being fetched; try again later');
}
