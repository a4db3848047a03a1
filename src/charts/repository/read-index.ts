import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { GatewayError, invalidArgument } from '../../protocol/index.ts';
import type { IndexResult, IndexTask } from './index-worker.ts';
import { parseRepositoryIndex, type RepositoryIndex } from './repository-index.ts';

/** Below this a thread takes longer to start than the index to read. */
const minThreadBytes = 256 * 1024;

/** An index in memory takes about twenty times its bytes; the largest allowed by default still fits. */
const maxHeapMiB = 1024;

/**
 * Reads an index; a large one in a thread of its own, since ten megabytes take a second in which nothing else would be answered.
 * @throws GatewayError as parseRepositoryIndex; INVALID_ARGUMENT when it does not fit into the thread's memory; the signal's reason
 * when it is aborted
 */
export async function readIndex(
  data: Uint8Array,
  where: string,
  signal: AbortSignal,
): Promise<RepositoryIndex> {
  if (data.length < minThreadBytes) return parseRepositoryIndex(data, where);
  const task: IndexTask = { data, where };
  // the sources run as .ts, the package as .js
  const file = new URL(`./index-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(file, {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMiB },
  });
  // `once` hears of errors only until the caller goes away
  worker.on('error', () => {});
  try {
    const [result] = (await once(worker, 'message', { signal })) as [IndexResult];
    if ('index' in result) return result.index;
    throw new GatewayError(result.code, result.message);
  } catch (error) {
    signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error;
    throw invalidArgument(`${where}: is too large to read`, { cause: error });
  } finally {
    await worker.terminate();
  }
}
