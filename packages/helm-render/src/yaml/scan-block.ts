import { isBlank, isBreak, isBreakOrEnd, isDigit } from './chars.ts';
import type { Cursor } from './cursor.ts';
import { scannerError } from './yaml-error.ts';

interface Header {
  /** What to do with the line breaks at the end: `-` none, `+` all, '' one. */
  readonly chomping: '-' | '+' | '';
  /** Columns of indentation beyond the parent's; 0 = found out from the first line with text. */
  readonly increment: number;
}

/** Reads a `|` or `>` scalar; the cursor stands on the indicator. `parentIndent` is -1 at the top. */
export function scanBlock(cursor: Cursor, parentIndent: number): string {
  const startLine = cursor.line;
  const literal = cursor.peek() === 0x7c;
  cursor.skip();
  const header = scanHeader(cursor, startLine);
  const given = header.increment === 0 ? 0 : Math.max(parentIndent, 0) + header.increment;
  const body = new BlockBody(cursor, startLine, parentIndent, given);
  return body.read(literal, header.chomping);
}

function scanHeader(cursor: Cursor, startLine: number): Header {
  let chomping = readChomping(cursor);
  const increment = readIncrement(cursor, startLine);
  if (chomping === '' && increment > 0) chomping = readChomping(cursor);
  while (isBlank(cursor.peek())) cursor.skip();
  if (cursor.peek() === 0x23) while (!isBreakOrEnd(cursor.peek())) cursor.skip();
  if (!isBreakOrEnd(cursor.peek())) {
    throw scannerError('did not find expected comment or line break', cursor.line, startLine);
  }
  cursor.readBreak();
  return { chomping, increment };
}

function readChomping(cursor: Cursor): '-' | '+' | '' {
  const c = cursor.peek();
  if (c !== 0x2b && c !== 0x2d) return '';
  cursor.skip();
  return c === 0x2b ? '+' : '-';
}

function readIncrement(cursor: Cursor, startLine: number): number {
  const c = cursor.peek();
  if (!isDigit(c)) return 0;
  if (c === 0x30) {
    throw scannerError('found an indentation indicator equal to 0', cursor.line, startLine);
  }
  cursor.skip();
  return c - 0x30;
}

class BlockBody {
  readonly #cursor: Cursor;
  readonly #startLine: number;
  readonly #parentIndent: number;
  #indent: number;

  constructor(cursor: Cursor, startLine: number, parentIndent: number, indent: number) {
    this.#cursor = cursor;
    this.#startLine = startLine;
    this.#parentIndent = parentIndent;
    this.#indent = indent;
  }

  read(literal: boolean, chomping: '-' | '+' | ''): string {
    const cursor = this.#cursor;
    const parts: string[] = [];
    let lineBreak = '';
    let emptyLines = this.#readEmptyLines();
    let afterIndented = false;
    while (cursor.column === this.#indent && !cursor.atEnd) {
      const indented = isBlank(cursor.peek());
      // A folded line break becomes a space, unless one of its lines is indented more or empty lines follow.
      const fold = !literal && lineBreak === '\n' && !afterIndented && !indented;
      if (!fold) parts.push(lineBreak);
      else if (emptyLines === '') parts.push(' ');
      parts.push(emptyLines);
      afterIndented = indented;
      const start = cursor.position;
      while (!isBreakOrEnd(cursor.peek())) cursor.skip();
      parts.push(cursor.text.slice(start, cursor.position));
      lineBreak = cursor.readBreak();
      emptyLines = this.#readEmptyLines();
    }
    if (chomping !== '-') parts.push(lineBreak);
    if (chomping === '+') parts.push(emptyLines);
    return parts.join('');
  }

  /** Reads indentation and empty lines; finds the indentation out where it was not given. */
  #readEmptyLines(): string {
    const cursor = this.#cursor;
    let breaks = '';
    let widest = 0;
    const belowIndent = () => this.#indent === 0 || cursor.column < this.#indent;
    for (;;) {
      while (belowIndent() && cursor.peek() === 0x20) cursor.skip();
      widest = Math.max(widest, cursor.column);
      if (belowIndent() && cursor.peek() === 0x09) {
        throw scannerError(
          'found a tab character where an indentation space is expected',
          cursor.line,
          this.#startLine,
        );
      }
      if (!isBreak(cursor.peek())) break;
      breaks += cursor.readBreak();
    }
    if (this.#indent === 0) this.#indent = Math.max(widest, this.#parentIndent + 1, 1);
    return breaks;
  }
}
