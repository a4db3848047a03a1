import { WireType } from './wire-format.ts';

/** Copying fewer bytes one by one is faster than by a call. */
const shortBytes = 32;

/**
 * Writes a message forward into one growing buffer. The length of a nested message is known only when it is written, so
 * all of them are put in at the end, in one pass: moving the content at each would cost its size times its depth.
 */
export class WireWriter {
  #buffer: Buffer;
  #position = 0;
  /** Where nested messages begin, without the lengths before them, in order. */
  readonly #openedAt: number[] = [];
  /** The length of each; until it is closed, what `#added` was when it was opened. */
  readonly #lengths: number[] = [];
  /** What the lengths of closed messages take. */
  #added = 0;

  constructor(capacity = 256) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  /** The bytes written so far; the writer must not be used afterwards. */
  finish(): Buffer {
    const written = this.#buffer.subarray(0, this.#position);
    if (this.#openedAt.length === 0) return written;
    const whole = new WireWriter(written.length + this.#added);
    let from = 0;
    for (let index = 0; index < this.#openedAt.length; index++) {
      const at = this.#openedAt[index]!;
      whole.raw(written, from, at).uint32(this.#lengths[index]!);
      from = at;
    }
    return whole.raw(written, from).finish();
  }

  tag(number: number, wireType: number): this {
    return this.uint32(((number << 3) | wireType) >>> 0);
  }

  uint32(value: number): this {
    this.#reserve(5);
    let rest = value;
    while (rest > 0x7f) {
      this.#buffer[this.#position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#position++] = rest;
    return this;
  }

  /** A signed or unsigned 64-bit integer as a varint of its two's complement. */
  int64(value: bigint): this {
    this.#reserve(10);
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.#buffer[this.#position++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#position++] = Number(rest);
    return this;
  }

  double(value: number): this {
    this.#reserve(8);
    this.#position = this.#buffer.writeDoubleLE(value, this.#position);
    return this;
  }

  /** A length-delimited value: its length, then the bytes. */
  bytes(value: Uint8Array, start = 0, end = value.length): this {
    return this.uint32(end - start).raw(value, start, end);
  }

  string(value: string): this {
    const length = Buffer.byteLength(value);
    this.uint32(length).#reserve(length);
    this.#position += this.#buffer.write(value, this.#position, length, 'utf8');
    return this;
  }

  /** Bytes that are wire format already. */
  raw(value: Uint8Array, start = 0, end = value.length): this {
    this.#reserve(end - start);
    if (end - start < shortBytes) {
      for (let from = start; from < end; from++) this.#buffer[this.#position++] = value[from]!;
    } else {
      this.#buffer.set(value.subarray(start, end), this.#position);
      this.#position += end - start;
    }
    return this;
  }

  /** A field with a string; nothing when it is empty, as proto3 leaves defaults out. */
  stringField(number: number, value: string): this {
    return value === '' ? this : this.tag(number, WireType.BYTES).string(value);
  }

  /** A field with bytes or a whole message in wire format. */
  bytesField(number: number, value: Uint8Array): this {
    return this.tag(number, WireType.BYTES).bytes(value);
  }

  /** A field with an integer; nothing when it is 0. */
  intField(number: number, value: number | bigint): this {
    return BigInt(value) === 0n ? this : this.tag(number, WireType.VARINT).int64(BigInt(value));
  }

  /** Starts a nested message; pass what it returns to `close`. */
  open(): number {
    this.#lengths.push(this.#added);
    return this.#openedAt.push(this.#position) - 1;
  }

  close(opened: number): this {
    const addedWithin = this.#added - this.#lengths[opened]!;
    const length = this.#position - this.#openedAt[opened]! + addedWithin;
    this.#lengths[opened] = length;
    this.#added += lengthBytes(length);
    return this;
  }

  #reserve(count: number): void {
    const needed = this.#position + count;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#position));
    this.#buffer = grown;
  }
}

/** How many bytes a length takes as a varint. */
function lengthBytes(length: number): number {
  return length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x200000 ? 3 : length < 0x10000000 ? 4 : 5;
}
