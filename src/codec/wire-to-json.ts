import { JsonWriter } from './json-writer.ts';
import { orderFields } from './rewrite-message.ts';
import { acceptsWireType, type EnumType, type Field, type MessageType, type ScalarType } from './schema.ts';
import { readStruct, timestampToText } from './well-known.ts';
import { limits, MalformedMessage, WireReader, WireType } from './wire-format.ts';

/*
 * Wire format → JSON in one pass: no object of the message is ever made. A writer is compiled once per message type;
 * each of its fields is a small function that reads one value and writes its JSON.
 *
 * The pass relies on what every encoder does: fields come by ascending number. Bytes that break this are legal all the
 * same; the writer then drops what it wrote, puts the fields of the whole message in order, and starts again.
 */

interface State {
  readonly reader: WireReader;
  readonly out: JsonWriter;
}

/** Writes the message that ends at `end`. */
type WriteMessage = (state: State, end: number, depth: number) => void;

/** Writes one value of a field; its tag is read already. */
type WriteValue = (state: State, depth: number) => void;

interface FieldWriter {
  readonly field: Field;
  /** `"name":`, ready to be written. */
  readonly key: string;
  /** `[]`, `{}` for a map, or nothing for what comes once. */
  readonly brackets: string;
  readonly leaveOutDefault: boolean;
  readonly write: WriteValue;
}

type FieldWriters = readonly (FieldWriter | undefined)[];

const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * The JSON text of a message (UTF-8): field names as in the .proto file, defaults left out, 64-bit integers as strings,
 * enums by name, bytes in base64, times in RFC 3339.
 * @throws MalformedMessage when the bytes are not a message of that type, or nest deeper than 100
 */
export type WireToJson = (type: MessageType, wire: Uint8Array) => Buffer;

/** @param leaveOut full names of fields that are not written, such as `hapi.release.Hook.weight` */
export function createWireToJson(leaveOut: ReadonlySet<string> = new Set()): WireToJson {
  const compiled: Compiled = { leaveOut, writers: new Map() };
  return (type, wire) => {
    const write = messageWriter(type, compiled);
    // Base64 makes 4 of 3, and escaped lines grow less: room for both, so that a large message is not written twice.
    const out = new JsonWriter(wire.length + ((wire.length * 3) >> 3) + 128);
    try {
      write({ reader: new WireReader(wire), out }, wire.length, 0);
    } catch (error) {
      if (error !== outOfOrder) throw error;
      const ordered = orderFields(type, wire);
      out.clear();
      write({ reader: new WireReader(ordered), out }, ordered.length, 0);
    }
    return out.finish();
  };
}

export const wireToJson = createWireToJson();

/** Thrown where a field comes behind one of a higher number, or again. */
const outOfOrder = new MalformedMessage('fields out of order');

interface Compiled {
  readonly leaveOut: ReadonlySet<string>;
  readonly writers: Map<MessageType, WriteMessage>;
}

function messageWriter(type: MessageType, compiled: Compiled): WriteMessage {
  const known = compiled.writers.get(type);
  if (known) return known;
  const writer = wellKnown[type.name] ?? compileMessage(type, compiled);
  compiled.writers.set(type, writer);
  return writer;
}

function compileMessage(type: MessageType, compiled: Compiled): WriteMessage {
  // A message can hold itself, so its fields are compiled when the first message of the type comes by.
  let compiledFields: FieldWriters | undefined;
  return (state, end, depth) => {
    if (depth > limits.maxDepth)
      throw new MalformedMessage(`${type.name} nests deeper than ${limits.maxDepth}`);
    compiledFields ??= compileFields(type, compiled);
    writeFields(state, end, depth, compiledFields);
  };
}

function compileFields(type: MessageType, compiled: Compiled): FieldWriters {
  const writers: (FieldWriter | undefined)[] = [];
  for (const field of type.fields) {
    if (!compiled.leaveOut.has(`${type.name}.${field.name}`))
      writers[field.number] = compileField(field, compiled);
  }
  return writers;
}

