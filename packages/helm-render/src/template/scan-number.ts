/** Where a number in an action ends, and what it is; no type means that it is not a number after all. */
export interface ScannedNumber {
  readonly end: number;
  readonly type: 'number' | 'complex' | undefined;
}

/** Sign, digits of any base with underscores, fraction, exponent, and the `i` of imaginary numbers. */
const hexNumber = /[-+]?0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][-+]?[0-9_]*)?i?/y;
const octalNumber = /[-+]?0[oO][0-7_]*(?:\.[0-7_]*)?i?/y;
const binaryNumber = /[-+]?0[bB][01_]*(?:\.[01_]*)?i?/y;
const decimalNumber = /[-+]?[0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9_]*)?i?/y;

function scanPart(source: string, at: number): number {
  for (const pattern of [hexNumber, octalNumber, binaryNumber, decimalNumber]) {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    if (match) return at + match[0].length;
  }
  return at;
}

/**
 * Finds the end of the number at `at`, as loosely as Go's lexer does: whether its digits make sense is the parser's
 * business. `1+2i` is one number.
 * @param nameSize the size of the letter or digit at an offset, 0 for anything else
 */
export function scanNumber(source: string, at: number, nameSize: (at: number) => number): ScannedNumber {
  const end = scanPart(source, at);
  const stray = end < source.length ? nameSize(end) : 0;
  if (stray > 0) return { end: end + stray, type: undefined };
  const sign = source[end];
  if (sign !== '+' && sign !== '-') return { end, type: 'number' };
  const imaginaryEnd = scanPart(source, end);
  const after = imaginaryEnd < source.length ? nameSize(imaginaryEnd) : 0;
  if (after > 0) return { end: imaginaryEnd + after, type: undefined };
  return { end: imaginaryEnd, type: source[imaginaryEnd - 1] === 'i' ? 'complex' : undefined };
}
