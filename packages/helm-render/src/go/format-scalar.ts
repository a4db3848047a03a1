import { runeAt, runeToBytes } from './bytes.ts';
import { type FloatVerb, formatFloat } from './float.ts';
import { type FormatFlags, pad } from './format-flags.ts';
import { canBackquote, isPrint, quote, quoteRune } from './quote.ts';

/**
 * fmt's forms of single values. Each function gives undefined for a verb its kind does not have, which the printer
 * turns into `%!verb(type=value)`. https://pkg.go.dev/fmt#hdr-Printing
 */

const bases: Record<string, number> = { b: 2, o: 8, O: 8, d: 10, x: 16, X: 16 };

function integerPrefix(digits: string, verb: string, sharp: boolean): string {
  if (verb === 'O') return '0o';
  if (!sharp) return '';
  if (verb === 'b') return '0b';
  if (verb === 'x' || verb === 'X') return `0${verb}`;
  return verb === 'o' && !digits.startsWith('0') ? '0' : '';
}

function formatDigits(value: bigint, verb: string, flags: FormatFlags): string {
  const { precision, width } = flags;
  if (precision === 0 && value === 0n) return pad('', flags, false);
  const negative = value < 0n;
  const signed = negative || flags.plus || flags.space;
  let least = precision ?? 0;
  if (precision === undefined && flags.zero && width !== undefined) least = signed ? width - 1 : width;
  let digits = (negative ? -value : value).toString(bases[verb]);
  if (verb === 'X') digits = digits.toUpperCase();
  digits = digits.padStart(least, '0');
  const sign = negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  return pad(sign + integerPrefix(digits, verb, flags.sharp) + digits, flags, false);
}

function formatUnicode(value: bigint, flags: FormatFlags): string {
  const digits = (value < 0n ? BigInt.asUintN(64, value) : value).toString(16).toUpperCase();
  const code = `U+${digits.padStart(Math.max(flags.precision ?? 4, 4), '0')}`;
  const shown = flags.sharp && value >= 0n && value <= 0x10ffffn && isPrint(Number(value));
  return pad(shown ? `${code} '${runeToBytes(Number(value))}'` : code, flags, false);
}

/** An integer of any kind. `signed` decides `%#v`, which shows unsigned ones in hexadecimal. */
export function formatInteger(
  value: bigint,
  verb: string,
  flags: FormatFlags,
  signed: boolean,
): string | undefined {
  const rune = value >= 0n && value <= 0x10ffffn ? Number(value) : -1;
  switch (verb) {
    case 'v':
      if (flags.sharpV && !signed) return formatDigits(value, 'x', { ...flags, sharp: true });
      return formatDigits(value, 'd', flags);
    case 'd':
    case 'b':
    case 'o':
    case 'O':
    case 'x':
    case 'X':
      return formatDigits(value, verb, flags);
    case 'c':
      return pad(runeToBytes(rune), flags);
    case 'q':
      return pad(quoteRune(rune, flags.plus), flags);
    case 'U':
      return formatUnicode(value, flags);
    default:
      return undefined;
  }
}

/** `%#g` and the like keep the point and trailing zeros. */
function keepPoint(unsigned: string, verb: string, precision: number): string {
  const [mantissa = '', exponent] = unsigned.split(/(?=[eE])/);
  const isGeneral = verb === 'g' || verb === 'G';
  let kept = mantissa.includes('.') ? mantissa : `${mantissa}.`;
  if (isGeneral) {
    const significant = mantissa.replace('.', '').replace(/^0+/, '').length;
    kept += '0'.repeat(Math.max((precision < 0 ? 6 : precision) - significant, 0));
  }
  return kept + (exponent ?? '');
}

/** A float64. */
export function formatFloatVerb(value: number, verb: string, flags: FormatFlags): string | undefined {
  if (!/^[vgGeEfF]$/.test(verb)) return undefined;
  const letter = (verb === 'v' ? 'g' : verb) as FloatVerb;
  const precision = flags.precision ?? (letter === 'g' || letter === 'G' ? -1 : 6);
  const number = formatFloat(value, letter, precision);
  const signed = /^[+-]/.test(number);
  let unsigned = signed ? number.slice(1) : number;
  const minus = number.startsWith('-');
  const sign = minus ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  if (unsigned === 'NaN') return pad(sign + unsigned, flags, false);
  if (unsigned === 'Inf') return pad((sign || '+') + unsigned, flags, false);
  if (flags.sharp) unsigned = keepPoint(unsigned, letter, precision);
  const missing = (flags.width ?? 0) - sign.length - unsigned.length;
  if (flags.zero && sign !== '' && missing > 0) return sign + '0'.repeat(missing) + unsigned;
  return pad(sign + unsigned, flags);
}

export function formatBool(value: boolean, verb: string, flags: FormatFlags): string | undefined {
  return verb === 't' || verb === 'v' ? pad(String(value), flags) : undefined;
}

function truncateRunes(text: string, count: number | undefined): string {
  if (count === undefined) return text;
  let end = 0;
  for (let left = count; left > 0 && end < text.length; left--) end += runeAt(text, end).size;
  return text.slice(0, end);
}

function formatHex(text: string, verb: string, flags: FormatFlags): string {
  const bytes = text.slice(0, flags.precision ?? text.length);
  const pairs = Array.from(bytes, byte => byte.charCodeAt(0).toString(16).padStart(2, '0'));
  const prefix = flags.sharp ? '0x' : '';
  if (pairs.length === 0) return pad('', flags);
  const joined = flags.space ? pairs.map(pair => prefix + pair).join(' ') : prefix + pairs.join('');
  return pad(verb === 'X' ? joined.toUpperCase() : joined, flags);
}

/** A string, or bytes taken as one. */
export function formatString(text: string, verb: string, flags: FormatFlags): string | undefined {
  switch (verb) {
    case 'v':
    case 's':
      if (flags.sharpV) return pad(quote(truncateRunes(text, flags.precision)), flags);
      return pad(truncateRunes(text, flags.precision), flags);
    case 'x':
    case 'X':
      return formatHex(text, verb, flags);
    case 'q': {
      const cut = truncateRunes(text, flags.precision);
      if (flags.sharp && canBackquote(cut)) return pad(`\`${cut}\``, flags);
      return pad(quote(cut, flags.plus), flags);
    }
    default:
      return undefined;
  }
}
