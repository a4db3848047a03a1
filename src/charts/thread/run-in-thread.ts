import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { GatewayError, invalidArgument } from '../../protocol/index.ts';
import { Limiter } from '../download/limiter.ts';

/** Work that would keep all other requests waiting; src/charts/worker.ts knows what each kind takes and gives. */
export interface Task {
  readonly kind: 'chart' | 'index';
  /** Cloned into the thread. */
  readonly input: object;
}

/** What a task gives, or the code and message of a GatewayError, which a thread cannot send as it is. */
export type Outcome =
  | { readonly result: unknown }
  | { readonly code: GatewayError['code']; readonly message: string };

/** An index in memory takes about twenty times its bytes; the largest allowed by default still fits. */
const maxHeapMiB = 1024;

/** A thread takes a processor and memory; others wait for their turn. */
const turns = new Limiter(2, 100);

/** To start a thread takes longer than most tasks, so one is kept for the next, but not for ever: it holds memory. */
const idleMs = 60_000;
const idle: { readonly worker: Worker; readonly end: NodeJS.Timeout }[] = [];

/**
 * Does a task in a thread of its own.
 * @throws GatewayError what the task throws; INVALID_ARGUMENT, beginning with `where`, when it does not fit into the
 * thread's memory; RESOURCE_EXHAUSTED when too many wait; the signal's reason when it is aborted
 */
export function runInThread<T>(task: Task, where: string, signal: AbortSignal): Promise<T> {
  return turns.run(() => run<T>(task, where, signal), signal);
}

async function run<T>(task: Task, where: string, signal: AbortSignal): Promise<T> {
  const worker = takeWorker();
  let isOver = false;
  try {
    worker.postMessage(task);
    const [outcome] = (await once(worker, 'message', { signal })) as [Outcome];
    isOver = true;
    if ('result' in outcome) return outcome.result as T;
    throw new GatewayError(outcome.code, outcome.message);
  } catch (error) {
    signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error;
    throw invalidArgument(`${where}: is too large to read`, { cause: error });
  } finally {
    if (isOver) keep(worker);
    else await worker.terminate();
  }
}

function takeWorker(): Worker {
  const kept = idle.pop();
  if (kept) {
    clearTimeout(kept.end);
    kept.worker.ref();
    return kept.worker;
  }
  // the sources run as .ts, the package as .js
  const file = new URL(`../worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(file, { resourceLimits: { maxOldGenerationSizeMb: maxHeapMiB } });
  // `once` hears of errors only until the caller goes away
  worker.on('error', () => {});
  worker.on('exit', () => forget(worker));
  return worker;
}

/** An idle thread keeps no process from ending. */
function keep(worker: Worker): void {
  worker.unref();
  const end = setTimeout(() => {
    forget(worker);
    void worker.terminate();
  }, idleMs).unref();
  idle.push({ worker, end });
}

function forget(worker: Worker): void {
  const index = idle.findIndex(kept => kept.worker === worker);
  if (index >= 0) idle.splice(index, 1);
}
