import { quote, unquoteChar } from '../go/quote.ts';
import type { NumberConstant } from './node.ts';

/** A constant that cannot be read; the message is Go's. */
export class NumberSyntaxError extends Error {
  override readonly name = 'NumberSyntaxError';
}

/** Longer constants are refused: reading one takes time that grows with the square of its length. */
const maxLength = 1000;

const maxUint64 = 2n ** 64n - 1n;
const maxInt64 = 2n ** 63n - 1n;
const minInt64 = -(2n ** 63n);

/** Underscores must separate digits, or follow the base's prefix. */
const integerForms: readonly (readonly [RegExp, string])[] = [
  [/^0[xX]((?:_?[0-9a-fA-F])+)$/, '0x'],
  [/^0[oO]?((?:_?[0-7])+)$/, '0o'],
  [/^0[bB]((?:_?[01])+)$/, '0b'],
  [/^([0-9](?:_?[0-9])*)$/, ''],
];

/** An unsigned integer literal in any base; undefined for what is none. */
function parseMagnitude(text: string): bigint | undefined {
  for (const [pattern, prefix] of integerForms) {
    const digits = pattern.exec(text)?.[1];
    if (digits === undefined) continue;
    if (prefix === '' && /^0[0-9_]/.test(text)) return undefined;
    return BigInt(prefix + digits.replaceAll('_', ''));
  }
  return undefined;
}

const decimalFloat =
  /^[-+]?(?:[0-9](?:_?[0-9])*(?:\.(?:[0-9](?:_?[0-9])*)?)?|\.[0-9](?:_?[0-9])*)(?:[eE][-+]?[0-9]+)?$/;
const hexFloat = /^([-+]?)0[xX]_?([0-9a-fA-F_]*)\.?([0-9a-fA-F_]*)[pP]([-+]?[0-9]+)$/;

/** strconv.ParseFloat of what the lexer lets through; undefined where the syntax is wrong or the value too large. */
function parseFloatLiteral(text: string): number | undefined {
  const hex = hexFloat.exec(text);
  let value: number;
  if (hex) {
    const [, sign, whole = '', fraction = '', exponent] = hex;
    const digits = (whole + fraction).replaceAll('_', '');
    if (digits === '') return undefined;
    const scale = Number(exponent) - 4 * fraction.replaceAll('_', '').length;
    value = Number(BigInt(`0x${digits}`)) * 2 ** scale * (sign === '-' ? -1 : 1);
  } else if (decimalFloat.test(text)) {
    value = Number(text.replaceAll('_', ''));
  } else {
    return undefined;
  }
  return Number.isFinite(value) ? value : undefined;
}

/** The integers a float stands for, when it is whole. */
function integersOf(float: number): NumberConstant {
  if (!Number.isInteger(float)) return { float };
  const whole = BigInt(float);
  return {
    float,
    ...(whole >= minInt64 && whole <= maxInt64 ? { int: whole } : {}),
    ...(whole >= 0n && whole <= maxUint64 ? { uint: whole } : {}),
  };
}

function complexConstant(real: number, imaginary: number): NumberConstant {
  const complex = { real, imaginary };
  return imaginary === 0 ? { complex, ...integersOf(real) } : { complex };
}

function refuseTooLong(text: string): void {
  if (text.length > maxLength) throw new NumberSyntaxError(`illegal number syntax: ${quote(text)}`);
}

/** `'a'`: a character is the integer of its code point. */
export function parseCharacterConstant(text: string): NumberConstant {
  const body = text.slice(1, -1);
  const char = unquoteChar(text.slice(1), 0, "'");
  if (char === undefined) throw new NumberSyntaxError('invalid syntax');
  if (char.next !== body.length) throw new NumberSyntaxError(`malformed character constant: ${text}`);
  return { int: BigInt(char.value), uint: BigInt(char.value), float: char.value };
}

/** `1+2i` */
export function parseComplexConstant(text: string): NumberConstant {
  refuseTooLong(text);
  // The sign between the parts is neither the first character nor that of an exponent.
  const split = /^([-+]?[^-+]*(?:[eEpP][-+][^-+]*)?)([-+].*)i$/.exec(text);
  const real = parseFloatLiteral(split?.[1] ?? '');
  const imaginary = parseFloatLiteral(split?.[2] ?? '');
  if (real === undefined || imaginary === undefined)
    throw new NumberSyntaxError('syntax error scanning complex number');
  return complexConstant(real, imaginary);
}

/**
 * A number as Go's templates read it: the constant is kept in every form that can hold it.
 * Rules: https://go.dev/ref/spec#Integer_literals
 * @throws NumberSyntaxError
 */
export function parseNumberConstant(text: string): NumberConstant {
  refuseTooLong(text);
  if (text.endsWith('i')) {
    const imaginary = parseFloatLiteral(text.slice(0, -1));
    if (imaginary !== undefined) return complexConstant(0, imaginary);
  }
  const sign = /^[-+]/.exec(text)?.[0] ?? '';
  const magnitude = parseMagnitude(text.slice(sign.length));
  const signed = magnitude === undefined ? undefined : sign === '-' ? -magnitude : magnitude;
  const fitsInt = signed !== undefined && signed >= minInt64 && signed <= maxInt64;
  const fitsUint =
    signed !== undefined && signed >= 0n && signed <= maxUint64 && (sign === '' || signed === 0n);
  if (fitsInt || fitsUint) {
    return {
      float: Number(signed),
      ...(fitsInt ? { int: signed } : {}),
      ...(fitsUint ? { uint: signed } : {}),
    };
  }
  const float = parseFloatLiteral(text);
  if (float === undefined) throw new NumberSyntaxError(`illegal number syntax: ${quote(text)}`);
  // A float that looks like an integer is one that is too large.
  if (!/[.eEpP]/.test(text)) throw new NumberSyntaxError(`integer overflow: ${quote(text)}`);
  return integersOf(float);
}
