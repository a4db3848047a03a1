/** Go's unicode and strings functions on byte strings, rune by rune. */
import { bytesToUtf8, utf8ToBytes } from '../go/bytes.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is asked for
const ascii = /^[\u0000-\u007f]*$/;

/** Gives `bytes` to a function of JavaScript text; bytes that are no UTF-8 become U+FFFD, as in Go's strings.Map. */
export function mapText(bytes: string, change: (text: string) => string): string {
  return ascii.test(bytes) ? change(bytes) : utf8ToBytes(change(bytesToUtf8(bytes)));
}

/** unicode.ToUpper: one rune for one rune, so that `ß` stays. */
export function upperRune(char: string): string {
  return singleRune(char.toUpperCase(), char);
}

/** unicode.ToLower: one rune for one rune. */
export function lowerRune(char: string): string {
  return char === 'İ' ? 'i' : singleRune(char.toLowerCase(), char);
}

function singleRune(changed: string, char: string): string {
  const size = changed.codePointAt(0)! > 0xffff ? 2 : 1;
  return changed.length === size ? changed : char;
}

export function upperText(text: string): string {
  return ascii.test(text) ? text.toUpperCase() : Array.from(text, upperRune).join('');
}

export function lowerText(text: string): string {
  return ascii.test(text) ? text.toLowerCase() : Array.from(text, lowerRune).join('');
}

export const isUpper = (char: string): boolean => /^\p{Lu}/u.test(char);
export const isLower = (char: string): boolean => /^\p{Ll}/u.test(char);
export const isNumber = (char: string): boolean => /^\p{N}/u.test(char);
/** unicode.IsSpace. */
export const isSpace = (char: string): boolean =>
  /^[\t\n\v\f\r \u0085\u00a0\p{Z}]/u.test(char) && char !== '\u200b';

/** A space in a byte string: unicode.IsSpace's code points in UTF-8. */
const space =
  '(?:[\\t\\n\\v\\f\\r ]|\\xc2[\\x85\\xa0]|\\xe1\\x9a\\x80|\\xe2\\x80[\\x80-\\x8a\\xa8\\xa9\\xaf]|\\xe2\\x81\\x9f|\\xe3\\x80\\x80)';
const leadingSpace = new RegExp(`^${space}+`);
const lastSpace = new RegExp(`${space}$`);

/** strings.TrimSpace. */
export function trimSpace(bytes: string): string {
  let text = bytes.replace(leadingSpace, '');
  // From the end one by one: a pattern for many spaces at the end would start anew at every space before them.
  for (let match = lastSpace.exec(text.slice(-3)); match; match = lastSpace.exec(text.slice(-3))) {
    text = text.slice(0, -match[0].length);
  }
  return text;
}

/** strings.Trim: without the runes of `cutset` at both ends. */
export function trimRunes(bytes: string, cutset: string): string {
  const cut = new Set(bytesToUtf8(cutset));
  return mapText(bytes, text => {
    const chars = Array.from(text);
    let start = 0;
    let end = chars.length;
    while (start < end && cut.has(chars[start]!)) start++;
    while (end > start && cut.has(chars[end - 1]!)) end--;
    return chars.slice(start, end).join('');
  });
}

/** strings.Title: the first letter of each word in upper case; a word begins behind white space or ASCII punctuation. */
export function titleText(text: string): string {
  let afterSeparator = true;
  let title = '';
  for (const char of text) {
    title += afterSeparator ? upperRune(char) : char;
    afterSeparator = isSeparator(char);
  }
  return title;
}

function isSeparator(char: string): boolean {
  if (char.charCodeAt(0) < 0x80) return !/\w/.test(char);
  return isSpace(char);
}
