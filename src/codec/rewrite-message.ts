import { Code, GatewayError, invalidArgument } from '../protocol/index.ts';
import { acceptsWireType, type Field, type MessageType } from './schema.ts';
import { limits, MalformedMessage, WireReader, WireType } from './wire-format.ts';
import { WireWriter } from './wire-writer.ts';

/*
 * A message written anew from what was understood of it. Two readers of protobuf may take the same bytes for different
 * messages (tags above 32 bits, fields of a wrong wire type, fields that come twice, varints with bits to spare). What
 * leaves here has one meaning: known fields only, by ascending number, each with its own wire type, what may come once
 * at most once, every number in its shortest form.
 */

interface State {
  reader: WireReader;
  readonly out: WireWriter;
  /** Refuses known fields of a wrong wire type; otherwise they are dropped, as every reader of protobuf does. */
  readonly strict: boolean;
  nodes: number;
  joinedBytes: number;
}

/** Writes the fields of the message that ends at `end`. */
type RewriteFields = (state: State, end: number, depth: number) => void;

/** Writes one value; its tag is read and written already. */
type RewriteValue = (state: State, depth: number) => void;

interface FieldRewriter {
  readonly field: Field;
  readonly once: boolean;
  /** For messages that may come once: several of them merge. */
  readonly content: RewriteFields | undefined;
  readonly value: RewriteValue;
}

/** Where a field stands. */
interface Place {
  readonly known: FieldRewriter;
  readonly tag: number;
  /** Of the value, right behind the tag. */
  readonly position: number;
}

const compiled = new Map<MessageType, RewriteFields>();

/**
 * The message as it was understood, in wire format.
 * @throws GatewayError INVALID_ARGUMENT for bytes that are no such message, with the field that has a wrong wire type;
 * RESOURCE_EXHAUSTED for more values than `limits.maxNodes`
 */
export function rewriteMessage(type: MessageType, wire: Uint8Array): Buffer {
  try {
    return rewrite(type, wire, true);
  } catch (cause) {
    throw cause instanceof MalformedMessage ? invalidArgument(cause.message, { cause }) : cause;
  }
}

/**
 * The same message with its fields by ascending number; unknown fields and those of a wrong wire type are dropped.
 * @throws MalformedMessage
 */
export function orderFields(type: MessageType, wire: Uint8Array): Buffer {
  return rewrite(type, wire, false);
}

function rewrite(type: MessageType, wire: Uint8Array, strict: boolean): Buffer {
  const state = {
    reader: new WireReader(wire),
    out: new WireWriter(wire.length + 16),
    strict,
    nodes: 0,
    joinedBytes: 0,
  };
  rewriterOf(type)(state, wire.length, 0);
  return state.out.finish();
}

function rewriterOf(type: MessageType): RewriteFields {
  const known = compiled.get(type);
  if (known) return known;
  // A message can hold itself, so its fields are compiled when the first message of the type comes by.
  let fields: (FieldRewriter | undefined)[] | undefined;
  const rewriter: RewriteFields = (state, end, depth) => {
    if (depth > limits.maxDepth)
      throw new MalformedMessage(`${type.name} nests deeper than ${limits.maxDepth}`);
    fields ??= compileFields(type);
    const { reader } = state;
    const outerEnd = reader.end;
    reader.end = end;
    writePlaces(state, placesIn(state, fields, type), depth);
    reader.position = end;
    reader.end = outerEnd;
  };
  compiled.set(type, rewriter);
  return rewriter;
}

function compileFields(type: MessageType): (FieldRewriter | undefined)[] {
  const fields: (FieldRewriter | undefined)[] = [];
  for (const field of type.fields) {
    const once = !field.repeated && !field.map;
    const content = field.map
      ? rewriterOf(mapEntry(type, field))
      : typeof field.type === 'object' && field.type.kind === 'message'
        ? rewriterOf(field.type)
        : undefined;
    const value = content ? messageValue(content) : scalarValue(field);
    fields[field.number] = { field, once, content: once ? content : undefined, value };
  }
  return fields;
}

/** A map is a repeated message {1: key, 2: value}. */
function mapEntry(type: MessageType, map: Field): MessageType {
  const key: Field = {
    ...map,
    number: 1,
    name: 'key',
    type: 'string',
    wireType: WireType.BYTES,
    repeated: false,
    map: false,
  };
  const isText = map.type === 'string' || map.type === 'bytes';
  const isMessage = typeof map.type === 'object' && map.type.kind === 'message';
  if (!isText && !isMessage)
    throw new Error(`${type.name}.${map.name}: no map of this contract has such values`);
  const fields = [key, { ...key, number: 2, name: 'value', type: map.type }];
  return { ...type, name: `${type.name}.${map.name}`, fields };
}

