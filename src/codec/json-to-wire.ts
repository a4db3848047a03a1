import { isUtf8 } from 'node:buffer';
import { invalidArgument } from '../protocol/index.ts';
import { type JsonKind, JsonReader } from './json-reader.ts';
import { isInteger, PathTracker, writeTextField } from './parse-scalar.ts';
import type { EnumType, Field, MessageType, ScalarType } from './schema.ts';
import { textToTimestamp } from './well-known.ts';
import { limits, WireType } from './wire-format.ts';
import { WireWriter } from './wire-writer.ts';

/**
 * JSON text → wire format in one pass, no object tree between. Both spellings of a name are read, unknown names are
 * skipped, null leaves a field at its default, and of a name that comes twice the last counts.
 * @throws GatewayError INVALID_ARGUMENT with the field (`values.raw: expected a string, got a number`) or the place
 */
export function jsonToWire(type: MessageType, json: Buffer): Buffer {
  if (!isUtf8(json)) throw invalidArgument('the JSON body is not UTF-8');
  return new JsonToWire(json).convert(type);
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

/** The methods write the content of a message, or a field of it; the reader stands before the value. */
class JsonToWire {
  readonly #reader: JsonReader;
  readonly #out: WireWriter;
  /** The place in the JSON, for errors. */
  readonly #path = new PathTracker();

  constructor(json: Buffer) {
    this.#reader = new JsonReader(json);
    this.#out = new WireWriter(json.length + 64);
  }

  convert(type: MessageType): Buffer {
    const kind = this.#reader.peek();
    if (kind !== 'object') throw invalidArgument(`the JSON body has to be an object, got ${described[kind]}`);
    this.#message(type, 0);
    this.#reader.end();
    return this.#out.finish();
  }

  #message(type: MessageType, depth: number): void {
    this.#checkDepth(depth);
    if (type.name === 'google.protobuf.Timestamp') this.#timestamp();
    else if (type.name === 'google.protobuf.Struct') this.#struct(depth);
    else this.#fields(type, depth);
  }

  #fields(type: MessageType, depth: number): void {
    this.#expect('object');
    this.#reader.object(name => {
      const field = type.byName.get(name);
      if (!field || this.#reader.peek() === 'null') {
        this.#reader.skip(depth);
        return;
      }
      this.#path.enter(name);
      if (field.map) this.#map(field, depth);
      else if (field.repeated) this.#list(field, depth);
      else this.#value(field.number, field.type, depth);
      this.#path.leave();
    });
  }

  #list({ number, type }: Field, depth: number): void {
    this.#expect('array');
    this.#reader.array(index => {
      this.#path.enter(index);
      this.#value(number, type, depth);
      this.#path.leave();
    });
  }

  /** A map is a repeated message {1: key, 2: value}. */
  #map({ number, type }: Field, depth: number): void {
    this.#expect('object');
    this.#reader.object(key => {
      const entry = this.#out.tag(number, WireType.BYTES).open();
      this.#out.stringField(1, key);
      this.#path.enter(key);
      this.#value(2, type, depth);
      this.#path.leave();
      this.#out.close(entry);
    });
  }

  #value(number: number, type: Field['type'], depth: number): void {
    if (typeof type === 'object' && type.kind === 'message') {
      const mark = this.#out.tag(number, WireType.BYTES).open();
      this.#message(type, depth + 1);
      this.#out.close(mark);
    } else {
      writeTextField(this.#out, number, type, this.#scalarText(type), this.#path);
    }
  }

  /** The text of a scalar, checked to be of a JSON kind that its type may come in. */
  #scalarText(type: ScalarType | EnumType): string {
    const kind = this.#reader.peek();
    if (type === 'bool') {
      if (kind !== 'true' && kind !== 'false') throw this.#wrongKind('true or false', kind);
      this.#reader.literal(kind);
      return kind;
    }
    const takesNumbers = type !== 'string' && type !== 'bytes';
    if (kind === 'string') return this.#reader.string();
    if (kind === 'number' && takesNumbers) return this.#reader.number();
    throw this.#wrongKind(expected(type), kind);
  }

  #timestamp(): void {
    this.#expect('string');
    const time = textToTimestamp(this.#reader.string());
    if (!time) throw invalidArgument(`${this.#path}: expected a time as in RFC 3339`);
    this.#out.intField(1, time.seconds).intField(2, time.nanos);
  }

  /** A Struct is {1: map<string, Value>}. The numbers are those of google/protobuf/struct.proto. */
  #struct(depth: number): void {
    this.#expect('object');
    this.#reader.object(name => {
      const entry = this.#out.tag(1, WireType.BYTES).open();
      this.#out.stringField(1, name);
      this.#path.enter(name);
      this.#structValue(2, depth + 1);
      this.#path.leave();
      this.#out.close(entry);
    });
  }

  /**
   * A field that is a Value: {1: null, 2: number, 3: string, 4: bool, 5: Struct, 6: ListValue {1: repeated Value}}. Each
   * alternative is written even at its default: which one is set is what a Value says.
   */
  #structValue(number: number, depth: number): void {
    this.#checkDepth(depth);
    const out = this.#out;
    const value = out.tag(number, WireType.BYTES).open();
    const kind = this.#reader.peek();
    if (kind === 'number') {
      out.tag(2, WireType.FIXED64).double(this.#double());
    } else if (kind === 'string') {
      out.tag(3, WireType.BYTES).string(this.#reader.string());
    } else if (kind === 'object') {
      const struct = out.tag(5, WireType.BYTES).open();
      this.#struct(depth);
      out.close(struct);
    } else if (kind === 'array') {
      const list = out.tag(6, WireType.BYTES).open();
      this.#reader.array(index => {
        this.#path.enter(index);
        this.#structValue(1, depth + 1);
        this.#path.leave();
      });
      out.close(list);
    } else {
      this.#reader.literal(kind);
      out.tag(kind === 'null' ? 1 : 4, WireType.VARINT).uint32(kind === 'true' ? 1 : 0);
    }
    out.close(value);
  }

  /**
   * A Struct holds doubles; an integer that a double would change is refused rather than changed. Digits that JavaScript
   * itself prints for the double are no change, though the double may stand for slightly more or less.
   */
  #double(): number {
    const digits = this.#reader.number();
    const value = Number(digits);
    const isChanged =
      /^-?\d+$/.test(digits) &&
      digits !== String(value) &&
      BigInt(digits) !== BigInt(Number.isFinite(value) ? value : 0);
    if (!isChanged) return value;
    throw invalidArgument(
      `${this.#path}: ${digits.slice(0, 40)} does not fit a double; put it in quotes or use values.raw`,
    );
  }

  #checkDepth(depth: number): void {
    if (depth > limits.maxDepth) throw invalidArgument(`${this.#path}: nests deeper than ${limits.maxDepth}`);
  }

  #expect(kind: JsonKind): void {
    const got = this.#reader.peek();
    if (got !== kind) throw this.#wrongKind(described[kind], got);
  }

  #wrongKind(wanted: string, got: JsonKind): Error {
    return invalidArgument(`${this.#path}: expected ${wanted}, got ${described[got]}`);
  }
}

function expected(type: ScalarType | EnumType): string {
  if (typeof type === 'object') return `one of ${[...type.numbers.keys()].join(', ')}`;
  if (type === 'string') return 'a string';
  if (type === 'bytes') return 'base64 in a string';
  return isInteger(type) ? 'a whole number' : 'a number';
}
