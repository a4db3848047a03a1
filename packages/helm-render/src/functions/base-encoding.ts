/** Go's encoding/base64 and encoding/base32 (standard alphabets with padding), with the place of the first wrong byte. */

const alphabet64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const alphabet32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

const values32 = new Map(Array.from(alphabet32, (char, value) => [char, value] as const));
const isNewline = (char: string | undefined) => char === '\n' || char === '\r';

/** Byte string → base64. */
export function encodeBase64(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('base64');
}

/** Base64 → byte string, or the index of the byte at which Go gives up. Line breaks are skipped. */
export function decodeBase64(text: string): string | number {
  const wrong = findWrongBase64(text);
  return wrong ?? Buffer.from(text, 'base64').toString('latin1');
}

function findWrongBase64(text: string): number | undefined {
  let filled = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (isNewline(char)) continue;
    if (char === '=') return findWrongPadding(text, i, filled);
    if (!alphabet64.includes(char)) return i;
    filled = (filled + 1) % 4;
  }
  return filled === 0 ? undefined : text.length - filled;
}

/** Checks from the first `=` on, with `filled` characters of its group of four before it. */
function findWrongPadding(text: string, start: number, filled: number): number | undefined {
  if (filled < 2) return start;
  let i = skipNewlines(text, start + 1);
  if (filled === 2) {
    if (i === text.length) return text.length;
    if (text[i] !== '=') return i - 1;
    i = skipNewlines(text, i + 1);
  }
  return i < text.length ? i : undefined;
}

function skipNewlines(text: string, start: number): number {
  let i = start;
  while (isNewline(text[i])) i++;
  return i;
}

/** Byte string → base32. */
export function encodeBase32(bytes: string): string {
  let bits = 0;
  let pending = 0;
  let text = '';
  for (const byte of bytes) {
    pending = ((pending << 8) | byte.charCodeAt(0)) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += alphabet32[(pending >> (bits - 5)) & 31];
  }
  if (bits > 0) text += alphabet32[(pending << (5 - bits)) & 31];
  return text.padEnd(Math.ceil(text.length / 8) * 8, '=');
}

/** Base32 → byte string, or the index of the byte at which Go gives up, counted without line breaks. */
export function decodeBase32(given: string): string | number {
  const text = given.replace(/[\r\n]/g, '');
  let decoded = '';
  let pending = 0;
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const group = i % 8;
    if (text[i] === '=' && group >= 2 && text.length - i - 1 < 8) {
      return findWrongBase32Padding(text, i, group) ?? decoded;
    }
    const value = values32.get(text[i]!);
    if (value === undefined) return i;
    pending = ((pending << 5) | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    decoded += String.fromCharCode((pending >> bits) & 0xff);
  }
  return text.length % 8 === 0 ? decoded : text.length - (text.length % 8);
}

function findWrongBase32Padding(text: string, start: number, group: number): number | undefined {
  const left = text.length - start - 1;
  if (left + group < 7) return text.length;
  for (let k = 0; k < 7 - group; k++) if (text[start + 1 + k] !== '=') return start + k;
  return group === 3 || group === 6 ? start : undefined;
}
