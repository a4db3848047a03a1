/** JavaScript text → Go byte string (one char per byte of its UTF-8 form). */
export function utf8ToBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Go byte string → JavaScript text; bytes that are not UTF-8 become U+FFFD, one for each byte as in Go. */
export function bytesToUtf8(bytes: string): string {
  const text = Buffer.from(bytes, 'latin1').toString('utf8');
  // Node puts one U+FFFD for a whole broken sequence.
  if (!text.includes('\uFFFD')) return text;
  return Array.from(runesOf(bytes), rune => String.fromCodePoint(rune.value)).join('');
}

/** []byte → Go byte string. */
export function bufferToBytes(buffer: Uint8Array): string {
  return Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength).toString('latin1');
}

/** Go byte string → []byte. */
export function bytesToBuffer(bytes: string): Buffer {
  return Buffer.from(bytes, 'latin1');
}

/** The rune U+FFFD that Go puts in place of a byte that does not begin a valid sequence. */
export const runeError = 0xfffd;

/** One code point of a byte string: its value, and how many bytes it takes. */
export interface Rune {
  readonly value: number;
  readonly size: number;
}

/** The least code point that a sequence of 2, 3, 4 bytes may stand for. */
const leastOfSize = [0, 0, 0x80, 0x800, 0x10000];

/** The rune that begins at `index` as Go's utf8.DecodeRuneInString reads it: a wrong byte is U+FFFD of size 1. */
export function runeAt(bytes: string, index: number): Rune {
  const first = bytes.charCodeAt(index);
  if (first < 0x80) return { value: first, size: 1 };
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || index + size > bytes.length) return { value: runeError, size: 1 };
  let value = first & (0x7f >> size);
  for (let at = index + 1; at < index + size; at++) {
    const next = bytes.charCodeAt(at);
    if ((next & 0xc0) !== 0x80) return { value: runeError, size: 1 };
    value = (value << 6) | (next & 0x3f);
  }
  const surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < leastOfSize[size]! || value > 0x10ffff || surrogate) return { value: runeError, size: 1 };
  return { value, size };
}

/** The runes of a byte string in order, as Go's `range` over a string yields them. */
export function* runesOf(bytes: string): Generator<Rune> {
  for (let index = 0; index < bytes.length; ) {
    const rune = runeAt(bytes, index);
    yield rune;
    index += rune.size;
  }
}

/** How many runes a byte string holds: utf8.RuneCountInString. */
export function runeCount(bytes: string): number {
  let count = 0;
  for (let index = 0; index < bytes.length; index += runeAt(bytes, index).size) count++;
  return count;
}

/** A rune as its UTF-8 bytes; what is no code point becomes U+FFFD. */
export function runeToBytes(rune: number): string {
  const valid = rune >= 0 && rune <= 0x10ffff && !(rune >= 0xd800 && rune <= 0xdfff);
  return utf8ToBytes(String.fromCodePoint(valid ? rune : runeError));
}
