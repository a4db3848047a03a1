import type { Worker } from 'node:worker_threads';
import { HelmRenderError } from '@tiller-gateway/helm-render/yaml';
import { type Code, GatewayError, limitExceeded, startThread } from '../../protocol/index.ts';
import type { ready, TaskError, TaskReply, TaskRequest } from './task-worker.ts';
import type { TaskName, Work } from './tasks.ts';

export interface WorkerPoolOptions {
  /** A task that takes longer is ended together with its worker. */
  readonly maxTaskMs: number;
  readonly maxWorkers: number;
  /** Tasks that wait; one more is refused. */
  readonly maxQueued: number;
  /** What a worker may take of the heap before it is ended. */
  readonly maxHeapMiB: number;
}

export const defaultPoolOptions: WorkerPoolOptions = {
  // the renderer's own bound is 10 s: this is for what does not look at the clock, such as making a key
  maxTaskMs: 10_500,
  maxWorkers: 3,
  maxQueued: 256,
  maxHeapMiB: 768,
};

/** A worker busy for this long has another one started beside it, so that a short task does not wait for a long one. */
const busyMs = 50;

/** Workers beyond the first end after this. */
const idleMs = 10_000;

interface Task extends TaskRequest {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A thread with at most one task. */
interface Member {
  readonly worker: Worker;
  /** Whether it has loaded what it needs: that takes a while, which is no task's time. */
  isReady: boolean;
  task: Task | undefined;
  timers: NodeJS.Timeout[];
}

/**
 * Does tasks in worker threads: one that stays warm, and a few more while that one is busy. Workers without a task do not
 * keep the process alive.
 */
export class WorkerPool {
  readonly work: Work;
  readonly #options: WorkerPoolOptions;
  readonly #members = new Set<Member>();
  readonly #queue: Task[] = [];

  constructor(options: WorkerPoolOptions = defaultPoolOptions) {
    this.#options = options;
    // one by one: only the workers load what does the tasks
    this.work = {
      render: this.#task('render'),
      mergeValues: this.#task('mergeValues'),
      readObjects: this.#task('readObjects'),
      readDocuments: this.#task('readDocuments'),
      resourceTable: this.#task('resourceTable'),
    };
  }

  /** Ends all workers; what they were at fails. */
  async close(): Promise<void> {
    const members = [...this.#members];
    for (const task of this.#queue.splice(0)) task.reject(this.#failure('the sandbox is stopping'));
    for (const member of members) this.#remove(member, 'the sandbox is stopping');
    await Promise.all(members.map(({ worker }) => worker.terminate()));
  }

  #task<Name extends TaskName>(name: Name): Work[Name] {
    const run = (...args: readonly unknown[]) => {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      this.#add({ name, args, resolve, reject });
      return promise;
    };
    return run as Work[Name];
  }

  #add(task: Task): void {
    if (this.#queue.length >= this.#options.maxQueued) {
      const text = `the sandbox works on charts of ${this.#queue.length + this.#members.size} requests already`;
      task.reject(limitExceeded(text));
      return;
    }
    this.#queue.push(task);
    if (this.#members.size === 0) this.#start();
    this.#next();
  }

  #start(): void {
    if (this.#members.size >= this.#options.maxWorkers) return;
    const worker = startThread('./task-worker', import.meta.url, this.#options.maxHeapMiB);
    const member: Member = { worker, isReady: false, task: undefined, timers: [] };
    this.#members.add(member);
    worker.on('message', (message: TaskReply | typeof ready) => {
      if (message !== 'ready') this.#finish(member, message);
      else this.#welcome(member);
    });
    worker.on('error', error => this.#remove(member, workerFault(error)));
    worker.on('exit', () => this.#remove(member, 'its thread ended'));
    if (this.#members.size > 1) worker.unref(); // after the listeners, which would undo it
  }

  #welcome(member: Member): void {
    member.isReady = true;
    member.worker.unref();
    this.#next();
    this.#retireLater(member);
  }

  /** Gives the tasks that wait to members without one. */
  #next(): void {
    for (const member of this.#members) {
      if (!member.isReady || member.task !== undefined) continue;
      const task = this.#queue.shift();
      if (task === undefined) break;
      this.#assign(member, task);
    }
  }

  #assign(member: Member, task: Task): void {
    const { maxTaskMs } = this.#options;
    this.#clear(member);
    member.task = task;
    member.worker.ref();
    const end = () => this.#end(member, `it took more than ${maxTaskMs / 1000} s`);
    member.timers = [setTimeout(() => this.#start(), busyMs), setTimeout(end, maxTaskMs)];
    try {
      member.worker.postMessage({ name: task.name, args: task.args } satisfies TaskRequest);
    } catch (error) {
      this.#finish(member, { error: { from: 'bug', message: String(error) } });
    }
  }

  #finish(member: Member, reply: TaskReply): void {
    const { task } = member;
    this.#clear(member);
    member.task = undefined;
    member.worker.unref();
    if (reply.error === undefined) task?.resolve(reply.value);
    else task?.reject(toError(reply.error));
    this.#next();
    this.#retireLater(member);
  }

  #retireLater(member: Member): void {
    if (member.task !== undefined || this.#members.size === 1) return;
    member.timers = [setTimeout(() => this.#end(member, 'it was idle'), idleMs).unref()];
  }

  #end(member: Member, fault: string): void {
    this.#remove(member, fault);
    void member.worker.terminate();
  }

  #remove(member: Member, fault: string): void {
    if (!this.#members.delete(member)) return;
    this.#clear(member);
    member.task?.reject(this.#failure(fault));
    member.task = undefined;
    if (!member.isReady) for (const task of this.#queue.splice(0)) task.reject(this.#failure(fault));
    if (this.#queue.length > 0 && this.#members.size === 0) this.#start();
    this.#next();
  }

  #clear(member: Member): void {
    for (const timer of member.timers) clearTimeout(timer);
    member.timers = [];
  }

  #failure(fault: string): HelmRenderError {
    return new HelmRenderError(`rendering template failed: ${fault}, so the sandbox ended it`);
  }
}

function workerFault(error: Error): string {
  const isMemory = (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
  return isMemory ? 'it took too much memory' : `its thread failed (${error.name})`;
}

function toError({ from, code, message, stack }: TaskError): Error {
  if (from === 'renderer') return new HelmRenderError(message);
  if (from === 'tiller') return new GatewayError(code as Code, message);
  return new Error('the sandbox failed at a chart', { cause: Object.assign(new Error(message), { stack }) });
}
