import { isUtf8 } from 'node:buffer';
import { hasForbiddenCharacter } from './chars.ts';

/** How many bytes a sequence has that begins with this one; 0 for a byte that begins none. */
function widthOf(leading: number): number {
  if (leading < 0x80) return 1;
  if ((leading & 0xe0) === 0xc0) return 2;
  if ((leading & 0xf0) === 0xe0) return 3;
  return (leading & 0xf8) === 0xf0 ? 4 : 0;
}

/** The least code point that a sequence of that many bytes may stand for. */
const leastOfWidth = [0, 0, 0x80, 0x800, 0x10000];

function faultAt(bytes: Uint8Array, at: number, width: number): string | undefined {
  if (width === 0) return 'invalid leading UTF-8 octet';
  if (at + width > bytes.length) return 'incomplete UTF-8 octet sequence';
  let value = width === 1 ? bytes[at]! : bytes[at]! & (0x7f >> width);
  for (let next = at + 1; next < at + width; next++) {
    if ((bytes[next]! & 0xc0) !== 0x80) return 'invalid trailing UTF-8 octet';
    value = (value << 6) | (bytes[next]! & 0x3f);
  }
  if (value < leastOfWidth[width]!) return 'invalid length of a UTF-8 sequence';
  if ((value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) return 'invalid Unicode character';
  return hasForbiddenCharacter(String.fromCodePoint(value))
    ? 'control characters are not allowed'
    : undefined;
}

/**
 * What libyaml's reader says of the first byte that keeps a text from being UTF-8, or of a forbidden character before it;
 * undefined for UTF-8. Rules and words: yaml.v2's readerc.go.
 */
export function utf8Fault(bytes: Uint8Array): string | undefined {
  if (isUtf8(bytes)) return undefined;
  for (let at = 0; at < bytes.length; ) {
    const width = widthOf(bytes[at]!);
    const fault = faultAt(bytes, at, width);
    if (fault !== undefined) return fault;
    at += width;
  }
  return undefined;
}
