import { isBlank, isBlankOrEnd, isBreak } from './chars.ts';
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
    const word = readWord(cursor, inFlow);
    if (word !== '') value += gap.take() + word;
    const next = cursor.peek();
    if (!isBlank(next) && !isBreak(next)) break;
    gap.read(cursor, refuseTab);
    if (!inFlow && cursor.column < indent) break;
  }
  return { value, endsLine: gap.broken };
}

/** Reads up to white space, a `: `, or, in a flow collection, one of its indicators. */
function readWord(cursor: Cursor, inFlow: boolean): string {
  const start = cursor.position;
  for (let c = cursor.peek(); !isBlankOrEnd(c); c = cursor.peek()) {
    if (c === 0x3a && isBlankOrEnd(cursor.peek(1))) break;
    if (inFlow && isFlowIndicator(c)) break;
    cursor.skip();
  }
  return cursor.text.slice(start, cursor.position);
}

/** `, ? [ ] { }`: libyaml counts `?` among them. */
function isFlowIndicator(c: number): boolean {
  return c === 0x2c || c === 0x3f || c === 0x5b || c === 0x5d || c === 0x7b || c === 0x7d;
}
