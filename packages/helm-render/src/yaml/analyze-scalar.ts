import { isBreak } from './chars.ts';

/** In which styles a string can be written so that it reads back the same; libyaml's analysis, in block context. */
export interface ScalarAnalysis {
  readonly multiline: boolean;
  readonly plain: boolean;
  readonly singleQuoted: boolean;
  readonly block: boolean;
}

const startIndicators = new Set('#,[]{}&*!|>\'"%@`');

/** Finds out which styles a string allows. */
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
