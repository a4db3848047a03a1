/** A thread for large tasks, one at a time: gets a `Task`, posts what came of it. */
import { parentPort } from 'node:worker_threads';
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

parentPort?.on('message', async (task: Task) => parentPort?.postMessage(await run(task)));
