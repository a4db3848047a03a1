import { promisify } from 'node:util';
import { gunzip as gunzipCallback } from 'node:zlib';
import { invalidArgument } from '../../protocol/index.ts';

export interface UnpackLimits {
  readonly maxUnpackedBytes: number;
  readonly maxEntries: number;
}

/** YAML of one chart and the charts in it: far above real ones, but read in a second or two, in which nothing else happens. */
const maxYamlBytes = 8 * 1024 * 1024;

/** How much a chart may still unpack, shared by the archives nested in it. */
export class UnpackBudget {
  #bytes: number;
  #entries: number;
  #yamlBytes = maxYamlBytes;
  readonly #limits: UnpackLimits;

  constructor(limits: UnpackLimits) {
    this.#limits = limits;
    this.#bytes = limits.maxUnpackedBytes;
    this.#entries = limits.maxEntries;
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
    if (this.#entries < 0) throw invalidArgument(`the chart has more than ${this.#limits.maxEntries} files`);
  }

  takeYaml(count: number): void {
    this.#yamlBytes -= count;
    if (this.#yamlBytes < 0) throw invalidArgument(`the chart has more than ${maxYamlBytes} bytes of YAML`);
  }

  tooLarge(): Error {
    return invalidArgument(`the chart is larger than ${this.#limits.maxUnpackedBytes} bytes when unpacked`);
  }
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
