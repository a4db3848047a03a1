import { abortReason } from './deadline.ts';

/** Lets a bounded number of tasks run, and a bounded number wait for their turn. */
export class Limiter {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #refusal: () => Error;

  /** @param refusal the error for one more than may wait */
  constructor(maxRunning: number, maxWaiting: number, refusal: () => Error) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
    this.#refusal = refusal;
  }

  /** Whether a task would have to wait for its turn. */
  get isBusy(): boolean {
    return this.#running >= this.#maxRunning;
  }

  /**
   * Runs a task as soon as there is room; a task whose signal is aborted before its turn never starts.
   * @throws the refusal when too many are waiting already; the signal's reason when it is aborted
   */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (signal.aborted) throw abortReason(signal);
    if (this.isBusy) await this.#turn(signal);
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
    if (this.#waiting.length >= this.#maxWaiting) throw this.#refusal();
    return new Promise((resolve, reject) => {
      const start = () => {
        signal.removeEventListener('abort', give);
        resolve();
      };
      const give = () => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1);
        reject(abortReason(signal));
      };
      signal.addEventListener('abort', give, { once: true });
      this.#waiting.push(start);
    });
  }
}
