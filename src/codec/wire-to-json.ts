import { JsonWriter } from './json-writer.ts';
import { maxDepth } from './limits.ts';
import { inFieldOrder } from './merge-fields.ts';
import type { Field, MessageType } from './schema.ts';
import { timestampToText } from './timestamp.ts';
import { MalformedMessage, type WireField, WireReader, WireType } from './wire-format.ts';
import { enumWriter, isDefaultNext, scalarWireType, scalarWriter } from './wire-value-to-json.ts';

/*
 * Wire format → JSON in one pass: no object of the message is ever made. A writer is compiled once per message type;
 * each of its fields is a small function that reads one value and writes its JSON.
 *
 * The pass relies on what every encoder does: the entries of a repeated field stand together and nothing else comes
 * twice. Bytes that break this are legal all the same; the writer then drops what it wrote of that message, puts the
 * fields in order (`inFieldOrder`), and starts again.
 */

interface State {
  reader: WireReader;
  readonly out: JsonWriter;
}

/** Writes the message that ends at `end`. */
type WriteMessage = (state: State, end: number, depth: number) => void;

/** Writes one value of a field; its tag is read already. */
type WriteValue = (state: State, depth: number) => void;

interface FieldWriter {
  readonly field: Field;
  /** One bit per field of the message, to notice a field that comes again. */
  readonly bit: number;
  /** `"name":`, ready to be written. */
  readonly key: string;
  /** `[]`, `{}` for a map, or nothing for what comes once. */
  readonly brackets: string;
  readonly wireType: number;
  /** A repeated field of numbers may come packed: many values in one length-delimited one. */
  readonly packable: boolean;
  readonly leaveOutDefault: boolean;
  readonly write: WriteValue;
}

type FieldWriters = readonly (FieldWriter | undefined)[];

const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

const compiled = new Map<MessageType, WriteMessage>();

/**
 * The JSON text of a message (UTF-8), in the dialect of swift's clients: field names as in the .proto file, defaults
 * left out, 64-bit integers as strings, enums by name, bytes in base64, times in RFC 3339.
 * @throws MalformedMessage when the bytes are not a message of that type, or nest deeper than 100
 */
export function wireToJson(type: MessageType, wire: Uint8Array): Buffer {
  // Base64 makes 4 of 3, and escaped lines grow less: room for both, so that a large message is not written twice.
  const out = new JsonWriter(wire.length + ((wire.length * 3) >> 3) + 128);
  messageWriter(type)({ reader: new WireReader(wire), out }, wire.length, 0);
  return out.finish();
}

function messageWriter(type: MessageType): WriteMessage {
  const known = compiled.get(type);
  if (known) return known;
  const writer = type.name === 'google.protobuf.Timestamp' ? writeTimestamp : compileMessage(type);
  compiled.set(type, writer);
  return writer;
}

function compileMessage(type: MessageType): WriteMessage {
  // A message can hold itself, so its fields are compiled when the first message of the type comes by.
  let compiledFields: FieldWriters | undefined;
  return (state, end, depth) => {
    if (depth > maxDepth) throw new MalformedMessage(`${type.name} nests deeper than ${maxDepth}`);
    compiledFields ??= compileFields(type);
    const writers = compiledFields;
    const { reader, out } = state;
    const start = reader.position;
    const mark = out.mark();
    if (writeFields(state, end, depth, writers)) return;
    out.rewind(mark);
    const ordered = inFieldOrder(found => fieldOf(writers, found), reader.bytes, start, end);
    state.reader = new WireReader(ordered);
    writeFields(state, ordered.length, depth, writers);
    state.reader = reader;
    reader.position = end;
  };
}

/**
 * Fields that Tiller sends and swift, made with an older contract, never knew. Its clients get the JSON they had, so
 * these stay out of it; over gRPC they are there.
 */
const unknownToSwift = new Set(['hapi.release.Hook.delete_timeout']);

function compileFields(type: MessageType): FieldWriters {
  if (type.fields.length > 31) throw new Error(`${type.name} has more fields than a set of bits holds`);
  const writers: (FieldWriter | undefined)[] = [];
  for (const [index, field] of type.fields.entries()) {
    if (!unknownToSwift.has(`${type.name}.${field.name}`))
      writers[field.number] = compileField(field, 1 << index);
  }
  return writers;
}

function compileField(field: Field, bit: number): FieldWriter {
  const scalar = typeof field.type === 'string' ? scalarWireType(field.type) : WireType.BYTES;
  const wireType =
    field.map || (typeof field.type === 'object' && field.type.kind === 'message')
      ? WireType.BYTES
      : typeof field.type === 'object'
        ? WireType.VARINT
        : scalar;
  const once = !field.repeated && !field.map;
  return {
    field,
    bit,
    key: `"${field.name}":`,
    brackets: once ? '' : field.map ? '{}' : '[]',
    wireType,
    packable: field.repeated && wireType !== WireType.BYTES,
    leaveOutDefault: once && !(typeof field.type === 'object' && field.type.kind === 'message'),
    write: field.map ? compileMapEntry(field) : compileValue(field),
  };
}

