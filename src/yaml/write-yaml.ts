import { type GatewayError, invalidArgument } from '../protocol/index.ts';
import { compareUtf8, formatYamlFloat, goJson, type YamlMap, type YamlValue } from './go-json.ts';
import { resolvePlain } from './go-schema.ts';

/** As for reading, whose defaults these are. */
const maxDepth = 1_000;
const maxNodes = 2_000_000;
const maxLength = 20 * 1024 * 1024;
/** libyaml's bound on a key that is not behind `?`, as JSON's are not. */
const maxKeyLength = 1024;

/** What JSON does not escape and YAML forbids. */
const forbidden = /[\u007f-\u0084\u0086-\u009f\ufffe\uffff]/;

/**
 * A value as ghodss/yaml's Marshal writes it, byte for byte: it ends with a line break, keys are in yaml.v2's order.
 *
 * There the value first becomes JSON, is read as YAML and only then written. So a float without a fraction is written
 * as an integer (up to 1e21), and a character that YAML forbids, such as U+007F, is an error.
 * @throws GatewayError INVALID_ARGUMENT on that, on NaN and infinities, and on values beyond the bounds of reading
 */
export function writeYaml(value: YamlValue): string {
  return emitYaml(new JsonAsYaml().read(value, 0));
}

/** What reading a value's JSON as YAML makes of it. */
class JsonAsYaml {
  #nodes = 0;
  #length = 0;

