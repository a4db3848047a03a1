import { trimSpace } from '../functions/runes.ts';

/** RE2's `\s`: JavaScript's holds U+00A0 too, which is a byte of many letters here. */
const isSpace = (char: string | undefined) => char !== undefined && '\t\n\f\r '.includes(char);

/**
 * The text between matches of RE2's `(?:^|\s*\n)---\s*`. Found by hand, because JavaScript would look at every white space
 * before a line again and again: a chart can render a megabyte of it.
 */
function splitAtSeparators(text: string): string[] {
  const documents: string[] = [];
  let begin = 0;
  for (let at = text.indexOf('---'); at >= 0; at = text.indexOf('---', at)) {
    if (at > 0 && (at === begin || text[at - 1] !== '\n')) {
      at++;
      continue;
    }
    let end = at;
    while (end > begin && isSpace(text[end - 1])) end--;
    documents.push(text.slice(begin, end));
    at += 3;
    while (isSpace(text[at])) at++;
    begin = at;
  }
  documents.push(text.slice(begin));
  return documents;
}

/** The documents of a rendered file, without white space around them and without empty ones. */
export function splitManifests(text: string): string[] {
  return splitAtSeparators(trimSpace(text))
    .filter(document => document !== '')
    .map(trimSpace);
}
