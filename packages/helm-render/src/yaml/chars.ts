/** The classes of characters that YAML 1.1's scanner tells apart. `NaN` (charCodeAt past the end) is the end of text. */

/** A line break: LF, CR, NEL, LS, PS. */
export function isBreak(c: number): boolean {
  return c === 0x0a || c === 0x0d || c === 0x85 || c === 0x2028 || c === 0x2029;
}

export function isBlank(c: number): boolean {
  return c === 0x20 || c === 0x09;
}

export function isBreakOrEnd(c: number): boolean {
  return isBreak(c) || Number.isNaN(c);
}

export function isBlankOrEnd(c: number): boolean {
  return c === 0x20 || c === 0x09 || isBreak(c) || Number.isNaN(c);
}

export function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

/** What names of anchors, tags and directives are made of. */
export function isWord(c: number): boolean {
  return isDigit(c) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c === 0x5f || c === 0x2d;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that YAML forbids
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]/;

/** Whether the text has a character that YAML 1.1 does not allow at all (section 5.1). */
export function hasForbiddenCharacter(text: string): boolean {
  return forbidden.test(text);
}
