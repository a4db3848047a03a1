/** Sprig's functions on words, which come from the libraries goutils and xstrings. */
import { randomInt } from 'node:crypto';
import type { Functions } from '../go/function.ts';
import { goFunction } from '../go/function.ts';
import { isLower, isNumber, isSpace, isUpper, lowerRune, mapText, upperRune } from './runes.ts';

/** goutils.AbbreviateFull: `maxWidth` bytes of the text from about `offset` on, with `...` where something is missing. */
function abbreviate(text: string, offset: number, maxWidth: number): string {
  if (text.length <= maxWidth) return text;
  const from = Math.max(Math.min(offset, text.length), 0);
  const start = text.length - from < maxWidth - 3 ? text.length - (maxWidth - 3) : from;
  if (start <= 4) return `${text.slice(0, maxWidth - 3)}...`;
  if (maxWidth < 7) return '';
  if (start + maxWidth - 3 < text.length) return `...${abbreviate(text.slice(start), 0, maxWidth - 3)}`;
  return `...${text.slice(text.length - (maxWidth - 3))}`;
}

/** goutils.DeleteWhiteSpace takes bytes for runes: of text with spaces in it, bytes above 0x7f are encoded once more. */
function deleteSpace(bytes: string): string {
  const kept = Array.from(bytes).filter(byte => !isSpace(byte));
  if (kept.length === bytes.length) return bytes;
  return Buffer.from(kept.join(''), 'utf8').toString('latin1');
}

function initials(text: string): string {
  return Array.from(text.matchAll(/[^\s\u0085]+/gu), word => Array.from(word[0])[0]).join('');
}

/** goutils.Uncapitalize: the first letter of each word in lower case. */
function uncapitalize(text: string): string {
  return text.replace(/(^|[\s\u0085])([^\s\u0085])/gu, (_all, before, first) => before + lowerRune(first));
}

function swapCase(text: string): string {
  return Array.from(text, char => {
    if (isUpper(char)) return lowerRune(char);
    return isLower(char) ? upperRune(char) : char;
  }).join('');
}

/** goutils.WrapCustom: line breaks instead of spaces, so that a line has at most `width` bytes where words allow it. */
function wrap(text: string, width: number, newline: string, breakWords: boolean): string {
  const limit = Math.max(width, 1);
  const lines: string[] = [];
  let offset = 0;
  while (text.length - offset > limit) {
    if (text[offset] === ' ') {
      offset++;
      continue;
    }
    const inLine = text.slice(offset, offset + limit + 1).lastIndexOf(' ');
    if (inLine < 0 && breakWords) {
      lines.push(text.slice(offset, offset + limit));
      offset += limit;
      continue;
    }
    const space = inLine < 0 ? text.indexOf(' ', offset + limit) : offset + inLine;
    if (space < 0) break;
    lines.push(text.slice(offset, space));
    offset = space + 1;
  }
  lines.push(text.slice(offset));
  return lines.join(newline);
}

const isConnector = (char: string) => char === '-' || char === '_' || isSpace(char);

/**
 * xstrings.ToSnakeCase and ToKebabCase of the version Tiller 2.17 carries: a connector before an upper case letter and
 * before a number; of a run of upper case letters the last begins the next word. A text that ends right there has its last
 * letter twice, as it has there.
 */
function connectWords(text: string, connector: string): string {
  const chars = Array.from(text);
  let result = '';
  let previous = connector;
  for (let i = 0; i < chars.length; i++) {
    let char = chars[i]!;
    if (isUpper(char)) {
      if (previous !== connector && !isNumber(previous)) result += connector;
      result += lowerRune(char);
      const run = readUpperRun(chars, i + 1, connector);
      result += run.text;
      char = run.last ?? char;
      i = run.next - 1;
    } else if (isNumber(char)) {
      if (previous !== connector && !isNumber(previous)) result += connector;
      result += char;
    } else {
      char = isConnector(char) ? connector : char;
      result += char;
    }
    previous = char;
  }
  return result;
}

/** What follows the first letter of a word in upper case: one other rune, or a run of upper case letters. */
function readUpperRun(chars: readonly string[], start: number, connector: string) {
  let last = chars[start];
  if (last === undefined || !isUpper(last))
    return { text: last ?? '', last, next: start + (last === undefined ? 0 : 1) };
  let text = '';
  let next = start + 1;
  while (next < chars.length) {
    const before = lowerRune(last);
    last = chars[next++]!;
    if (isUpper(last)) {
      text += before;
      continue;
    }
    if (isConnector(last)) {
      last = connector;
      text += before;
    } else if (isNumber(last)) text += before + connector + last;
    else text += connector + before + last;
    break;
  }
  if (next >= chars.length || last === connector) text += lowerRune(last);
  return { text, last, next };
}

/** xstrings.ToCamelCase: each `_` goes and the letter behind it is upper case; leading and doubled ones stay. */
function camelCase(text: string): string {
  const [leading = ''] = /^_*/.exec(text) ?? [];
  const chars = Array.from(text.slice(leading.length));
  if (chars.length === 0) return text;
  let result = leading;
  let current = upperRune(chars[0]!);
  for (const char of chars.slice(1)) {
    const before = current;
    if (before === '_' && char !== '_') current = upperRune(char);
    else {
      result += before;
      current = char;
    }
  }
  return result + current;
}

function shuffle(text: string): string {
  const chars = Array.from(text);
  for (let i = chars.length - 1; i > 0; i--) {
    const j = randomInt(i + 1);
    [chars[i], chars[j]] = [chars[j]!, chars[i]!];
  }
  return chars.join('');
}

function textFunction(change: (text: string) => string) {
  return goFunction(['string'], ([text]) => mapText(text as string, change), { result: 'string' });
}

export const wordFunctions: Functions = [
  [
    'abbrev',
    goFunction(
      ['int', 'string'],
      ([width, text]) => ((width as bigint) < 4n ? text! : abbreviate(text as string, 0, Number(width))),
      { result: 'string' },
    ),
  ],
  [
    'abbrevboth',
    goFunction(
      ['int', 'int', 'string'],
      ([left, right, text]) => {
        const tooNarrow = (right as bigint) < 4n || ((left as bigint) > 0n && (right as bigint) < 7n);
        return tooNarrow ? text! : abbreviate(text as string, Number(left), Number(right));
      },
      { result: 'string' },
    ),
  ],
  ['nospace', goFunction(['string'], ([text]) => deleteSpace(text as string), { result: 'string' })],
  ['initials', textFunction(initials)],
  ['untitle', textFunction(uncapitalize)],
  ['swapcase', textFunction(swapCase)],
  ['shuffle', textFunction(shuffle)],
  ['snakecase', textFunction(text => connectWords(text, '_'))],
  ['kebabcase', textFunction(text => connectWords(text, '-'))],
  ['camelcase', textFunction(camelCase)],
  [
    'wrap',
    goFunction(
      ['int', 'string'],
      ([width, text], context) => {
        context.charge((text as string).length);
        return wrap(text as string, Number(width), '\n', false);
      },
      { result: 'string' },
    ),
  ],
  [
    'wrapWith',
    goFunction(
      ['int', 'string', 'string'],
      ([width, separator, text], context) => {
        const newline = separator === '' ? '\n' : (separator as string);
        context.charge((text as string).length * (newline.length + 1));
        return wrap(text as string, Number(width), newline, true);
      },
      { result: 'string' },
    ),
  ],
];
