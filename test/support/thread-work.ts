/** Work for tests of threads: a thread loads this module and calls what it exports. */
import { getCompileCacheDir } from 'node:module';
import { invalidArgument } from '../../src/protocol/index.ts';

/** Says that it runs, by 1 in the first number, and waits until the second one is no longer 0. */
export function hold(state: Int32Array): string {
  Atomics.store(state, 0, 1);
  Atomics.notify(state, 0);
  Atomics.wait(state, 1, 0);
  return 'done';
}

/** The length of the bytes, and where in their buffer they begin. */
export function measure(bytes: Buffer): readonly number[] {
  return [bytes.length, bytes.byteOffset, Number(Buffer.isBuffer(bytes))];
}

/** Where this thread keeps compiled code. */
export function compiledFolder(): string | undefined {
  return getCompileCacheDir();
}

export function echo(bytes: Buffer): Buffer {
  return bytes;
}

export function refuse(): never {
  throw invalidArgument('values.raw: no');
}

export function fail(): never {
  throw new TypeError('a fault of the program');
}

export function leave(): never {
  process.exit(3);
}

/** Takes more memory than a thread may have. */
export function fill(): number {
  const kept: unknown[] = [];
  for (;;) kept.push(Array.from({ length: 1000 }, (_, index) => ({ index })));
}

/** Goes on for ever. */
export function spin(): never {
  for (;;);
}

/** A thread that is held, and how to let it go. */
export class Gate {
  readonly state = new Int32Array(new SharedArrayBuffer(8));

  /** Resolves once `hold` runs. */
  async held(): Promise<void> {
    await Atomics.waitAsync(this.state, 0, 0).value;
  }

  open(): void {
    Atomics.store(this.state, 1, 1);
    Atomics.notify(this.state, 1);
  }
}
