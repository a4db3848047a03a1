/** Sprig's conversions between Go's types, which most of its functions apply to their arguments. */
import { bufferToBytes } from '../go/bytes.ts';
import type { Work } from '../go/limits.ts';
import { formatValue } from '../go/print.ts';
import { GoComplex, GoInteger, type GoValue, integerOf, typedList } from '../go/value.ts';

const minInt64 = -(1n << 63n);
const maxInt64 = (1n << 63n) - 1n;

/** Sprig's toInt64: decimal text, any number, booleans as 1 and 0; everything else is 0. */
export function toInt64(value: GoValue): bigint {
  if (typeof value === 'string') return parseDecimal(value) ?? 0n;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number') return truncate(value);
  const integer = integerOf(value);
  if (integer === undefined) return 0n;
  return integer > maxInt64 ? maxInt64 : integer;
}

/** A float as Go converts it to int64 on amd64: without its fraction; what does not fit is the least int64. */
function truncate(value: number): bigint {
  if (!Number.isFinite(value)) return minInt64;
  const whole = BigInt(Math.trunc(value));
  return whole < minInt64 || whole > maxInt64 ? minInt64 : whole;
}

/** strconv.ParseInt with base 10: undefined on any other text, and beyond 64 bits. */
export function parseDecimal(text: string): bigint | undefined {
  // 19 digits and zeros in front: a longer text would only cost time.
  if (!/^[-+]?\d{1,400}$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ''));
  return value < minInt64 || value > maxInt64 ? undefined : value;
}

/** Sprig's toFloat64: text as strconv.ParseFloat reads it, any number, booleans; everything else is 0. */
export function toFloat64(value: GoValue): number {
  if (typeof value === 'string') return parseFloat64(value) ?? 0;
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return Number(integerOf(value) ?? 0n);
}

const decimalFloat = /^[-+]?(?:\d[\d_]*(?:\.(?!_)[\d_]*)?|\.\d[\d_]*)(?:[eE][-+]?\d[\d_]*)?$/;
const hexFloat = /^([-+]?)0[xX]_?([0-9a-fA-F_]*)\.?([0-9a-fA-F_]*)[pP]([-+]?\d+)$/;
const special = /^([-+]?)(inf|infinity|nan)$/i;

/** strconv.ParseFloat with 64 bits; undefined where it gives an error. */
function parseFloat64(text: string): number | undefined {
  if (text.length > 2_000) return undefined;
  const word = special.exec(text);
  if (word) {
    if (word[2]!.toLowerCase() === 'nan') return word[1] === '' ? Number.NaN : undefined;
    return word[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const value = hexFloat.test(text) ? parseHexFloat(text) : parseDecimalFloat(text);
  return value === undefined || Number.isFinite(value) ? value : undefined;
}

function parseDecimalFloat(text: string): number | undefined {
  // Underscores stand between digits only.
  if (!decimalFloat.test(text) || /_(?!\d)/.test(text)) return undefined;
  return Number(text.replaceAll('_', ''));
}

function parseHexFloat(text: string): number | undefined {
  const [, sign, whole = '', fraction = '', exponent = '0'] = hexFloat.exec(text)!;
  const digits = (whole + fraction).replaceAll('_', '');
  if (digits === '' || digits.length > 300) return undefined;
  const power = Number(exponent) - 4 * fraction.replaceAll('_', '').length;
  return Number(BigInt(`0x${digits}`)) * 2 ** power * (sign === '-' ? -1 : 1);
}

/** Sprig's strval: text and bytes as they are, everything else as `%v`. */
export function toText(value: GoValue, work: Work): string {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? bufferToBytes(value) : formatValue(value, work);
}

/** The elements of any slice, undefined for what is none. */
export function elementsOf(value: GoValue): readonly GoValue[] | undefined {
  if (Array.isArray(value)) return value;
  if (value instanceof Uint8Array) return Array.from(value, byte => new GoInteger('uint8', BigInt(byte)));
  return undefined;
}

/** Sprig's strslice: the elements of a list as text, without nils; one value as a list of one. */
export function toTexts(value: GoValue, work: Work): string[] {
  if (value === null) return [];
  const elements = elementsOf(value);
  if (elements === undefined) return [toText(value, work)];
  return elements.filter(element => element !== null).map(element => toText(element, work));
}

/** A []string. */
export function texts(items: Iterable<string>): GoValue {
  return typedList('string', items);
}

/** Sprig's empty: nil, zero, false, and whatever has no elements; a struct never is. */
export function isEmpty(value: GoValue): boolean {
  if (value === null || value === false || value === '' || value === 0 || value === 0n) return true;
  if (value instanceof Map) return value.size === 0;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (value instanceof GoInteger) return value.value === 0n;
  if (value instanceof GoComplex) return value.real === 0 && value.imaginary === 0;
  return false;
}
