import { getCompileCacheDir } from 'node:module';
import { dirname, extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Holder } from './budget.ts';
import type { Code } from './code.ts';
import { abortReason, callScope, orAborted } from './deadline.ts';
import { GatewayError, type GatewayErrorOptions, limitExceeded, unavailable } from './gateway-error.ts';
import { Limiter } from './limiter.ts';

/** A call of a module's export, as a thread gets it. Only what can be cloned may be in it. */
export interface Task {
  /** `import.meta.url` of the module. */
  readonly module: string;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What a task gives, or what it throws: an error of this program as its parts, any other one for the log. */
export type Outcome =
  | { readonly result: unknown }
  | { readonly error: GatewayErrorOptions & { readonly code: Code; readonly message: string } }
  | { readonly fault: { readonly message: string; readonly stack: string | undefined } };

/** One piece of work, as whoever waits for it sees it. */
export interface Job {
  /** What is read, in messages: `the request body`. */
  readonly what: string;
  /** The size of what is read. As much again is counted for what is made of it. */
  readonly bytes: number;
  /** Ends the work; its reason is thrown. */
  readonly signal: AbortSignal;
  /** Counts what a thread holds. */
  readonly hold?: Holder | undefined;
  /** Nobody else has the buffers that are given: they are moved, not copied. */
  readonly move?: boolean;
}

export interface ThreadPoolOptions {
  readonly maxThreads: number;
  /** Jobs that wait for a thread; one more is refused. */
  readonly maxWaiting: number;
  /** What one job may take of a thread's heap. Buffers are not part of it. */
  readonly maxHeapMiB: number;
  readonly maxJobMs: number;
}

/** To start a thread takes longer than most jobs, so one is kept for the next, but not for ever: it holds memory. */
const idleMs = 60_000;

/** Of jobs of more bytes one runs at a time: what two of them make of so much is more than the process is given. */
const largeBytes = 16 * 1024 * 1024;

/**
 * Runs work in threads: a bounded number, and a bounded number of jobs that wait. Whatever becomes of a thread (it fails,
 * takes too long or too much memory) ends one job; the next one gets a new thread.
 */
export class ThreadPool {
  readonly #options: ThreadPoolOptions;
  readonly #idle: { readonly worker: Worker; readonly end: NodeJS.Timeout }[] = [];
  readonly #limiter: Limiter;
  readonly #large: Limiter;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
    const text = 'too many large requests are being worked on: try again later';
    const refusal = () => unavailable(text, { reason: 'OVERLOADED' });
    this.#limiter = new Limiter(options.maxThreads, options.maxWaiting, refusal);
    this.#large = new Limiter(1, options.maxWaiting, refusal);
  }

  /**
   * What waits for a thread counts against the budget, since a request of few bytes may ask for a reply of many.
   * @throws GatewayError what the work throws; RESOURCE_EXHAUSTED when it takes too long or too much memory; UNAVAILABLE
   * with reason OVERLOADED when too many or too large ones wait; the signal's reason when it is aborted
   */
  async run(task: Task, job: Job): Promise<unknown> {
    const { hold, signal } = job;
    const isLarge = job.bytes > largeBytes;
    let waiting = this.#limiter.isBusy || (isLarge && this.#large.isBusy) ? job.bytes : 0;
    hold?.answer(waiting);
    const stopWaiting = () => {
      hold?.sent(waiting);
      waiting = 0;
    };
    const start = () => {
      stopWaiting();
      return this.#run(task, job);
    };
    const there = () => this.#limiter.run(start, signal);
    return (isLarge ? this.#large.run(there, signal) : there()).finally(stopWaiting);
  }

  async #run(task: Task, job: Job): Promise<unknown> {
    if (job.signal.aborted) throw abortReason(job.signal);
    const worker = this.#takeThread();
    const done = job.hold?.work(2 * job.bytes);
    let isUsable = false;
    try {
      const outcome = await this.#post(worker, task, job);
      isUsable = true;
      if ('result' in outcome) return asBuffer(outcome.result);
      if ('error' in outcome)
        throw new GatewayError(outcome.error.code, outcome.error.message, outcome.error);
      throw Object.assign(new Error(outcome.fault.message), { stack: outcome.fault.stack });
    } finally {
      done?.();
      if (isUsable) this.#keep(worker);
      else void worker.terminate();
    }
  }

