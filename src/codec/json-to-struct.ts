import { invalidArgument } from '../protocol/index.ts';
import type { JsonReader } from './json-reader.ts';
import { maxDepth } from './limits.ts';
import { WireType } from './wire-format.ts';
import type { WireWriter } from './wire-writer.ts';

/*
 * `google.protobuf.Struct`: any JSON object. The numbers are those of google/protobuf/struct.proto:
 * Struct {1: map<string, Value>}, ListValue {1: repeated Value},
 * Value {1: null, 2: number, 3: string, 4: bool, 5: Struct, 6: ListValue}.
 */

/** Writes the content of a Struct; the reader stands before an object. */
export function writeStruct(reader: JsonReader, out: WireWriter, path: string, depth: number): void {
  reader.object(name => {
    const entry = out.tag(1, WireType.BYTES).open();
    out.stringField(1, name);
    writeValueField(2, reader, out, `${path}.${name}`, depth + 1);
    out.close(entry);
  });
}

function writeValueField(
  number: number,
  reader: JsonReader,
  out: WireWriter,
  path: string,
  depth: number,
): void {
  if (depth > maxDepth) throw invalidArgument(`${path}: nests deeper than ${maxDepth}`);
  const mark = out.tag(number, WireType.BYTES).open();
  writeValue(reader, out, path, depth);
  out.close(mark);
}

/** Each alternative is written even at its default: which one is set is what a Value says. */
function writeValue(reader: JsonReader, out: WireWriter, path: string, depth: number): void {
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
      reader.array(index => writeValueField(1, reader, out, `${path}[${index}]`, depth + 1));
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
function readNumber(reader: JsonReader, path: string): number {
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
