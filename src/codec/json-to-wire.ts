import { isUtf8 } from 'node:buffer';
import { invalidArgument } from '../protocol/index.ts';
import { type JsonKind, JsonReader } from './json-reader.ts';
import { isInteger, PathTracker, writeTextField } from './parse-scalar.ts';
import type { EnumType, Field, MessageType, ScalarType } from './schema.ts';
import { type JsonState, writeStruct, writeTimestamp } from './well-known.ts';
import { limits, WireType } from './wire-format.ts';
import { WireWriter } from './wire-writer.ts';

/**
 * JSON text → wire format in one pass, no object tree between. Both spellings of a name are read, unknown names are
 * skipped, null leaves a field at its default, and of a name that comes twice the last counts.
 * @throws GatewayError INVALID_ARGUMENT with the field (`values.raw: expected a string, got a number`) or the place
 */
export function jsonToWire(type: MessageType, json: Buffer): Buffer {
  if (!isUtf8(json)) throw invalidArgument('the JSON body is not UTF-8');
  const reader = new JsonReader(json);
  const state = { reader, out: new WireWriter(json.length + 64), path: new PathTracker() };
  if (reader.peek() !== 'object') {
    throw invalidArgument(`the JSON body has to be an object, got ${described[reader.peek()]}`);
  }
  writeMessage(type, state, 0);
  reader.end();
  return state.out.finish();
}

const described: Record<JsonKind, string> = {
  object: 'an object',
  array: 'a list',
  string: 'a string',
  number: 'a number',
  true: 'true',
  false: 'false',
  null: 'null',
};

function writeMessage(type: MessageType, state: JsonState, depth: number): void {
  const { reader, path } = state;
  if (depth > limits.maxDepth) throw invalidArgument(`${path}: nests deeper than ${limits.maxDepth}`);
  if (type.name === 'google.protobuf.Timestamp') {
    expectKind(state, 'string');
    writeTimestamp(state);
    return;
  }
  expectKind(state, 'object');
  if (type.name === 'google.protobuf.Struct') {
    writeStruct(state, depth);
    return;
  }
  reader.object(name => {
    const field = type.byName.get(name);
    if (!field || reader.peek() === 'null') {
      reader.skip(depth);
      return;
    }
    path.enter(name);
    if (field.map) writeMap(field, state, depth);
    else if (field.repeated) writeList(field, state, depth);
    else writeValue(field.number, field.type, state, depth);
    path.leave();
  });
}

function writeList(field: Field, state: JsonState, depth: number): void {
  const { reader, path } = state;
  expectKind(state, 'array');
  reader.array(index => {
    path.enter(index);
    writeValue(field.number, field.type, state, depth);
    path.leave();
  });
}

/** A map is a repeated message {1: key, 2: value}. */
function writeMap(field: Field, state: JsonState, depth: number): void {
  const { reader, out, path } = state;
  expectKind(state, 'object');
  reader.object(key => {
    const mark = out.tag(field.number, WireType.BYTES).open();
    out.stringField(1, key);
    path.enter(key);
    writeValue(2, field.type, state, depth);
    path.leave();
    out.close(mark);
  });
}

function writeValue(number: number, type: Field['type'], state: JsonState, depth: number): void {
  const { out, path } = state;
  if (typeof type === 'object' && type.kind === 'message') {
    const mark = out.tag(number, WireType.BYTES).open();
    writeMessage(type, state, depth + 1);
    out.close(mark);
  } else {
    writeTextField(out, number, type, readScalar(type, state), path);
  }
}

/** The text of a scalar, checked to be of a JSON kind that its type may come in. */
function readScalar(type: ScalarType | EnumType, { reader, path }: JsonState): string {
  const kind = reader.peek();
  if (type === 'bool') {
    if (kind !== 'true' && kind !== 'false') throw wrongKind('true or false', kind, path);
    reader.literal(kind);
    return kind;
  }
  const takesNumbers = type !== 'string' && type !== 'bytes';
  if (kind === 'string') return reader.string();
  if (kind === 'number' && takesNumbers) return reader.number();
  throw wrongKind(expected(type), kind, path);
}

function expected(type: ScalarType | EnumType): string {
  if (typeof type === 'object') return `one of ${[...type.numbers.keys()].join(', ')}`;
  if (type === 'string') return 'a string';
  if (type === 'bytes') return 'base64 in a string';
  return isInteger(type) ? 'a whole number' : 'a number';
}

function expectKind({ reader, path }: JsonState, kind: JsonKind): void {
  const got = reader.peek();
  if (got !== kind) throw wrongKind(described[kind], got, path);
}

function wrongKind(wanted: string, got: JsonKind, path: PathTracker): Error {
  return invalidArgument(`${path}: expected ${wanted}, got ${described[got]}`);
}
