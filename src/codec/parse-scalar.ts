import { invalidArgument } from '../protocol/index.ts';
import type { EnumType, ScalarType } from './schema.ts';
import { WireType } from './wire-format.ts';
import type { WireWriter } from './wire-writer.ts';

/** Where a value stands, for errors: a text, or something that gives one when an error needs it. */
export interface FieldPath {
  toString(): string;
}

const maxNameChars = 40;

/** The place of the value that is being read, such as `chart.templates[3].data`, put into words by `toString` only. */
export class PathTracker implements FieldPath {
  readonly #parts: (string | number)[] = [];

  /** Goes on to a member of the value, or to an entry of its list. */
  enter(part: string | number): void {
    this.#parts.push(part);
  }

  /** Back to the value that holds it. */
  leave(): void {
    this.#parts.pop();
  }

  toString(): string {
    const texts = this.#parts.map(part =>
      typeof part === 'number' ? `[${part}]` : `.${part.slice(0, maxNameChars)}`,
    );
    return texts.join('').replace(/^\./, '');
  }
}

/*
 * From the text of a value to the wire: the one place that both JSON bodies and query parameters go through, so that
 * they cannot disagree. `path` names the field in errors (`values.raw`, `status_codes[2]`).
 */

const integerRanges: Partial<Record<ScalarType, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

export function isInteger(type: ScalarType): boolean {
  return integerRanges[type] !== undefined;
}

/**
 * Digits → integer. Forms such as `3.0` and `1e3` count too when they are whole, as in protobuf's JSON.
 * @throws GatewayError INVALID_ARGUMENT with the field
 */
export function parseInteger(type: ScalarType, text: string, path: FieldPath): bigint {
  const range = integerRanges[type];
  const value = /^-?\d{1,20}$/.test(text) ? BigInt(text) : wholeNumber(text);
  if (!range || value === undefined)
    throw invalidArgument(`${path}: expected a whole number, got ${shown(text)}`);
  if (value < range[0] || value > range[1])
    throw invalidArgument(`${path}: ${shown(text)} is out of range for ${type}`);
  return value;
}

function wholeNumber(text: string): bigint | undefined {
  if (!/^-?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

/** An enum's number by its name or number. */
export function parseEnum(type: EnumType, text: string, path: FieldPath): number {
  const known = type.numbers.get(text);
  if (known !== undefined) return known;
  if (/^-?\d{1,10}$/.test(text)) return Number(parseInteger('int32', text, path));
  throw invalidArgument(`${path}: ${shown(text)} is none of ${[...type.numbers.keys()].join(', ')}`);
}

/**
 * Base64 in any usual form: both alphabets, with padding or without, in lines of any length. A space is refused: in a
 * query it is a `+` that was not escaped; and so is a text that was cut off, which a lone last digit and wrong padding
 * tell.
 */
export function parseBase64(text: string, path: FieldPath): Buffer {
  const bare = /[\r\n\t]/.test(text) ? text.replace(/[\r\n\t]+/g, '') : text;
  const padding = bare.endsWith('==') ? 2 : bare.endsWith('=') ? 1 : 0;
  const isWhole = padding === 0 ? bare.length % 4 !== 1 : bare.length % 4 === 0;
  if (!isWhole || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(bare)) throw invalidArgument(`${path}: expected base64`);
  return Buffer.from(bare, 'base64');
}

/** A float, also as the names that JSON has no numbers for. */
export function parseDouble(text: string, path: FieldPath): number {
  if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return Number(text);
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isNaN(value)) throw invalidArgument(`${path}: expected a number, got ${shown(text)}`);
  return value;
}

/** Go's strconv.ParseBool, as swift reads booleans in queries. Source: https://pkg.go.dev/strconv#ParseBool */
export function parseBoolean(text: string, path: FieldPath): boolean {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw invalidArgument(`${path}: expected true or false, got ${shown(text)}`);
}

/** Writes a scalar or enum field from its text. A default is written too: it may have to overrule an earlier value. */
export function writeTextField(
  out: WireWriter,
  number: number,
  type: ScalarType | EnumType,
  text: string,
  path: FieldPath,
): void {
  if (typeof type === 'object') out.tag(number, WireType.VARINT).int64(BigInt(parseEnum(type, text, path)));
  else if (type === 'string') out.tag(number, WireType.BYTES).string(text);
  else if (type === 'bytes') out.bytesField(number, parseBase64(text, path));
  else if (type === 'bool') out.tag(number, WireType.VARINT).uint32(parseBoolean(text, path) ? 1 : 0);
  else if (isInteger(type)) out.tag(number, WireType.VARINT).int64(parseInteger(type, text, path));
  else if (type === 'double') out.tag(number, WireType.FIXED64).double(parseDouble(text, path));
  else throw new Error(`the contract has no requests with ${type}`);
}

/** What a caller sent, short enough for an error message. */
function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