function compileValue(field: Field): WriteValue {
  const { type } = field;
  if (typeof type === 'object' && type.kind === 'message') {
    const write = messageWriter(type);
    return (state, depth) => write(state, state.reader.lengthEnd(), depth + 1);
  }
  const write = typeof type === 'string' ? scalarWriter(type) : enumWriter(type);
  return state => write(state.reader, state.out);
}

/**
 * A map is a repeated message {1: key, 2: value}; in JSON it is an object. A key that comes twice is written twice:
 * readers of JSON take the last, as readers of the wire format do.
 */
function compileMapEntry(field: Field): WriteValue {
  const writeValue = compileValue(field);
  const emptyValue = typeof field.type === 'object' && field.type.kind === 'message' ? '{}' : '""';
  return (state, depth) => {
    const { reader, out } = state;
    const end = reader.lengthEnd();
    let keyStart = end;
    let keyEnd = end;
    let valueAt = -1;
    while (reader.position < end) {
      const tag = reader.uint32();
      if (tag === ((1 << 3) | WireType.BYTES)) {
        keyEnd = reader.lengthEnd();
        keyStart = reader.position;
        reader.position = keyEnd;
      } else {
        if (tag === ((2 << 3) | WireType.BYTES)) valueAt = reader.position;
        reader.skip(tag & 7);
      }
    }
    if (reader.position !== end) throw new MalformedMessage('a map entry reaches past its end');
    out.utf8String(reader.bytes, keyStart, keyEnd);
    out.byte(0x3a);
    if (valueAt < 0) {
      out.ascii(emptyValue);
      return;
    }
    reader.position = valueAt;
    writeValue(state, depth);
    reader.position = end;
  };
}

/** Writes a whole message; false where a field came again without standing together with the first. */
function writeFields(state: State, end: number, depth: number, writers: FieldWriters): boolean {
  const { reader, out } = state;
  const outerEnd = reader.end;
  reader.end = end;
  let seen = 0;
  let separator = openBrace;
  while (reader.position < end) {
    const tag = reader.uint32();
    const writer = writers[tag >>> 3];
    if (!writer || !accepts(writer, tag & 7)) {
      if (tag >>> 3 === 0) throw new MalformedMessage('field number 0');
      reader.skip(tag & 7);
      continue;
    }
    if (seen & writer.bit) {
      reader.end = outerEnd;
      return false;
    }
    seen |= writer.bit;
    if (writer.leaveOutDefault && isDefaultNext(reader, writer.wireType)) {
      reader.skip(writer.wireType);
      continue;
    }
    out.byte(separator);
    separator = comma;
    out.ascii(writer.key);
    if (writer.brackets === '') writer.write(state, depth);
    else writeRun(state, end, depth, writer, tag);
  }
  if (separator === openBrace) out.byte(openBrace);
  out.byte(closeBrace);
  reader.end = outerEnd;
  return true;
}

/** Writes all entries of a repeated field or map that stand together, as one array or object. */
function writeRun(state: State, end: number, depth: number, writer: FieldWriter, firstTag: number): void {
  const { reader, out } = state;
  out.byte(writer.brackets.charCodeAt(0));
  let tag = firstTag;
  let next = reader.position;
  let first = true;
  do {
    // A packed run of numbers is read to its end, anything else is one value.
    const packed = writer.packable && (tag & 7) === WireType.BYTES;
    const valuesEnd = packed ? reader.lengthEnd() : reader.position + 1;
    while (reader.position < valuesEnd) {
      if (!first) out.byte(comma);
      first = false;
      writer.write(state, depth);
    }
    next = reader.position;
    if (next >= end) break;
    tag = reader.uint32();
  } while (tag >>> 3 === writer.field.number && accepts(writer, tag & 7));
  reader.position = next;
  out.byte(writer.brackets.charCodeAt(1));
}

function fieldOf(writers: FieldWriters, found: WireField): Field | undefined {
  const writer = writers[found.number];
  return writer && accepts(writer, found.wireType) ? writer.field : undefined;
}

function accepts(writer: FieldWriter, wireType: number): boolean {
  return wireType === writer.wireType || (writer.packable && wireType === WireType.BYTES);
}

/** RFC 3339; null for a time that no RFC 3339 text can name, since one odd record must not cost a whole list. */
function writeTimestamp(state: State, end: number): void {
  const { reader, out } = state;
  let seconds = 0n;
  let nanos = 0;
  const outerEnd = reader.end;
  reader.end = end;
  while (reader.position < end) {
    const tag = reader.uint32();
    if (tag === ((1 << 3) | WireType.VARINT)) seconds = BigInt.asIntN(64, reader.uint64());
    else if (tag === ((2 << 3) | WireType.VARINT)) nanos = reader.uint32() | 0;
    else reader.skip(tag & 7);
  }
  reader.end = outerEnd;
  const text = timestampToText(seconds, nanos);
  out.ascii(text === undefined ? 'null' : `"${text}"`);
}
