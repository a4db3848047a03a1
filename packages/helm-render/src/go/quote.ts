import { runeAt, runeError, runesOf, runeToBytes } from './bytes.ts';

/**
 * Go's quoted forms of strings and characters, as `%q`, error texts and string constants in templates use them.
 * Rules: https://pkg.go.dev/strconv#Quote and https://go.dev/ref/spec#String_literals. All strings are byte strings.
 */

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u;

/** unicode.IsPrint: letters, marks, numbers, punctuation, symbols, and the ASCII space. */
export function isPrint(rune: number): boolean {
  if (rune < 0x7f) return rune >= 0x20;
  return rune <= 0x10ffff && printable.test(String.fromCodePoint(rune));
}

const shortEscapes = new Map<number, string>([
  [7, '\\a'],
  [8, '\\b'],
  [12, '\\f'],
  [10, '\\n'],
  [13, '\\r'],
  [9, '\\t'],
  [11, '\\v'],
]);

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');

function escapeRune(rune: number, quote: string, asciiOnly: boolean): string {
  if (rune === quote.charCodeAt(0) || rune === 0x5c) return `\\${String.fromCharCode(rune)}`;
  if (asciiOnly ? rune < 0x7f && isPrint(rune) : isPrint(rune)) return runeToBytes(rune);
  const short = shortEscapes.get(rune);
  if (short !== undefined) return short;
  if (rune < 0x20 || rune === 0x7f) return `\\x${hex(rune, 2)}`;
  return rune < 0x10000 ? `\\u${hex(rune, 4)}` : `\\U${hex(rune, 8)}`;
}

/** strconv.Quote, or QuoteToASCII. */
export function quote(text: string, asciiOnly = false): string {
  let quoted = '"';
  let index = 0;
  for (const { value, size } of runesOf(text)) {
    const invalid = value === runeError && size === 1;
    quoted += invalid ? `\\x${hex(text.charCodeAt(index), 2)}` : escapeRune(value, '"', asciiOnly);
    index += size;
  }
  return `${quoted}"`;
}

/** strconv.QuoteRune: a character constant. What is no code point is shown as U+FFFD. */
export function quoteRune(rune: number, asciiOnly = false): string {
  const valid = rune >= 0 && rune <= 0x10ffff && !(rune >= 0xd800 && rune <= 0xdfff);
  return `'${escapeRune(valid ? rune : runeError, "'", asciiOnly)}'`;
}

/** Whether `text` fits between back quotes unchanged: strconv.CanBackquote. */
export function canBackquote(text: string): boolean {
  for (const { value, size } of runesOf(text)) {
    if (size > 1) {
      if (value === 0xfeff) return false;
    } else if (value === runeError || (value < 0x20 && value !== 9) || value === 0x60 || value === 0x7f) {
      return false;
    }
  }
  return true;
}

const simpleEscapes: Record<string, number> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11, '\\': 92 };
const hexLengths: Record<string, number> = { x: 2, u: 4, U: 8 };

/** One character of a quoted form: its bytes, its value, and where the rest begins. */
export interface UnquotedChar {
  readonly bytes: string;
  readonly value: number;
  readonly next: number;
}

function unquoteNumeric(body: string, at: number, letter: string): UnquotedChar | undefined {
  const length = hexLengths[letter];
  const start = length === undefined ? at + 1 : at + 2;
  const end = start + (length ?? 3);
  const digits = body.slice(start, end);
  const pattern = length === undefined ? /^[0-7]{3}$/ : /^[0-9a-fA-F]+$/;
  if (digits.length !== end - start || !pattern.test(digits)) return undefined;
  const value = Number.parseInt(digits, length === undefined ? 8 : 16);
  const isByte = length === undefined || length === 2;
  if (isByte) return value > 255 ? undefined : { bytes: String.fromCharCode(value), value, next: end };
  if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return undefined;
  return { bytes: runeToBytes(value), value, next: end };
}

/** strconv.UnquoteChar: the character at `at` of a body within `quoteMark`s; undefined where the syntax is wrong. */
export function unquoteChar(body: string, at: number, quoteMark: string): UnquotedChar | undefined {
  const first = body[at];
  if (first === undefined || first === quoteMark) return undefined;
  if (first !== '\\') {
    const { value, size } = runeAt(body, at);
    return { bytes: body.slice(at, at + size), value, next: at + size };
  }
  const letter = body[at + 1];
  if (letter === undefined) return undefined;
  const simple = simpleEscapes[letter];
  if (simple !== undefined) return { bytes: String.fromCharCode(simple), value: simple, next: at + 2 };
  if (letter === "'" || letter === '"') {
    return letter === quoteMark ? { bytes: letter, value: letter.charCodeAt(0), next: at + 2 } : undefined;
  }
  return unquoteNumeric(body, at, letter);
}

/** strconv.Unquote of a `"..."` or back-quoted form; undefined where the syntax is wrong. */
export function unquote(quoted: string): string | undefined {
  const mark = quoted[0];
  const body = quoted.slice(1, -1);
  if (quoted.length < 2 || quoted.at(-1) !== mark) return undefined;
  if (mark === '`') return body.includes('`') ? undefined : body.replaceAll('\r', '');
  if (mark !== '"' || body.includes('\n')) return undefined;
  let text = '';
  for (let at = 0; at < body.length; ) {
    const char = unquoteChar(body, at, '"');
    if (char === undefined) return undefined;
    text += char.bytes;
    at = char.next;
  }
  return text;
}
