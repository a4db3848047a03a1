import { promisify } from 'node:util';
import { gunzip as gunzipCallback } from 'node:zlib';
import { inThread, invalidArgument, type Job, Limiter, unavailable } from '../../protocol/index.ts';
import type { ChartOptions } from '../chart/chart-options.ts';
import { mayExpand } from '../chart/chart-yaml.ts';

/** Bounds on an archive, those in it included. */
export type ArchiveLimits = Pick<ChartOptions, 'maxUnpackedBytes' | 'maxEntries' | 'maxNestedArchives'>;

/** The bounds alone, for a thread: options hold functions as well, which cannot be cloned. */
export function archiveLimits(limits: ArchiveLimits): ArchiveLimits {
  const { maxUnpackedBytes, maxEntries, maxNestedArchives } = limits;
  return { maxUnpackedBytes, maxEntries, maxNestedArchives };
}

/** YAML of one chart and the charts in it: far above real ones. */
const maxYamlBytes = 8 * 1024 * 1024;

/** What is unpacked and read without a thread of its own takes less than a tenth of a second. */
const here = { bytes: 8 * 1024 * 1024, entries: 1_000, yamlBytes: 128 * 1024 };

/** The chart is too large to be read where other requests wait. */
class NeedsThread extends Error {}

/** How much a chart may still unpack, shared by the archives nested in it. */
export class UnpackBudget {
  #bytes: number;
  #entries: number;
  #yamlBytes: number;
  readonly #limits: ArchiveLimits;
  readonly #isHere: boolean;

  /** @param isHere whether to throw NeedsThread at what would keep other requests waiting */
  constructor(limits: ArchiveLimits, isHere = false) {
    this.#limits = limits;
    this.#isHere = isHere;
    this.#bytes = isHere ? Math.min(limits.maxUnpackedBytes, here.bytes) : limits.maxUnpackedBytes;
    this.#entries = isHere ? Math.min(limits.maxEntries, here.entries) : limits.maxEntries;
    this.#yamlBytes = isHere ? here.yamlBytes : maxYamlBytes;
  }

  get remainingBytes(): number {
    return this.#bytes;
  }

  takeBytes(count: number): void {
    this.#bytes -= count;
    if (this.#bytes < 0) throw this.tooLarge();
  }

  takeEntry(): void {
    this.#entries -= 1;
    if (this.#entries < 0) throw this.#exceeded(`the chart has more than ${this.#limits.maxEntries} files`);
  }

  takeYaml(data: Uint8Array): void {
    this.#yamlBytes -= data.length;
    if (this.#yamlBytes < 0) throw this.#exceeded(`the chart has more than ${maxYamlBytes} bytes of YAML`);
    if (this.#isHere && mayExpand(data)) throw new NeedsThread();
  }

  tooLarge(): Error {
    return this.#exceeded(`the chart is larger than ${this.#limits.maxUnpackedBytes} bytes when unpacked`);
  }

  #exceeded(message: string): Error {
    return this.#isHere ? new NeedsThread() : invalidArgument(message);
  }
}

/** Who waits for work: its signal, and what counts what a thread holds. */
export type Caller = Pick<Job, 'signal' | 'hold'>;

/** zlib unpacks as many at a time; more would hold memory in which nothing is done. */
const maxHere = 4;
const maxWaiting = 512;
const turns = new Limiter(maxHere, maxWaiting, () =>
  unavailable('too many charts are being read: try again later', { reason: 'OVERLOADED' }),
);

/**
 * Work on a chart that is done here while the chart proves small, else in a thread.
 * @param module `import.meta.url` of the module that exports `work`
 * @returns does the work; `isSmall` says whether to try it here
 */
export function hereOrInThread<Task extends { readonly limits: ArchiveLimits }, Result>(
  module: string,
  work: (task: Task, budget?: UnpackBudget) => Promise<Result>,
): (job: Job, task: Task, isSmall: boolean) => Promise<Result> {
  const there = inThread(module, work);
  return async (job, task, isSmall) => {
    try {
      if (isSmall) return await turns.run(() => work(task, new UnpackBudget(task.limits, true)), job.signal);
    } catch (error) {
      if (!(error instanceof NeedsThread)) throw error;
    }
    return there(job, { ...task, limits: archiveLimits(task.limits) });
  };
}

const gunzipAsync = promisify(gunzipCallback);

/** zlib unpacks a chunk at a time, with a round trip to its thread for each: text packs to about a quarter. */
const minChunkBytes = 16 * 1024;
const maxChunkBytes = 1024 * 1024;

/**
 * Unpacks a gzip file, outside the event loop's thread, within the budget.
 * @throws GatewayError INVALID_ARGUMENT when it is no gzip file, is damaged, or is larger than the budget
 */
export async function gunzip(packed: Uint8Array, budget: UnpackBudget): Promise<Buffer> {
  // deflate, the only method there is
  if (packed.length < 3 || packed[0] !== 0x1f || packed[1] !== 0x8b || packed[2] !== 0x08) {
    throw invalidArgument('does not appear to be a gzipped archive');
  }
  if (budget.remainingBytes <= 0) throw budget.tooLarge();
  try {
    const chunkSize = Math.min(Math.max(packed.length * 4, minChunkBytes), maxChunkBytes);
    const unpacked = await gunzipAsync(packed, { chunkSize, maxOutputLength: budget.remainingBytes });
    budget.takeBytes(unpacked.length);
    return unpacked;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw budget.tooLarge();
    if (code?.startsWith('Z_')) {
      throw invalidArgument(`the gzip archive is damaged (${(cause as Error).message})`, { cause });
    }
    throw cause;
  }
}
