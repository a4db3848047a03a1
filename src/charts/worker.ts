/** The thread of one large task: gets a `Task` as worker data, posts what came of it, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { GatewayError } from '../protocol/index.ts';
import { buildChart } from './build-chart.ts';
import { parseRepositoryIndex } from './repository/repository-index.ts';
import type { Outcome, Task } from './thread/run-in-thread.ts';

const tasks: Readonly<Record<Task['kind'], (input: never) => unknown>> = {
  chart: buildChart,
  index: ({ data, where }: { data: Uint8Array; where: string }) => parseRepositoryIndex(data, where),
};

async function run({ kind, input }: Task): Promise<Outcome> {
  try {
    return { result: await tasks[kind](input as never) };
  } catch (error) {
    const { code, message } = GatewayError.from(error);
    return { code, message };
  }
}

parentPort?.postMessage(await run(workerData as Task));