function messageValue(content: RewriteFields): RewriteValue {
  return (state, depth) => {
    const { reader, out } = state;
    const end = reader.lengthEnd();
    const opened = out.open();
    content(state, end, depth + 1);
    out.close(opened);
  };
}

function scalarValue({ type, wireType }: Field): RewriteValue {
  if (wireType === WireType.BYTES)
    return ({ reader, out }) => {
      const end = reader.lengthEnd();
      out.bytes(reader.bytes.subarray(reader.position, end));
      reader.position = end;
    };
  if (wireType !== WireType.VARINT)
    return ({ reader, out }) => {
      const length = wireType === WireType.FIXED64 ? 8 : 4;
      const start = reader.take(length);
      out.raw(reader.bytes.subarray(start, start + length));
    };
  if (type === 'bool') return ({ reader, out }) => void out.uint32(reader.uint64() === 0n ? 0 : 1);
  if (type === 'uint32' || type === 'sint32') return ({ reader, out }) => void out.uint32(reader.uint32());
  if (type === 'int32' || typeof type === 'object')
    return ({ reader, out }) => {
      const value = reader.uint32() | 0;
      if (value >= 0) out.uint32(value);
      else out.int64(BigInt(value));
    };
  return ({ reader, out }) => void out.int64(reader.uint64());
}

/**
 * Where the known fields of a message stand, by ascending number. Its tags are counted and their wire types checked
 * before anything is done, nothing below them is looked at.
 */
function placesIn(
  state: State,
  fields: readonly (FieldRewriter | undefined)[],
  { name }: MessageType,
): Place[] {
  const { reader } = state;
  const places: Place[] = [];
  let inOrder = true;
  while (!reader.done) {
    count(state);
    const tag = reader.tag();
    const known = fields[tag >>> 3];
    if (known && acceptsWireType(known.field, tag & 7)) {
      inOrder &&= places.length === 0 || places.at(-1)!.known.field.number <= known.field.number;
      places.push({ known, tag, position: reader.position });
    } else if (known && state.strict)
      throw new MalformedMessage(`${name}.${known.field.name} has a wrong wire type`);
    reader.skip(tag & 7);
  }
  return inOrder ? places : places.sort((one, other) => one.known.field.number - other.known.field.number);
}

function count(state: State): void {
  if (++state.nodes > limits.maxNodes)
    throw new GatewayError(Code.RESOURCE_EXHAUSTED, `the message has more than ${limits.maxNodes} values`);
}

/** Of a field that may come once the last value counts; messages merge. */
function writePlaces(state: State, places: readonly Place[], depth: number): void {
  for (let index = 0, next = 1; index < places.length; index = next++) {
    const { known } = places[index]!;
    while (known.once && places[next]?.known === known) next++;
    if (known.content && next - index > 1) {
      writeMerged(state, known.field.number, known.content, places.slice(index, next), depth);
    } else {
      const { tag, position } = places[next - 1]!;
      state.reader.position = position;
      writeField(state, known, tag, depth);
    }
  }
}

function writeField(state: State, { field, value }: FieldRewriter, tag: number, depth: number): void {
  const { reader, out } = state;
  out.tag(field.number, tag & 7);
  if ((tag & 7) === field.wireType) {
    value(state, depth);
    return;
  }
  // Packed: many values in one length-delimited one.
  const outerEnd = reader.end;
  reader.end = reader.lengthEnd();
  const opened = out.open();
  while (!reader.done) {
    count(state);
    value(state, depth);
  }
  out.close(opened);
  reader.end = outerEnd;
}

/** Messages of a field that may come once merge, which is what joining their bytes means. */
function writeMerged(
  state: State,
  number: number,
  content: RewriteFields,
  places: readonly Place[],
  depth: number,
): void {
  const { reader, out } = state;
  const parts = places.map(({ position }) => {
    reader.position = position;
    const end = reader.lengthEnd();
    return reader.bytes.subarray(reader.position, end);
  });
  for (const { length } of parts) state.joinedBytes += length;
  if (state.joinedBytes > limits.maxJoinedBytes)
    throw new GatewayError(Code.RESOURCE_EXHAUSTED, 'the message has too many messages in parts');
  const joined = Buffer.concat(parts);
  const opened = out.tag(number, WireType.BYTES).open();
  state.reader = new WireReader(joined);
  content(state, joined.length, depth + 1);
  state.reader = reader;
  out.close(opened);
}
