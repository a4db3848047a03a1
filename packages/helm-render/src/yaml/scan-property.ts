import { isBlank, isBlankOrEnd, isBreakOrEnd, isDigit, isWord } from './chars.ts';
import type { Cursor } from './cursor.ts';
import type { Token } from './token.ts';
import { scannerError } from './yaml-error.ts';

/** What may follow the name of an anchor or alias besides white space: `? : , ] } % @` and the backtick. */
const afterName = new Set([...'?:,]}%@`'].map(c => c.charCodeAt(0)));
const uriMarks = new Set([...";/?:@&=+$,.!~*'()[]%"].map(c => c.charCodeAt(0)));

/** Reads `&name` or `*name`. */
export function scanAnchor(cursor: Cursor, kind: 'anchor' | 'alias'): Token {
  const line = cursor.line;
  cursor.skip();
  const value = readWord(cursor);
  const next = cursor.peek();
  if (value === '' || !(isBlankOrEnd(next) || afterName.has(next))) {
    throw scannerError('did not find expected alphabetic or numeric character', cursor.line, line);
  }
  return { kind, line, value };
}

/** Reads `!tag`, `!handle!tag` or `!<tag>`. */
export function scanTag(cursor: Cursor): Token {
  const line = cursor.line;
  let handle = '';
  let value: string;
  if (cursor.peek(1) === 0x3c) {
    cursor.skip(2);
    value = readUri(cursor, line, '');
    if (cursor.peek() !== 0x3e) throw scannerError("did not find the expected '>'", cursor.line, line);
    cursor.skip();
  } else {
    handle = readHandle(cursor, line, false);
    if (handle.length > 1 && handle.endsWith('!')) {
      value = readUri(cursor, line, '');
    } else {
      value = readUri(cursor, line, handle);
      handle = value === '' ? '' : '!';
      if (value === '') value = '!';
    }
  }
  if (!isBlankOrEnd(cursor.peek())) {
    throw scannerError('did not find expected whitespace or line break', cursor.line, line);
  }
  return { kind: 'tag', line, value, handle };
}

/** Reads a `%YAML` or `%TAG` line. */
export function scanDirective(cursor: Cursor): Token {
  const line = cursor.line;
  cursor.skip();
  const name = readWord(cursor);
  if (name === '') throw scannerError('could not find expected directive name', cursor.line, line);
  if (!isBlankOrEnd(cursor.peek())) {
    throw scannerError('found unexpected non-alphabetical character', cursor.line, line);
  }
  let token: Token;
  if (name === 'YAML') token = { kind: 'version-directive', line, value: readVersion(cursor, line) };
  else if (name === 'TAG') token = { kind: 'tag-directive', line, ...readTagDirective(cursor, line) };
  else throw scannerError('found unknown directive name', cursor.line, line);
  skipBlanks(cursor);
  if (cursor.peek() === 0x23) while (!isBreakOrEnd(cursor.peek())) cursor.skip();
  if (!isBreakOrEnd(cursor.peek())) {
    throw scannerError('did not find expected comment or line break', cursor.line, line);
  }
  cursor.readBreak();
  return token;
}

function readVersion(cursor: Cursor, line: number): string {
  skipBlanks(cursor);
  const major = readNumber(cursor, line);
  if (cursor.peek() !== 0x2e) {
    throw scannerError("did not find expected digit or '.' character", cursor.line, line);
  }
  cursor.skip();
  return `${major}.${readNumber(cursor, line)}`;
}

function readNumber(cursor: Cursor, line: number): number {
  let digits = '';
  for (let c = cursor.peek(); isDigit(c); c = cursor.peek()) {
    digits += String.fromCharCode(c);
    if (digits.length > 2) throw scannerError('found extremely long version number', cursor.line, line);
    cursor.skip();
  }
  if (digits === '') throw scannerError('did not find expected version number', cursor.line, line);
  return Number(digits);
}

function readTagDirective(cursor: Cursor, line: number): { handle: string; value: string } {
  skipBlanks(cursor);
  const handle = readHandle(cursor, line, true);
  if (!isBlank(cursor.peek())) throw scannerError('did not find expected whitespace', cursor.line, line);
  skipBlanks(cursor);
  const value = readUri(cursor, line, '');
  if (!isBlankOrEnd(cursor.peek())) {
    throw scannerError('did not find expected whitespace or line break', cursor.line, line);
  }
  return { handle, value };
}

function readHandle(cursor: Cursor, line: number, directive: boolean): string {
  if (cursor.peek() !== 0x21) throw scannerError("did not find expected '!'", cursor.line, line);
  cursor.skip();
  const handle = `!${readWord(cursor)}`;
  if (cursor.peek() === 0x21) {
    cursor.skip();
    return `${handle}!`;
  }
  if (directive && handle !== '!') throw scannerError("did not find expected '!'", cursor.line, line);
  return handle;
}

/** Reads a URI with its %-escapes. `head` is a handle that turned out to be the start of the tag itself. */
function readUri(cursor: Cursor, line: number, head: string): string {
  const start = cursor.position;
  while (isWord(cursor.peek()) || uriMarks.has(cursor.peek())) cursor.skip();
  const raw = cursor.text.slice(start, cursor.position);
  if (head === '' && raw === '') throw scannerError('did not find expected tag URI', cursor.line, line);
  if (!raw.includes('%')) return head.slice(1) + raw;
  try {
    return head.slice(1) + decodeURIComponent(raw);
  } catch {
    throw scannerError('did not find URI escaped octet', cursor.line, line);
  }
}

function readWord(cursor: Cursor): string {
  const start = cursor.position;
  while (isWord(cursor.peek())) cursor.skip();
  return cursor.text.slice(start, cursor.position);
}

function skipBlanks(cursor: Cursor): void {
  while (isBlank(cursor.peek())) cursor.skip();
}
