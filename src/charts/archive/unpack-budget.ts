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
