/** The thread that reads one large index: gets `{ data, where }` as worker data, posts what came of it, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { GatewayError } from '../../protocol/index.ts';
import { parseRepositoryIndex, type RepositoryIndex } from './repository-index.ts';

export interface IndexTask {
  readonly data: Uint8Array;
  readonly where: string;
}

/** The index, or the code and message of a GatewayError, which a thread cannot send as it is. */
export type IndexResult =
  | { readonly index: RepositoryIndex }
  | { readonly code: GatewayError['code']; readonly message: string };

function read({ data, where }: IndexTask): IndexResult {
  try {
    return { index: parseRepositoryIndex(data, where) };
  } catch (error) {
    const { code, message } = GatewayError.from(error);
    return { code, message };
  }
}

parentPort?.postMessage(read(workerData as IndexTask));