  async #post(worker: Worker, task: Task, { what, signal, move = false }: Job): Promise<Outcome> {
    const { maxJobMs, maxHeapMiB } = this.#options;
    const tooMuch = (most: string) => limitExceeded(`${what} cannot be read: it takes more than ${most}`);
    const scope = callScope({ signal, timeoutMs: maxJobMs, late: () => tooMuch(`${maxJobMs / 1000} s`) });
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const end = (code: number) => reject(new Error(`a thread ended with code ${code}`));
    const fail = (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuch(`${maxHeapMiB} MiB of memory`) : error);
    worker.on('message', resolve).on('error', fail).on('exit', end);
    try {
      const transfers: ArrayBuffer[] = [];
      worker.postMessage({ ...task, args: pack(task.args, move, transfers) }, transfers);
      return await orAborted(promise, scope.signal);
    } finally {
      scope.end();
      worker.off('message', resolve).off('error', fail).off('exit', end);
    }
  }

  #takeThread(): Worker {
    const kept = this.#idle.pop();
    if (kept) {
      clearTimeout(kept.end);
      kept.worker.ref();
      return kept.worker;
    }
    const worker = startThread('./thread', import.meta.url, this.#options.maxHeapMiB);
    // one that fails without a job has nobody who waits for it
    worker.on('error', () => {});
    worker.on('exit', () => this.#forget(worker));
    return worker;
  }

  /** An idle thread keeps no process from ending. */
  #keep(worker: Worker): void {
    worker.unref();
    const end = setTimeout(() => {
      this.#forget(worker);
      void worker.terminate();
    }, idleMs).unref();
    this.#idle.push({ worker, end });
  }

  #forget(worker: Worker): void {
    const index = this.#idle.findIndex(kept => kept.worker === worker);
    if (index >= 0) clearTimeout(this.#idle.splice(index, 1)[0]?.end);
  }
}

/**
 * A thread that runs a module, with a bound on its heap.
 * @param path of the module without its ending: the sources run as .ts, the package as .js
 * @param base `import.meta.url` of the caller
 */
export function startThread(path: string, base: string, maxHeapMiB: number): Worker {
  const compiled = getCompileCacheDir();
  return new Worker(new URL(path + extname(base), base), {
    execArgv: [], // the process's own arguments may name files to load
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMiB },
    // a thread takes part in the process's cache of compiled code only where its environment says so
    env: compiled ? { ...process.env, NODE_COMPILE_CACHE: dirname(compiled) } : process.env,
  });
}

/** Bytes up to which a translation is done right where it is asked for: a few milliseconds of work. */
export const maxHereBytes = 256 * 1024;

/**
 * The threads for all that clients ask for. Two, so that a chart that takes seconds does not keep everybody's large
 * requests waiting; more would take the processors from the one thread that serves all others.
 */
export const sharedThreads = new ThreadPool({
  maxThreads: 2,
  maxWaiting: 512,
  maxHeapMiB: 256,
  maxJobMs: 30_000,
});

/** What is done in a thread when it is large; the first argument says how large. */
type WhereItFits<Args extends readonly unknown[], Result> = (
  job: Job,
  ...args: Args
) => Result | Promise<Result>;

/**
 * The one place that decides where a translation is done: here where what it reads is small, else in a thread.
 * @param module `import.meta.url` of the module that exports `work` under the function's own name
 * @param maxBytes what is done here, in bytes: another than the default only for work that was measured at its worst
 */
export function whereItFits<Args extends readonly unknown[], Result>(
  module: string,
  work: (...args: Args) => Result | Promise<Result>,
  maxBytes = maxHereBytes,
  pool = sharedThreads,
): WhereItFits<Args, Result> {
  const there = inThread(module, work, pool);
  return (job, ...args) => (job.bytes <= maxBytes ? work(...args) : there(job, ...args));
}

/** Does work in a thread, whatever its size. @param module as for `whereItFits` */
export function inThread<Args extends readonly unknown[], Result>(
  module: string,
  { name }: (...args: Args) => Result | Promise<Result>,
  pool = sharedThreads,
): (job: Job, ...args: Args) => Promise<Result> {
  return (job, ...args) => pool.run({ module, name, args }, job) as Promise<Result>;
}

/** Smaller buffers are cloned: each transfer has a cost of its own. */
const minTransferBytes = 64 * 1024;

/** How deep buffers are looked for: arguments, the fields of an object, their fields. */
const maxPackDepth = 4;

/**
 * A value that can be posted. A view would be cloned with the whole buffer behind it, so its bytes are copied; the copy is
 * transferred. @param move transfers what comes instead, where its buffer holds little more
 */
export function pack(value: unknown, move: boolean, transfers: ArrayBuffer[], depth = 0): unknown {
  if (value instanceof Uint8Array) {
    const isOwn = move && value.length > minTransferBytes && value.buffer.byteLength < 2 * value.length;
    const own = isOwn ? value : new Uint8Array(value);
    if (own.length > minTransferBytes) transfers.push(own.buffer as ArrayBuffer);
    return own;
  }
  if (depth >= maxPackDepth || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(item => pack(item, move, transfers, depth + 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).map(([name, item]) => [name, pack(item, move, transfers, depth + 1)]);
  return Object.fromEntries(entries);
}

/** Buffers arrive as what they are made of. */
export function asBuffer(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
