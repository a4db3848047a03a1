/** The worker thread of `worker-pool.ts`: does one task after another and posts what came of it. */
import { parentPort } from 'node:worker_threads';
import { HelmRenderError } from '@tiller-gateway/helm-render/yaml';
import { GatewayError } from '../../protocol/index.ts';
import { runTask, type TaskName } from './tasks.ts';

export interface TaskRequest {
  readonly name: TaskName;
  readonly args: readonly unknown[];
}

/** The first message: the thread has loaded what it needs. */
export const ready = 'ready';

/** What came of a task. An error keeps what its receiver tells errors apart by: whose it is, and its code. */
export type TaskReply =
  | { readonly value: unknown; readonly error?: undefined }
  | { readonly error: TaskError };

export interface TaskError {
  readonly from: 'renderer' | 'tiller' | 'bug';
  readonly code?: number;
  readonly message: string;
  /** Of a bug, for the log. */
  readonly stack?: string | undefined;
}

function toReply({ name, args }: TaskRequest): TaskReply {
  try {
    return { value: runTask(name, args) };
  } catch (error) {
    if (error instanceof HelmRenderError) return { error: { from: 'renderer', message: error.message } };
    if (error instanceof GatewayError) {
      return { error: { from: 'tiller', code: error.code, message: error.message } };
    }
    const { message, stack } = error as Error;
    return { error: { from: 'bug', message, stack } };
  }
}

parentPort?.postMessage(ready);
parentPort?.on('message', (request: TaskRequest) => parentPort?.postMessage(toReply(request)));
