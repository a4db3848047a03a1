import { invalidArgument, limitExceeded } from '../protocol/index.ts';
import { acceptsWireType, type Field, type MessageType } from './schema.ts';
import { limits, MalformedMessage, WireReader, WireType } from './wire-format.ts';
import { WireWriter } from './wire-writer.ts';

/*
 * A message written anew from what was understood of it. Two readers of protobuf may take the same bytes for different
 * messages (tags above 32 bits, fields of a wrong wire type, fields that come twice, varints with bits to spare). What
 * leaves here has one meaning: known fields only, by ascending number, each with its own wire type, what may come once
 * at most once, every number in its shortest form.
 */

/**
 * The message as it was understood, in wire format.
 * @throws GatewayError INVALID_ARGUMENT for bytes that are no such message, with the field that has a wrong wire type;
 * RESOURCE_EXHAUSTED for more values than `limits.maxNodes`
 */
export function rewriteMessage(type: MessageType, wire: Uint8Array): Buffer {
  try {
    return new Rewriter(wire, true).rewrite(type);
  } catch (cause) {
    throw cause instanceof MalformedMessage ? invalidArgument(cause.message, { cause }) : cause;
  }
}

/**
 * The same message with its fields by ascending number; unknown fields and those of a wrong wire type are dropped.
 * @throws MalformedMessage
 */
export function orderFields(type: MessageType, wire: Uint8Array): Buffer {
  return new Rewriter(wire, false).rewrite(type);
}

class Rewriter {
  #reader: WireReader;
  readonly #out: WireWriter;
  readonly #strict: boolean;
  /** The fields of the message that is being written, behind those of the messages around it: the tag of each. */
  readonly #tags: number[] = [];
  /** Where the value of each stands, right behind its tag. */
  readonly #positions: number[] = [];
  /** How many of both are in use: an array that shrank would be allocated anew. */
  #top = 0;
  #nodes = 0;
  #joinedBytes = 0;

  /** @param strict refuses known fields of a wrong wire type; otherwise they are dropped, as every reader of protobuf does */
  constructor(wire: Uint8Array, strict: boolean) {
    this.#reader = new WireReader(wire);
    this.#out = new WireWriter(wire.length + 16);
    this.#strict = strict;
  }

  rewrite(type: MessageType): Buffer {
    this.#message(type, this.#reader.end, 0);
    return this.#out.finish();
  }

  /** Writes the fields of the message that ends at `end`. */
  #message(type: MessageType, end: number, depth: number): void {
    if (depth > limits.maxDepth)
      throw new MalformedMessage(`${type.name} nests deeper than ${limits.maxDepth}`);
    const reader = this.#reader;
    const outerEnd = reader.end;
    reader.end = end;
    const first = this.#top;
    this.#findFields(type);
    const top = this.#top;
    for (let index = first, next = index + 1; index < top; index = next++) {
      const number = this.#tags[index]! >>> 3;
      const field = type.byNumber.get(number)!;
      // of a field that may come once the last value counts; messages merge
      const once = !field.repeated && !field.map;
      while (once && next < top && this.#tags[next]! >>> 3 === number) next++;
      if (next - index > 1 && isMessage(field)) {
        this.#merged(field, this.#positions.slice(index, next), depth);
      } else {
        reader.position = this.#positions[next - 1]!;
        this.#field(type, field, this.#tags[next - 1]!, depth);
      }
    }
    this.#top = first;
    reader.position = end;
    reader.end = outerEnd;
  }

  /**
   * Puts the known fields of a message on top, by ascending number. Its tags are counted and their wire types checked
   * before anything is done, nothing below them is looked at.
   */
  #findFields({ name, byNumber }: MessageType): void {
    const reader = this.#reader;
    const first = this.#top;
    let last = 0;
    let inOrder = true;
    while (!reader.done) {
      this.#count();
      const tag = reader.tag();
      const field = byNumber.get(tag >>> 3);
      if (field && acceptsWireType(field, tag & 7)) {
        inOrder &&= last <= field.number;
        last = field.number;
        this.#tags[this.#top] = tag;
        this.#positions[this.#top++] = reader.position;
      } else if (field && this.#strict)
        throw new MalformedMessage(`${name}.${field.name} has a wrong wire type`);
      reader.skip(tag & 7);
    }
    if (inOrder) return;
    const tags = this.#tags.slice(first, this.#top);
    const positions = this.#positions.slice(first, this.#top);
    const order = [...tags.keys()].sort((one, other) => (tags[one]! >>> 3) - (tags[other]! >>> 3));
    for (const [index, from] of order.entries()) {
      this.#tags[first + index] = tags[from]!;
      this.#positions[first + index] = positions[from]!;
    }
  }

