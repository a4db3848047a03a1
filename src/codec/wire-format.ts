import { Code, GatewayError } from '../protocol/index.ts';

/** The wire types of protobuf. Source: https://protobuf.dev/programming-guides/encoding/ */
export const WireType = {
  VARINT: 0,
  FIXED64: 1,
  BYTES: 2,
  START_GROUP: 3,
  END_GROUP: 4,
  FIXED32: 5,
} as const;

/** Bounds on what is read, checked while it is read. */
export const limits = {
  /** How deep messages and JSON values may nest. A chart's dependencies nest as deep as its subcharts, rarely past 5. */
  maxDepth: 100,
  /** Values in one request: fields, entries of lists and maps, members of objects. Real charts have a few thousand. */
  maxNodes: 100_000,
  /** Bytes of nested messages that come in several parts, at all depths together: no encoder sends any. */
  maxJoinedBytes: 64 * 1024 * 1024,
} as const;

/** Bytes that are not a protobuf message. Where they come from a caller, whoever reads them says so instead. */
export class MalformedMessage extends GatewayError {
  constructor(what: string) {
    super(Code.INTERNAL, `malformed protobuf message: ${what}`);
  }
}

/** A place in a message's bytes, moving forward. Never reads past `end`. */
export class WireReader {
  readonly bytes: Uint8Array;
  position: number;
  end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  /**
   * A field's tag: its number and wire type in 32 bits. A longer one is refused, as is field number 0: readers of
   * protobuf disagree on what the rest of such bytes means.
   */
  tag(): number {
    const tag = this.#exact32('a tag');
    if (tag < 8) throw new MalformedMessage('field number 0');
    return tag;
  }

  /** An int32, uint32 or enum. Higher bits of a longer varint are dropped, as protobuf does. */
  uint32(): number {
    const { bytes, end } = this;
    let position = this.position;
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (position >= end) throw new MalformedMessage('a varint is cut off');
      const byte = bytes[position++]!;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.position = position;
        return value >>> 0;
      }
    }
    throw new MalformedMessage('a varint has more than 10 bytes');
  }

  uint64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.position >= this.end) throw new MalformedMessage('a varint is cut off');
      const byte = this.bytes[this.position++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new MalformedMessage('a varint has more than 10 bytes');
  }

  /** Reads a length and returns the end of the bytes that follow; the caller moves `position` there. */
  lengthEnd(): number {
    const length = this.#exact32('a length');
    const end = this.position + length;
    if (end > this.end) throw new MalformedMessage('a length reaches past the end');
    return end;
  }

  /** Takes `count` bytes and returns where they start. */
  take(count: number): number {
    const start = this.position;
    if (start + count > this.end) throw new MalformedMessage('a fixed value is cut off');
    this.position = start + count;
    return start;
  }

  /** Skips the value that follows a tag of that wire type. Groups, which proto3 does not have, are refused. */
  skip(wireType: number): void {
    switch (wireType) {
      case WireType.VARINT:
        this.uint32();
        return;
      case WireType.FIXED64:
        this.take(8);
        return;
      case WireType.BYTES:
        this.position = this.lengthEnd();
        return;
      case WireType.FIXED32:
        this.take(4);
        return;
      default:
        throw new MalformedMessage(`wire type ${wireType}`);
    }
  }

  /** An unsigned varint that has to fit 32 bits. */
  #exact32(what: string): number {
    const { bytes, end } = this;
    let position = this.position;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (position >= end) throw new MalformedMessage(`${what} is cut off`);
      const byte = bytes[position++]!;
      if (shift === 28 && byte > 0x0f) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.position = position;
        return value >>> 0;
      }
    }
    throw new MalformedMessage(`${what} does not fit 32 bits`);
  }
}

/** One field as it stands in a message's bytes. */
export interface WireField {
  readonly number: number;
  readonly wireType: number;
  /** Where the field's tag starts and its value ends: `bytes.subarray(start, end)` is the field, tag and all. */
  readonly start: number;
  readonly end: number;
  /** Where the value starts; for length-delimited fields the content, behind the length. */
  readonly valueStart: number;
}

/**
 * The fields on the top level of a message, in order, nothing below them read: what is not wanted costs only its tag.
 * @throws MalformedMessage
 */
export function* wireFields(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): Generator<WireField, void, undefined> {
  const reader = new WireReader(bytes, start, end);
  while (!reader.done) {
    const fieldStart = reader.position;
    const tag = reader.tag();
    const wireType = tag & 7;
    const number = tag >>> 3;
    let valueStart = reader.position;
    if (wireType === WireType.BYTES) {
      const valueEnd = reader.lengthEnd();
      valueStart = reader.position;
      reader.position = valueEnd;
    } else {
      reader.skip(wireType);
    }
    yield { number, wireType, start: fieldStart, end: reader.position, valueStart };
  }
}

/** The content of the last field of a number, which is the one that counts; undefined where there is none. */
export function lastField(message: Uint8Array, number: number | undefined): Uint8Array | undefined {
  let last: WireField | undefined;
  for (const field of wireFields(message)) if (field.number === number) last = field;
  return last && message.subarray(last.valueStart, last.end);
}
