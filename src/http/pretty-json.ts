import { whereItFits } from '../protocol/index.ts';

const openings = new Set([0x7b, 0x5b]);
const closings = new Set([0x7d, 0x5d]);
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const lineFeed = 0x0a;
const space = 0x20;

/**
 * JSON text without white space → the same, indented for people. Works on the bytes: numbers and names stay as they
 * are and where they are, which a detour over objects would not promise. May run in a thread.
 */
export function indentJson(json: Buffer): Buffer {
  let out = Buffer.allocUnsafe(json.length * 2 + 64);
  let length = 0;
  let depth = 0;
  const reserve = (bytes: number) => {
    if (length + bytes <= out.length) return;
    const grown = Buffer.allocUnsafe(Math.max(out.length * 2, length + bytes));
    out.copy(grown, 0, 0, length);
    out = grown;
  };
  const line = () => {
    reserve(2 * depth + 8);
    out[length++] = lineFeed;
    out.fill(space, length, length + 2 * depth);
    length += 2 * depth;
  };
  for (let index = 0; index < json.length; index++) {
    const byte = json[index]!;
    reserve(8);
    if (byte === quote) {
      const end = endOfString(json, index);
      reserve(end + 1 - index);
      length += json.copy(out, length, index, end + 1);
      index = end;
    } else if (openings.has(byte) && closings.has(json[index + 1] ?? 0)) {
      out[length++] = byte; // nothing inside: stays on its line
      out[length++] = json[++index]!;
    } else if (openings.has(byte)) {
      depth++;
      out[length++] = byte;
      line();
    } else if (closings.has(byte)) {
      depth--;
      line();
      out[length++] = byte;
    } else {
      out[length++] = byte;
      if (byte === comma) line();
      else if (byte === colon) out[length++] = space;
    }
  }
  reserve(1);
  out[length++] = lineFeed;
  return out.subarray(0, length);
}

export const prettyJson = whereItFits(import.meta.url, indentJson);

function endOfString(json: Buffer, start: number): number {
  let index = start + 1;
  while (index < json.length && json[index] !== quote) index += json[index] === backslash ? 2 : 1;
  return index;
}
