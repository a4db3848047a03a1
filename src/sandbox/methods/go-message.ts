import {
  acceptsWireType,
  type Field,
  limits,
  type MessageType,
  WireType,
  WireWriter,
} from '../../codec/index.ts';
import { Code, GatewayError } from '../../protocol/index.ts';

const endGroup = WireType.END_GROUP;

function malformed(what: string): GatewayError {
  return new GatewayError(Code.INTERNAL, `grpc: error unmarshalling request: ${what}`);
}

/** One field as it stands in the bytes. Its number may be too large for any field. */
interface Part {
  readonly number: bigint;
  readonly wireType: number;
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/** Reads fields as golang/protobuf 1.3 does: tags of 64 bits, groups, and no opinion on what a number means. */
class GoReader {
  readonly bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  *parts(): Generator<Part> {
    while (this.#at < this.#end) yield this.#part(0);
  }

  #part(depth: number): Part {
    const start = this.#at;
    const tag = this.#varint();
    const wireType = Number(tag & 7n);
    let valueStart = this.#at;
    switch (wireType) {
      case WireType.VARINT:
        this.#varint();
        break;
      case WireType.FIXED64:
        this.#skip(8);
        break;
      case WireType.BYTES: {
        const length = this.#varint();
        valueStart = this.#at;
        this.#skip(length > BigInt(this.#end) ? Number.POSITIVE_INFINITY : Number(length));
        break;
      }
      case WireType.START_GROUP:
        if (depth >= limits.maxDepth) throw malformed('groups are nested too deep');
        while (this.#part(depth + 1).wireType !== endGroup);
        break;
      case WireType.FIXED32:
        this.#skip(4);
        break;
      default:
        if (wireType !== endGroup || depth === 0) {
          throw malformed(`proto: can't skip unknown wire type ${wireType}`);
        }
    }
    return { number: tag >> 3n, wireType, start, valueStart, end: this.#at };
  }

  #skip(count: number): void {
    if (this.#at + count > this.#end) throw malformed('unexpected EOF');
    this.#at += count;
  }

  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.#at >= this.#end) throw malformed('unexpected EOF');
      const byte = this.bytes[this.#at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw malformed('proto: integer overflow');
  }
}

/** The field that a part is of; undefined for one that golang/protobuf skips: unknown, or of a wrong wire type. */
function fieldOf(type: MessageType, { number, wireType }: Part): Field | undefined {
  const field = number <= 0xffff_ffffn ? type.byNumber.get(Number(number)) : undefined;
  return field && acceptsWireType(field, wireType) ? field : undefined;
}

/**
 * A message without what a real Tiller would skip, so that any other reader understands of it what Tiller does.
 * @throws GatewayError INTERNAL with grpc-go's words for bytes that are no message
 */
export function asGoReads(type: MessageType, bytes: Uint8Array): Uint8Array {
  return rewrite(type, bytes, 0, bytes.length, 0) ?? bytes;
}

/** @returns undefined where nothing has to go */
function rewrite(
  type: MessageType,
  bytes: Uint8Array,
  start: number,
  end: number,
  depth: number,
): Uint8Array | undefined {
  if (depth > limits.maxDepth) throw malformed('messages are nested too deep');
  let writer: WireWriter | undefined;
  let keptFrom = start;
  for (const part of new GoReader(bytes, start, end).parts()) {
    const field = fieldOf(type, part);
    const inner =
      field !== undefined && typeof field.type === 'object' && field.type.kind === 'message' && !field.map
        ? rewrite(field.type, bytes, part.valueStart, part.end, depth + 1)
        : undefined;
    if (field !== undefined && inner === undefined) continue;
    writer ??= new WireWriter(Math.max(end - start, 16));
    writer.raw(bytes.subarray(keptFrom, part.start));
    if (field !== undefined && inner !== undefined) writer.bytesField(field.number, inner);
    keptFrom = part.end;
  }
  return writer?.raw(bytes.subarray(keptFrom, end)).finish();
}
