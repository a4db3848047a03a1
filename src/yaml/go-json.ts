import { invalidArgument } from '../protocol/index.ts';

/**
 * A YAML or JSON value as Go's libraries hold it after `ghodss/yaml` turned YAML into JSON.
 *
 * Integers are `bigint` (exact, whatever their size), floats are `number`; so `1` and `1.0` stay different values.
 * Maps are `Map`s with string keys in the order of the text: unlike an object, a Map has no prototype that a key such
 * as `__proto__` could reach, and integer-like keys keep their place.
 */
export type YamlValue = null | boolean | number | bigint | string | YamlValue[] | YamlMap;
export type YamlMap = Map<string, YamlValue>;

/** Characters that encoding/json escapes: it keeps its output safe inside HTML and JavaScript. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what JSON escapes
const mustEscape = /["\\\u0000-\u001f<>&\u2028\u2029]/g;

/**
 * A value as Go's json.Marshal writes it: keys in byte order, `<`, `>`, `&` escaped, floats with an exponent below 1e-6
 * and from 1e21 on.
 * Throws INVALID_ARGUMENT on NaN and infinities. Depth is not bounded: give it values that parseYaml bounded.
 */
export function goJson(value: YamlValue): string {
  const parts: string[] = [];
  write(value, parts);
  return parts.join('');
}

function write(value: YamlValue, parts: string[]): void {
  if (typeof value === 'string') parts.push(quote(value));
  else if (typeof value === 'number') parts.push(formatFloat(value));
  else if (Array.isArray(value)) {
    parts.push('[');
    for (const [index, item] of value.entries()) {
      if (index > 0) parts.push(',');
      write(item, parts);
    }
    parts.push(']');
  } else if (value instanceof Map) {
    parts.push('{');
    for (const [index, key] of [...value.keys()].sort(compareUtf8).entries()) {
      parts.push(index > 0 ? ',' : '', quote(key), ':');
      write(value.get(key)!, parts);
    }
    parts.push('}');
  } else parts.push(String(value));
}

/** A string in JSON; lone surrogates become U+FFFD, as invalid UTF-8 does in Go. */
function quote(text: string): string {
  return `"${text.toWellFormed().replace(mustEscape, escapeJson)}"`;
}

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function escapeJson(char: string): string {
  return short[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A float in JSON: format 'f' or 'e' of the shortest digits, the exponent without a zero in front. */
function formatFloat(value: number): string {
  if (!Number.isFinite(value)) throw invalidArgument(`json: unsupported value: ${formatFloatF(value)}`);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-6 || size >= 1e21)) return formatFloatE(value).replace(/e-0(\d)$/, 'e-$1');
  return formatFloatF(value);
}

/** Orders strings as Go does, by their UTF-8 bytes, which is by code point; for use with `sort`. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all other units, though their numbers are lower than some. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/*
 * Floats as Go's strconv.FormatFloat writes them with precision -1: by the shortest digits that give the same float back,
 * which are JavaScript's.
 */

function signOf(value: number): string {
  return value < 0 || Object.is(value, -0) ? '-' : '';
}

function special(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** Format 'e': `1.5e+21`; the exponent has at least two digits. */
export function formatFloatE(value: number): string {
  if (!Number.isFinite(value)) return special(value);
  const text = Math.abs(value).toExponential();
  return signOf(value) + text.replace(/e([-+])(\d)$/, (_all, sign, digit) => `e${sign}0${digit}`);
}

/** Format 'f': all digits, no exponent. */
export function formatFloatF(value: number): string {
  if (!Number.isFinite(value)) return special(value);
  const [mantissa = '', exponent = '0'] = String(Math.abs(value)).split('e');
  const digits = mantissa.replace('.', '');
  const power = Number(exponent);
  if (power === 0) return signOf(value) + mantissa;
  return signOf(value) + (power < 0 ? `0.${'0'.repeat(-power - 1)}${digits}` : digits.padEnd(power + 1, '0'));
}

/** Format 'g': with an exponent where that is below -4 or above 5, so that a million is `1e+06`. */
export function formatFloatG(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e6) ? formatFloatE(value) : formatFloatF(value);
}

/** A float as yaml.v2 writes it. */
export function formatYamlFloat(value: number): string {
  const text = formatFloatG(value);
  return { '+Inf': '.inf', '-Inf': '-.inf', NaN: '.nan' }[text] ?? text;
}

/** The float with the fewest digits that is the same in 32 bits: what formats it as Go does with bit size 32. */
export function shortestFloat32(value: number): number {
  const single = Math.fround(value);
  if (!Number.isFinite(single) || single === 0) return single;
  for (let precision = 1; precision < 9; precision++) {
    const short = Number(single.toPrecision(precision));
    if (Math.fround(short) === single) return short;
  }
  return Number(single.toPrecision(9));
}
