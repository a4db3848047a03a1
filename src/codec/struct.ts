import { invalidArgument } from '../protocol/index.ts';
import type { PathTracker } from './field-path.ts';
import type { JsonReader } from './json-reader.ts';
import { limits, MalformedMessage, type WireField, WireReader, WireType, wireFields } from './wire-format.ts';
import type { WireWriter } from './wire-writer.ts';

/*
 * `google.protobuf.Struct`: any JSON object. The numbers are those of google/protobuf/struct.proto:
 * Struct {1: map<string, Value>}, ListValue {1: repeated Value},
 * Value {1: null, 2: number, 3: string, 4: bool, 5: Struct, 6: ListValue}.
 */

/** What a google.protobuf.Value can hold. Objects have no prototype, so that any name is just a name. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [name: string]: JsonValue };

/** Writes the content of a Struct; the reader stands before an object. */
export function writeStruct(reader: JsonReader, out: WireWriter, path: PathTracker, depth: number): void {
  reader.object(name => {
    const entry = out.tag(1, WireType.BYTES).open();
    out.stringField(1, name);
    path.enter(name);
    writeValueField(2, reader, out, path, depth + 1);
    path.leave();
    out.close(entry);
  });
}

function writeValueField(
  number: number,
  reader: JsonReader,
  out: WireWriter,
  path: PathTracker,
  depth: number,
): void {
  if (depth > limits.maxDepth) throw invalidArgument(`${path}: nests deeper than ${limits.maxDepth}`);
  const mark = out.tag(number, WireType.BYTES).open();
  writeValue(reader, out, path, depth);
  out.close(mark);
}

/** Each alternative is written even at its default: which one is set is what a Value says. */
function writeValue(reader: JsonReader, out: WireWriter, path: PathTracker, depth: number): void {
  const kind = reader.peek();
  switch (kind) {
    case 'null':
      reader.literal(kind);
      out.tag(1, WireType.VARINT).uint32(0);
      return;
    case 'number':
      out.tag(2, WireType.FIXED64).double(readNumber(reader, path));
      return;
    case 'string':
      out.tag(3, WireType.BYTES).string(reader.string());
      return;
    case 'object': {
      const mark = out.tag(5, WireType.BYTES).open();
      writeStruct(reader, out, path, depth);
      out.close(mark);
      return;
    }
    case 'array': {
      const mark = out.tag(6, WireType.BYTES).open();
      reader.array(index => {
        path.enter(index);
        writeValueField(1, reader, out, path, depth + 1);
        path.leave();
      });
      out.close(mark);
      return;
    }
    default:
      reader.literal(kind);
      out.tag(4, WireType.VARINT).uint32(kind === 'true' ? 1 : 0);
  }
}

/**
 * A Struct holds doubles; an integer that a double would change is refused rather than changed. Digits that JavaScript
 * itself prints for the double are no change, though the double may stand for slightly more or less.
 */
function readNumber(reader: JsonReader, path: PathTracker): number {
  const digits = reader.number();
  const value = Number(digits);
  const isChanged =
    /^-?\d+$/.test(digits) &&
    digits !== String(value) &&
    BigInt(digits) !== BigInt(Number.isFinite(value) ? value : 0);
  if (isChanged) {
    throw invalidArgument(
      `${path}: ${digits.slice(0, 40)} does not fit a double; put it in quotes or use values.raw`,
    );
  }
  return value;
}

/**
 * `google.protobuf.Struct` → object.
 * @throws MalformedMessage, also for a field of a wrong wire type
 */
export function readStruct(wire: Uint8Array): { [name: string]: JsonValue } {
  return readMembers(wire, 0, { nodes: 0 });
}

/** Counts the values of one Struct: their number is bounded before anything is made of them. */
interface Budget {
  nodes: number;
}

function readMembers(wire: Uint8Array, depth: number, budget: Budget): { [name: string]: JsonValue } {
  const object: { [name: string]: JsonValue } = Object.create(null);
  for (const field of wireFields(wire)) {
    if (field.number !== 1) continue;
    const entry = contentOf(wire, field);
    let name = '';
    let value: JsonValue = null;
    for (const part of wireFields(entry)) {
      if (part.number === 1) name = contentOf(entry, part).toString();
      else if (part.number === 2) value = readValue(contentOf(entry, part), depth + 1, budget);
    }
    object[name] = value;
  }
  return object;
}

function readValue(wire: Buffer, depth: number, budget: Budget): JsonValue {
  if (depth > limits.maxDepth) throw new MalformedMessage(`a Struct nests deeper than ${limits.maxDepth}`);
  if (++budget.nodes > limits.maxNodes)
    throw new MalformedMessage(`a Struct has more than ${limits.maxNodes} values`);
  let value: JsonValue = null;
  for (const field of wireFields(wire)) {
    if (field.number === 1) {
      contentOf(wire, field, WireType.VARINT);
      value = null;
    } else if (field.number === 2) value = contentOf(wire, field, WireType.FIXED64).readDoubleLE();
    else if (field.number === 3) value = contentOf(wire, field).toString();
    else if (field.number === 4)
      value = new WireReader(contentOf(wire, field, WireType.VARINT)).uint64() !== 0n;
    else if (field.number === 5) value = readMembers(contentOf(wire, field), depth + 1, budget);
    else if (field.number === 6) value = readList(contentOf(wire, field), depth + 1, budget);
  }
  return value;
}

function readList(wire: Buffer, depth: number, budget: Budget): JsonValue[] {
  return [...wireFields(wire)]
    .filter(field => field.number === 1)
    .map(field => readValue(contentOf(wire, field), depth, budget));
}

function contentOf(wire: Uint8Array, field: WireField, wireType: number = WireType.BYTES): Buffer {
  if (field.wireType !== wireType) throw new MalformedMessage('a Struct has a field of a wrong wire type');
  return Buffer.from(wire.buffer, wire.byteOffset + field.valueStart, field.end - field.valueStart);
}