  #count(): void {
    if (++this.#nodes > limits.maxNodes)
      throw limitExceeded(`the message has more than ${limits.maxNodes} values`);
  }

  #field(type: MessageType, field: Field, tag: number, depth: number): void {
    const reader = this.#reader;
    this.#out.tag(field.number, tag & 7);
    if ((tag & 7) === field.wireType) {
      if (field.map) this.#nested(mapEntry(type, field), depth);
      else if (isMessage(field)) this.#nested(field.type, depth);
      else this.#scalar(field);
      return;
    }
    // Packed: many values in one length-delimited one.
    const outerEnd = reader.end;
    reader.end = reader.lengthEnd();
    const opened = this.#out.open();
    while (!reader.done) {
      this.#count();
      this.#scalar(field);
    }
    this.#out.close(opened);
    reader.end = outerEnd;
  }

  #nested(type: MessageType, depth: number): void {
    const end = this.#reader.lengthEnd();
    const opened = this.#out.open();
    this.#message(type, end, depth + 1);
    this.#out.close(opened);
  }

  #scalar({ type, wireType }: Field): void {
    const reader = this.#reader;
    const out = this.#out;
    if (wireType === WireType.BYTES) {
      const end = reader.lengthEnd();
      out.bytes(reader.bytes, reader.position, end);
      reader.position = end;
    } else if (wireType !== WireType.VARINT) {
      const length = wireType === WireType.FIXED64 ? 8 : 4;
      const start = reader.take(length);
      out.raw(reader.bytes, start, start + length);
    } else if (type === 'bool') {
      out.uint32(reader.uint64() === 0n ? 0 : 1);
    } else if (type === 'uint32' || type === 'sint32') {
      out.uint32(reader.uint32());
    } else if (type === 'int32' || typeof type === 'object') {
      const value = reader.uint32() | 0;
      if (value >= 0) out.uint32(value);
      else out.int64(BigInt(value));
    } else {
      out.int64(reader.uint64());
    }
  }

  /** Messages of a field that may come once merge, which is what joining their bytes means. */
  #merged(field: MessageField, positions: readonly number[], depth: number): void {
    const reader = this.#reader;
    const parts = positions.map(position => {
      reader.position = position;
      const end = reader.lengthEnd();
      return reader.bytes.subarray(reader.position, end);
    });
    for (const { length } of parts) this.#joinedBytes += length;
    if (this.#joinedBytes > limits.maxJoinedBytes)
      throw limitExceeded('the message has too many messages in parts');
    const joined = Buffer.concat(parts);
    const opened = this.#out.tag(field.number, WireType.BYTES).open();
    this.#reader = new WireReader(joined);
    this.#message(field.type, joined.length, depth + 1);
    this.#reader = reader;
    this.#out.close(opened);
  }
}

type MessageField = Field & { readonly type: MessageType };

function isMessage(field: Field): field is MessageField {
  return typeof field.type === 'object' && field.type.kind === 'message';
}

const mapEntries = new Map<Field, MessageType>();

/** A map is a repeated message {1: key, 2: value}. */
function mapEntry({ name }: MessageType, map: Field): MessageType {
  const known = mapEntries.get(map);
  if (known) return known;
  if (map.type !== 'string' && map.type !== 'bytes' && !isMessage(map))
    throw new Error(`${name}.${map.name}: no map of this contract has such values`);
  const one = { ...map, wireType: WireType.BYTES, repeated: false, map: false };
  const key: Field = { ...one, number: 1, name: 'key', type: 'string' };
  const fields = [key, { ...one, number: 2, name: 'value' }];
  const byNumber = new Map(fields.map(field => [field.number, field]));
  const entry = {
    kind: 'message',
    name: `${name}.${map.name}`,
    fields,
    byNumber,
    byName: new Map(),
    comment: '',
  } as const;
  mapEntries.set(map, entry);
  return entry;
}