  read(value: YamlValue, depth: number): YamlValue {
    if (++this.#nodes > maxNodes) throw refused(`document has more than ${maxNodes} values`);
    if (typeof value === 'string') return this.#string(value);
    if (typeof value === 'number' || typeof value === 'bigint') return resolvePlain(goJson(value)).value;
    if (value === null || typeof value === 'boolean') return value;
    if (depth >= maxDepth) throw refused(`exceeded max depth of ${maxDepth}`);
    if (Array.isArray(value)) return value.map(item => this.read(item, depth + 1));
    return this.#map(value, depth + 1);
  }

  #map(map: YamlMap, depth: number): YamlMap {
    const read: YamlMap = new Map();
    // In JSON's order, because of two keys that became the same the last counts.
    for (const key of [...map.keys()].sort(compareUtf8)) {
      this.#nodes++;
      if (key.length > maxKeyLength / 6 - 2 && goJson(key).length > maxKeyLength) {
        throw refused("did not find expected ',' or '}': a key is too long");
      }
      if (key.includes('\x85')) throw refused("did not find expected ',' or '}': a key of two lines");
      read.set(this.#string(key), this.read(map.get(key)!, depth));
    }
    return read;
  }

  #string(text: string): string {
    this.#length += text.length;
    if (this.#length > maxLength) throw refused(`document is longer than ${maxLength} characters`);
    if (forbidden.test(text)) throw refused('control characters are not allowed');
    const given = text.toWellFormed();
    // The one line break of YAML that JSON does not escape is folded. Of many spaces only the first is tried as a beginning.
    return given.includes('\x85') ? given.replace(/(?<! ) *\x85[ \x85]*/g, fold) : given;
  }
}

function fold(breaks: string): string {
  return '\n'.repeat(breaks.replaceAll(' ', '').length - 1) || ' ';
}

function refused(problem: string): GatewayError {
  return invalidArgument(`error converting YAML to JSON: yaml: ${problem}`);
}

/** Lines are folded at the first space behind this column. */
const bestWidth = 80;
/** A longer key, in bytes, is written behind `? `. */
const maxSimpleKeyBytes = 128;

interface Place {
  /** The column of its first character. */
  readonly column: number;
  /** The indentation of its further lines. */
  readonly indent: number;
  /** A key that is written in front of its colon, on one line. */
  readonly isKey: boolean;
}

/** Writes a value as yaml.v2's Marshal does, in block style with two spaces for each level. */
function emitYaml(value: YamlValue): string {
  const text = isNested(value) ? collection(value, 0) : scalar(value, { column: 0, indent: 2, isKey: false });
  return `${text}\n`;
}

function isNested(value: YamlValue): value is YamlValue[] | YamlMap {
  return Array.isArray(value) ? value.length > 0 : value instanceof Map && value.size > 0;
}

/** The lines of a list or map that is not empty; the first begins where it is put, the others at column `indent`. */
function collection(value: YamlValue[] | YamlMap, indent: number): string {
  const lines = Array.isArray(value)
    ? value.map(item => `- ${inline(item, indent + 2)}`)
    : [...value.keys()].sort(compareKeys).map(key => entry(key, value.get(key)!, indent));
  return lines.join(`\n${' '.repeat(indent)}`);
}

/** A value that begins on the line of its indicator. */
function inline(value: YamlValue, indent: number): string {
  return isNested(value)
    ? collection(value, indent)
    : scalar(value, { column: indent, indent, isKey: false });
}

function entry(key: string, value: YamlValue, indent: number): string {
  if (/[\n\r\u0085\u2028\u2029]/.test(key) || Buffer.byteLength(key) > maxSimpleKeyBytes) {
    return `? ${inline(key, indent + 2)}\n${' '.repeat(indent)}: ${inline(value, indent + 2)}`;
  }
  const name = `${scalar(key, { column: indent, indent, isKey: true })}:`;
  if (isNested(value)) {
    // a list behind a key is not indented
    const inner = Array.isArray(value) ? indent : indent + 2;
    return `${name}\n${' '.repeat(inner)}${collection(value, inner)}`;
  }
  const column = indent + Array.from(name).length + 1;
  return `${name} ${scalar(value, { column, indent: indent + 2, isKey: false })}`;
}

function scalar(value: YamlValue, place: Place): string {
  if (typeof value === 'string') return string(value, place);
  if (Array.isArray(value)) return '[]';
  if (value instanceof Map) return '{}';
  return typeof value === 'number' ? formatYamlFloat(value) : String(value);
}

function string(text: string, place: Place): string {
  switch (styleOf(text, resolvePlain(text).tag === '!!str')) {
    case 'literal':
      return place.isKey ? doubleQuoted(text, place) : literal(text, place.indent);
    case 'plain':
      return folded(text, place, 0);
    case 'single quoted':
      return `'${folded(text, { ...place, column: place.column + 1 }, 1)}'`;
    case 'double quoted':
      return doubleQuoted(text, place);
  }
}

/** The text of a plain or single-quoted scalar: single spaces become line breaks, but not within `margin` of an end. */
function folded(text: string, { column, indent, isKey }: Place, margin: number): string {
  const quoted = margin > 0 ? text.replaceAll("'", "''") : text;
  if (isKey || column + quoted.length <= bestWidth) return quoted;
  const lines: string[] = [];
  let start = 0;
  let first = column;
  for (let at = quoted.indexOf(' '); at >= 0; at = quoted.indexOf(' ', at + 1)) {
    const isInside = at >= margin && at < quoted.length - margin;
    if (first + at - start <= bestWidth || !isInside || quoted[at - 1] === ' ' || quoted[at + 1] === ' ')
      continue;
    lines.push(quoted.slice(start, at));
    start = at + 1;
    first = indent;
  }
  lines.push(quoted.slice(start));
  return lines.join(`\n${' '.repeat(indent)}`);
}

function doubleQuoted(text: string, { column, indent, isKey }: Place): string {
  // A fault of yaml.v2: a byte order mark at the start makes it escape everything behind it too.
  const escapesAll = text.startsWith('\uFEFF');
  const parts: string[] = [];
  // joined now and then: a text that grows by characters takes many times its length
  let piece = ['"'];
  let at = column + 1;
  let afterSpace = false;
  for (let i = 0, next = 0; i < text.length; i = next) {
    const char = String.fromCodePoint(text.codePointAt(i)!);
    next = i + char.length;
    let written = escapesAll || escaped.test(char) ? escapeChar(char) : char;
    const isSpace = written === ' ';
    if (isSpace && !isKey && !afterSpace && at > bestWidth && i > 0 && next < text.length) {
      piece.push(`\n${' '.repeat(indent)}`);
      at = indent;
      written = text[next] === ' ' ? '\\' : '';
    }
    piece.push(written);
    at += char === written ? 1 : written.length;
    afterSpace = isSpace;
    if (piece.length < 4096) continue;
    parts.push(piece.join(''));
    piece = [];
  }
  return `${parts.join('')}${piece.join('')}"`;
}

const pieceChars = 16 * 1024;

/** With an indentation hint where it starts with white space, and `-` or `+` for none or several breaks at its end. */
function literal(text: string, indent: number): string {
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const chomping = text.endsWith('\n') ? (/^\n$|\n\n$/.test(text) ? '+' : '') : '-';
  const lines = text.replace(/\n$/, '');
  const pieces: string[] = [];
  // piece by piece: to replace in all of it at once takes thirty times the text's memory, where lines are short
  for (let start = 0, end = 0; start < lines.length; start = end) {
    end = lines.indexOf('\n', start + pieceChars);
    if (end < 0) end = lines.length;
    pieces.push(lines.slice(start, end).replace(/(^|\n)(?=[^\n])/g, `$1${' '.repeat(indent)}`));
  }
  return `|${hint}${chomping}\n${pieces.join('')}`;
}

const startIndicators = new Set('#,[]{}&*!|>\'"%@`');

/** Numbers in base 60 are no numbers here, but are for other readers: they are quoted (`190:20:30`). */
const base60 = /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/;

/**
 * What libyaml's Go translation holds for unprintable: controls, tabs among them, NEL, the byte order mark, and everything
 * above U+FFFF. Line separators are no such, but in quotes alone they read the same everywhere.
 */
const unprintable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters in question
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/;

/**
 * The style in which yaml.v2 writes a string, so that it reads back the same; libyaml's analysis, in block context.
 * @param readsAsString whether it is no number, boolean or null without quotes
 */
function styleOf(
  text: string,
  readsAsString: boolean,
): 'literal' | 'plain' | 'single quoted' | 'double quoted' {
  if (unprintable.test(text)) return 'double quoted';
  if (text.includes('\n')) return / (?:\n|$)/.test(text) ? 'double quoted' : 'literal';
  if (!readsAsString || base60.test(text)) return 'double quoted';
  return text.startsWith(' ') || text.endsWith(' ') || hasIndicator(text) ? 'single quoted' : 'plain';
}

/** Whether something in the text would read as YAML's own punctuation in a plain scalar. */
function hasIndicator(text: string): boolean {
  if (text.startsWith('---') || text.startsWith('...') || startIndicators.has(text[0]!)) return true;
  return /^[-?:](?: |$)|:(?: |$)| #/.test(text);
}

/** Characters with an escape of one letter, and these letters in the same order. */
const named = '\0\x07\b\t\n\v\f\r\x1b"\\\x85\xa0\u2028\u2029';
const letters = '0abtnvfre"\\N_LP';

/** What cannot stand for itself in double quotes; above U+FFFF nothing can. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters in question
const escaped = /^["\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/;

/** A character as YAML's escape: `\n`, `\x7F`, `\u200B`, `\U0001F600`. */
function escapeChar(char: string): string {
  const code = char.codePointAt(0)!;
  const index = named.indexOf(char);
  if (index >= 0) return `\\${letters[index]}`;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

const letter = /^\p{L}$/u;
const digit = /^\p{Nd}$/u;

/** Keys in the order in which yaml.v2 writes them: numbers inside a key by value, letters after the rest. */
function compareKeys(a: string, b: string): number {
  const x = charsOf(a);
  const y = charsOf(b);
  for (let i = 0; i < x.length && i < y.length; i++) {
    if (x[i] !== y[i]) return compareAt(x, y, i);
  }
  return x.length - y.length;
}

/** By characters, not UTF-16 units; a text that has no more than one unit for each is its own list. */
function charsOf(text: string): ArrayLike<string> {
  return /[\ud800-\udfff]/.test(text) ? Array.from(text) : text;
}

function compareAt(x: ArrayLike<string>, y: ArrayLike<string>, i: number): number {
  const byCode = x[i]!.codePointAt(0)! - y[i]!.codePointAt(0)!;
  const xLetter = letter.test(x[i]!);
  const yLetter = letter.test(y[i]!);
  if (xLetter && yLetter) return byCode;
  if (xLetter || yLetter) return yLetter ? -1 : 1;
  const xNumber = readNumber(x, i);
  const yNumber = readNumber(y, i);
  // A zero behind other digits is part of a number that already differs in length only.
  if ((x[i] === '0' || y[i] === '0') && hasDigitBefore(x, i)) {
    xNumber.value += 10n ** BigInt(xNumber.end - i);
    yNumber.value += 10n ** BigInt(yNumber.end - i);
  }
  if (xNumber.value !== yNumber.value) return xNumber.value < yNumber.value ? -1 : 1;
  return xNumber.end - yNumber.end || byCode;
}

function hasDigitBefore(chars: ArrayLike<string>, i: number): boolean {
  for (let j = i - 1; j >= 0 && digit.test(chars[j]!); j--) if (chars[j] !== '0') return true;
  return false;
}

function readNumber(chars: ArrayLike<string>, start: number): { value: bigint; end: number } {
  let end = start;
  let value = 0n;
  for (; end < chars.length && digit.test(chars[end]!); end++) {
    value = BigInt.asIntN(64, value * 10n + BigInt(chars[end]!.codePointAt(0)! - 0x30));
  }
  return { value, end };
}
