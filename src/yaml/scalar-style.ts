/** In which styles a string can be written so that it reads back the same; libyaml's analysis, in block context. */
export interface ScalarAnalysis {
  readonly multiline: boolean;
  readonly plain: boolean;
  readonly singleQuoted: boolean;
  readonly block: boolean;
}

const startIndicators = new Set('#,[]{}&*!|>\'"%@`');

/** A line break: LF, CR, NEL, LS, PS. */
export function isBreak(c: number): boolean {
  return c === 0x0a || c === 0x0d || c === 0x85 || c === 0x2028 || c === 0x2029;
}

/** The styles that a string allows. */
export function analyzeScalar(text: string): ScalarAnalysis {
  if (text === '') return { multiline: false, plain: true, singleQuoted: true, block: false };
  const multiline = /[\n\r\u0085\u2028\u2029]/.test(text);
  const unsafeBreaks = hasUnprintable(text) || / [\n\r\u0085\u2028\u2029]/.test(text);
  const breakSpace = /[\n\r\u0085\u2028\u2029] /.test(text);
  const first = text.charCodeAt(0);
  const last = text.charCodeAt(text.length - 1);
  const padded = first === 0x20 || last === 0x20 || isBreak(first) || isBreak(last);
  return {
    multiline,
    plain: !(unsafeBreaks || multiline || padded || breakSpace || hasIndicator(text)),
    singleQuoted: !(unsafeBreaks || breakSpace),
    block: !(unsafeBreaks || last === 0x20),
  };
}

/** Whether something in the text would read as YAML's own punctuation in a plain scalar. */
function hasIndicator(text: string): boolean {
  if (text.startsWith('---') || text.startsWith('...') || startIndicators.has(text[0]!)) return true;
  return /^[-?:](?:[ \t]|$)|:(?:[ \t]|$)|[\s\u0085]#/.test(text);
}

/**
 * Whether libyaml's Go translation holds a character for unprintable: controls, tabs among them, NEL, the byte order
 * mark, and everything above U+FFFF.
 */
function hasUnprintable(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters in question
  return /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\ud800-\udfff\ufeff\ufffe\uffff]/.test(text);
}

const names: ReadonlyMap<number, string> = new Map([
  [0x00, '0'],
  [0x07, 'a'],
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0b, 'v'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [0x1b, 'e'],
  [0x22, '"'],
  [0x5c, '\\'],
  [0x85, 'N'],
  [0xa0, '_'],
  [0x2028, 'L'],
  [0x2029, 'P'],
]);

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters in question
const escaped = /^["\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]/;

/** Whether a character cannot stand for itself in double quotes; above U+FFFF none can. */
export function isEscaped(char: string): boolean {
  return escaped.test(char);
}

/** A character as YAML's escape: `\n`, `\x7F`, `\u200B`, `\U0001F600`. */
export function escapeChar(char: string): string {
  const code = char.codePointAt(0)!;
  const name = names.get(code);
  if (name !== undefined) return `\\${name}`;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
