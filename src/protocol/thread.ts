/** A thread of `thread-pool.ts`: gets one `Task` after the other and posts what came of it. */
import { parentPort } from 'node:worker_threads';
import { GatewayError } from './gateway-error.ts';
import { asBuffer, type Outcome, pack, type Task } from './thread-pool.ts';

type Work = (...args: readonly unknown[]) => unknown;

async function run({ module, name, args }: Task): Promise<Outcome> {
  try {
    const exports = (await import(module)) as Readonly<Record<string, Work | undefined>>;
    const work = exports[name];
    if (!work) throw new Error(`${module} does not export ${name}`);
    return { result: await work(...args.map(asBuffer)) };
  } catch (error) {
    if (error instanceof GatewayError) {
      const { code, message, reason, step } = error;
      return { error: { code, message, reason, step } };
    }
    const { message, stack } = error as Error;
    return { fault: { message, stack } };
  }
}

parentPort?.on('message', async (task: Task) => {
  const transfers: ArrayBuffer[] = [];
  // what a task gives is nobody's any more
  const outcome = pack(await run(task), true, transfers);
  parentPort?.postMessage(outcome, transfers);
});
