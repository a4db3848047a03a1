import { runesOf, utf8ToBytes } from '../go/bytes.ts';
import { isPrint } from '../go/quote.ts';

const htmlEscapes: Record<string, string> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': utf8ToBytes('\uFFFD'),
};

/** Text for HTML, as the function `html` gives it. */
export function escapeHtml(text: string): string {
  return text.replace(/["'&<>\0]/g, char => htmlEscapes[char]!);
}

/** Characters that could end a script or a string literal in one. */
const jsEscapes = new Map<number, string>([
  [0x5c, '\\\\'],
  [0x27, "\\'"],
  [0x22, '\\"'],
  [0x3c, '\\x3C'],
  [0x3e, '\\x3E'],
  [0x26, '\\x26'],
  [0x3d, '\\x3D'],
]);

/** Text for a JavaScript string, as the function `js` gives it. */
export function escapeJs(text: string): string {
  let escaped = '';
  let at = 0;
  for (const { value, size } of runesOf(text)) {
    const short = jsEscapes.get(value);
    if (short !== undefined) escaped += short;
    else if (value < 0x20 || (value > 0x7f && !isPrint(value))) {
      escaped += `\\u${value.toString(16).toUpperCase().padStart(4, '0')}`;
    } else escaped += text.slice(at, at + size);
    at += size;
  }
  return escaped;
}

/** Text for a URL's query, as the function `urlquery` gives it: a space is `+`. */
export function escapeUrlQuery(text: string): string {
  return text.replace(/[^A-Za-z0-9\-_.~]/gs, char => {
    if (char === ' ') return '+';
    return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