function compileField(field: Field, compiled: Compiled): FieldWriter {
  const once = !field.repeated && !field.map;
  return {
    field,
    key: `"${field.name}":`,
    brackets: once ? '' : field.map ? '{}' : '[]',
    leaveOutDefault: once && !(typeof field.type === 'object' && field.type.kind === 'message'),
    write: field.map ? compileMapEntry(field, compiled) : compileValue(field, compiled),
  };
}

function compileValue(field: Field, compiled: Compiled): WriteValue {
  const { type } = field;
  if (typeof type === 'object' && type.kind === 'message') {
    const write = messageWriter(type, compiled);
    return (state, depth) => write(state, state.reader.lengthEnd(), depth + 1);
  }
  const write = typeof type === 'string' ? scalarWriters[type] : enumWriter(type);
  return state => write(state.reader, state.out);
}

/**
 * A map is a repeated message {1: key, 2: value}; in JSON it is an object. A key that comes twice is written twice:
 * readers of JSON take the last, as readers of the wire format do.
 */
function compileMapEntry(field: Field, compiled: Compiled): WriteValue {
  const writeValue = compileValue(field, compiled);
  const emptyValue = typeof field.type === 'object' && field.type.kind === 'message' ? '{}' : '""';
  return (state, depth) => {
    const { reader, out } = state;
    const end = reader.lengthEnd();
    let keyStart = end;
    let keyEnd = end;
    let valueAt = -1;
    while (reader.position < end) {
      const tag = reader.tag();
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

function writeFields(state: State, end: number, depth: number, writers: FieldWriters): void {
  const { reader, out } = state;
  const outerEnd = reader.end;
  reader.end = end;
  let last = 0;
  let separator = openBrace;
  while (reader.position < end) {
    const tag = reader.tag();
    const number = tag >>> 3;
    const writer = writers[number];
    if (!writer || !acceptsWireType(writer.field, tag & 7)) {
      reader.skip(tag & 7);
      continue;
    }
    if (number <= last) throw outOfOrder;
    last = number;
    if (writer.leaveOutDefault && isDefaultNext(reader, writer.field.wireType)) {
      reader.skip(writer.field.wireType);
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
    const packed = writer.field.packable && (tag & 7) === WireType.BYTES;
    const valuesEnd = packed ? reader.lengthEnd() : reader.position + 1;
    while (reader.position < valuesEnd) {
      if (!first) out.byte(comma);
      first = false;
      writer.write(state, depth);
    }
    next = reader.position;
    if (next >= end) break;
    tag = reader.tag();
  } while (tag >>> 3 === writer.field.number && acceptsWireType(writer.field, tag & 7));
  reader.position = next;
  out.byte(writer.brackets.charCodeAt(1));
}

/** RFC 3339; null for a time that no RFC 3339 text can name, since one odd record must not cost a whole list. */
function writeTimestamp(state: State, end: number): void {
  const { reader, out } = state;
  let seconds = 0n;
  let nanos = 0;
  const outerEnd = reader.end;
  reader.end = end;
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | WireType.VARINT)) seconds = BigInt.asIntN(64, reader.uint64());
    else if (tag === ((2 << 3) | WireType.VARINT)) nanos = reader.uint32() | 0;
    else reader.skip(tag & 7);
  }
  reader.end = outerEnd;
  const text = timestampToText(seconds, nanos);
  out.ascii(text === undefined ? 'null' : `"${text}"`);
}

/** Any JSON object: small ones only are in replies, so that an object of it may be made. */
function writeStruct({ reader, out }: State, end: number): void {
  out.utf8(Buffer.from(JSON.stringify(readStruct(reader.bytes.subarray(reader.position, end)))));
  reader.position = end;
}

const wellKnown: Readonly<Record<string, WriteMessage>> = {
  'google.protobuf.Timestamp': writeTimestamp,
  'google.protobuf.Struct': writeStruct,
};

export type WriteScalar = (reader: WireReader, out: JsonWriter) => void;

const view = new DataView(new ArrayBuffer(8));

function fixed64(reader: WireReader): DataView {
  const start = reader.take(8);
  for (let index = 0; index < 8; index++) view.setUint8(index, reader.bytes[start + index]!);
  return view;
}

function fixed32(reader: WireReader): DataView {
  const start = reader.take(4);
  for (let index = 0; index < 4; index++) view.setUint8(index, reader.bytes[start + index]!);
  return view;
}

/** A 64-bit integer as a JSON string; small ones, which nearly all are, without a bigint. */
function writeInt64(reader: WireReader, out: JsonWriter): void {
  if (reader.position < reader.end && reader.bytes[reader.position]! < 0x80) {
    out.ascii(`"${reader.bytes[reader.position++]!}"`);
  } else {
    out.ascii(`"${BigInt.asIntN(64, reader.uint64())}"`);
  }
}

function zigzag(value: bigint): bigint {
  return (value >> 1n) ^ -(value & 1n);
}

/** JSON has no NaN and no infinities: they are strings. Source: https://protobuf.dev/programming-guides/json/ */
function writeFloat(value: number, out: JsonWriter): void {
  out.ascii(Number.isFinite(value) ? String(value) : `"${String(value)}"`);
}

function writeString(reader: WireReader, out: JsonWriter): void {
  const end = reader.lengthEnd();
  out.utf8String(reader.bytes, reader.position, end);
  reader.position = end;
}

function writeBytes(reader: WireReader, out: JsonWriter): void {
  const end = reader.lengthEnd();
  out.base64String(reader.bytes, reader.position, end);
  reader.position = end;
}

export const scalarWriters: Readonly<Record<ScalarType, WriteScalar>> = {
  int32: (reader, out) => out.ascii(String(reader.uint32() | 0)),
  uint32: (reader, out) => out.ascii(String(reader.uint32())),
  sint32: (reader, out) => out.ascii(String(Number(BigInt.asIntN(32, zigzag(reader.uint64()))))),
  int64: writeInt64,
  uint64: (reader, out) => out.ascii(`"${reader.uint64()}"`),
  sint64: (reader, out) => out.ascii(`"${BigInt.asIntN(64, zigzag(reader.uint64()))}"`),
  fixed32: (reader, out) => out.ascii(String(fixed32(reader).getUint32(0, true))),
  sfixed32: (reader, out) => out.ascii(String(fixed32(reader).getInt32(0, true))),
  fixed64: (reader, out) => out.ascii(`"${fixed64(reader).getBigUint64(0, true)}"`),
  sfixed64: (reader, out) => out.ascii(`"${fixed64(reader).getBigInt64(0, true)}"`),
  float: (reader, out) => writeFloat(fixed32(reader).getFloat32(0, true), out),
  double: (reader, out) => writeFloat(fixed64(reader).getFloat64(0, true), out),
  bool: (reader, out) => out.ascii(reader.uint64() === 0n ? 'false' : 'true'),
  string: writeString,
  bytes: writeBytes,
};

/** An enum by name; a number that has none, from a newer Tiller, as the number. */
export function enumWriter(type: EnumType): WriteScalar {
  return (reader, out) => {
    const number = reader.uint32() | 0;
    const name = type.names.get(number);
    out.ascii(name === undefined ? String(number) : `"${name}"`);
  };
}

/** Whether the value that comes next, of that wire type, is its type's default: all zeros or empty. */
export function isDefaultNext(reader: WireReader, wireType: number): boolean {
  const { bytes, position } = reader;
  if (wireType === WireType.VARINT || wireType === WireType.BYTES) return bytes[position] === 0;
  const count = wireType === WireType.FIXED64 ? 8 : 4;
  for (let index = 0; index < count; index++) if (bytes[position + index] !== 0) return false;
  return true;
}
