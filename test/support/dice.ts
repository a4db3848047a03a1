/** Reproducible randomness for fuzzing: one seed gives one run, a million draws cost milliseconds. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 to 2^32 - 1. Source: mulberry32, https://github.com/bryc/code/blob/master/jshash/PRNGs.md */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** 0 to `n` - 1. */
  below(n: number): number {
    return this.next() % n;
  }

  /** True in one of `n` cases. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) bytes[i] = this.next();
    return bytes;
  }

  /** A copy with some bytes replaced, and at times a part doubled, left out, or cut off. */
  mutate(bytes: Buffer): Buffer {
    if (bytes.length === 0) return bytes;
    let mutant = Buffer.from(bytes);
    for (let n = this.below(4); n > 0; n--) mutant[this.below(mutant.length)] = this.next();
    const at = this.below(mutant.length);
    const end = Math.min(mutant.length, at + this.below(64));
    const how = this.below(4);
    if (how === 0) mutant = Buffer.concat([mutant.subarray(0, end), mutant.subarray(at)]);
    else if (how === 1) mutant = Buffer.concat([mutant.subarray(0, at), mutant.subarray(end)]);
    return this.oneIn(4) ? mutant.subarray(0, 1 + this.below(mutant.length)) : mutant;
  }
}
