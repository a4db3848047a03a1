import { isBlankOrEnd, isBreak } from './chars.ts';
import type { Cursor } from './cursor.ts';
import { Gap } from './fold.ts';
import { scannerError } from './yaml-error.ts';

/** Escapes of double-quoted scalars that stand for one character (YAML 1.1, section 5.6, and libyaml's `\'`). */
const escapes: ReadonlyMap<string, string> = new Map([
  ['0', '\0'],
  ['a', '\x07'],
  ['b', '\b'],
  ['t', '\t'],
  ['\t', '\t'],
  ['n', '\n'],
  ['v', '\v'],
  ['f', '\f'],
  ['r', '\r'],
  ['e', '\x1b'],
  [' ', ' '],
  ['"', '"'],
  ["'", "'"],
  ['\\', '\\'],
  ['N', '\x85'],
  ['_', '\xa0'],
  ['L', '\u2028'],
  ['P', '\u2029'],
]);

const hexDigits: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
]);

/** Reads a scalar in single or double quotes; the cursor stands on the opening quote. */
export function scanQuoted(cursor: Cursor): string {
  const startLine = cursor.line;
  const quote = cursor.peek();
  cursor.skip();
  const parts: string[] = [];
  const gap = new Gap();
  for (;;) {
    if (cursor.atDocumentIndicator()) {
      throw scannerError('found unexpected document indicator', cursor.line, startLine);
    }
    if (cursor.atEnd) throw scannerError('found unexpected end of stream', cursor.line, startLine);
    gap.broken = readText(cursor, quote, startLine, parts);
    if (cursor.peek() === quote) break;
    gap.read(cursor);
    parts.push(gap.take());
  }
  cursor.skip();
  return parts.join('');
}

/** Reads up to white space or the closing quote. Gives whether it ended behind an escaped line break. */
function readText(cursor: Cursor, quote: number, startLine: number, parts: string[]): boolean {
  let start = cursor.position;
  const flush = () => {
    if (cursor.position > start) parts.push(cursor.text.slice(start, cursor.position));
  };
  for (let c = cursor.peek(); !isBlankOrEnd(c); c = cursor.peek()) {
    if (c === quote) {
      if (quote !== 0x27 || cursor.peek(1) !== 0x27) break;
      cursor.skip();
      flush();
      cursor.skip();
      start = cursor.position;
    } else if (quote === 0x22 && c === 0x5c) {
      flush();
      cursor.skip();
      if (isBreak(cursor.peek())) {
        cursor.readBreak();
        return true;
      }
      parts.push(readEscape(cursor, startLine));
      start = cursor.position;
    } else {
      cursor.skip();
    }
  }
  flush();
  return false;
}

/** Reads an escape behind its backslash. */
function readEscape(cursor: Cursor, startLine: number): string {
  const letter = cursor.text.charAt(cursor.position);
  const simple = escapes.get(letter);
  if (simple !== undefined) {
    cursor.skip();
    return simple;
  }
  const length = hexDigits.get(letter);
  if (length === undefined) {
    throw scannerError('found unknown escape character', cursor.line, startLine);
  }
  cursor.skip();
  const digits = cursor.text.slice(cursor.position, cursor.position + length);
  if (digits.length < length || !/^[0-9A-Fa-f]+$/.test(digits)) {
    throw scannerError('did not find expected hexdecimal number', cursor.line, startLine);
  }
  const code = Number.parseInt(digits, 16);
  if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) {
    throw scannerError('found invalid Unicode character escape code', cursor.line, startLine);
  }
  cursor.skip(length);
  return String.fromCodePoint(code);
}
