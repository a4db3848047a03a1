import { orAborted } from '../../protocol/index.ts';

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
      if (task.waiting === 0) this.#end(key, task, signal.reason);
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

  #end(key: string, task: SharedTask<T>, reason: unknown): void {
    this.#forget(key, task);
    task.abort.abort(reason);
  }

  #forget(key: string, task: SharedTask<T>): void {
    if (this.#tasks.get(key) === task) this.#tasks.delete(key);
  }
}
