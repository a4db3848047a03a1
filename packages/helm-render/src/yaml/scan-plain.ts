import { isBlank, isBlankOrEnd, isBreak, isBreakOrEnd } from './chars.ts';
import type { Cursor } from './cursor.ts';
import { Gap } from './fold.ts';
import { scannerError } from './yaml-error.ts';

export interface PlainScalar {
  readonly value: string;
  /** Whether it ended at the start of a line, where a simple key may begin. */
  readonly endsLine: boolean;
}

/** Reads a scalar without quotes, which goes on over lines that are indented by `indent` columns or more. */
export function scanPlain(cursor: Cursor, indent: number, inFlow: boolean): PlainScalar {
  const startLine = cursor.line;
  const gap = new Gap();
  let value = '';
  const refuseTab = () => {
    if (cursor.column < indent && cursor.peek() === 0x09) {
      throw scannerError('found a tab character that violates indentation', cursor.line, startLine);
    }
  };
  while (!cursor.atDocumentIndicator() && cursor.peek() !== 0x23) {
    const words = readWords(cursor, inFlow);
    if (words !== '') value += gap.take() + words;
    const next = cursor.peek();
    if (!isBlank(next) && !isBreak(next)) break;
    gap.read(cursor, refuseTab);
    if (!inFlow && cursor.column < indent) break;
  }
  return { value, endsLine: gap.broken };
}

/**
 * Reads the words of one line: up to its end, a comment, a `: `, or, in a flow collection, one of its indicators. White
 * space behind the last word is left.
 */
function readWords(cursor: Cursor, inFlow: boolean): string {
  const { text, position: start } = cursor;
  let end = start;
  for (let i = start; ; i++) {
    const c = text.charCodeAt(i);
    if (isBlank(c)) continue;
    if (isBreakOrEnd(c) || (c === 0x23 && i > end)) break;
    if (c === 0x3a && isBlankOrEnd(text.charCodeAt(i + 1))) break;
    if (inFlow && isFlowIndicator(c)) break;
    end = i + 1;
  }
  cursor.position = end;
  return text.slice(start, end);
}

/** `, ? [ ] { }`: libyaml counts `?` among them. */
function isFlowIndicator(c: number): boolean {
  return c === 0x2c || c === 0x3f || c === 0x5b || c === 0x5d || c === 0x7b || c === 0x7d;
}
