const step = '  ';
const openings = new Set([0x7b, 0x5b]);
const closings = new Set([0x7d, 0x5d]);
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;

/**
 * JSON text without white space → the same, indented for people. Works on the bytes: numbers and names stay as they
 * are and where they are, which a detour over objects would not promise.
 */
export function prettyJson(json: Buffer): Buffer {
  const parts: (string | Buffer)[] = [];
  let depth = 0;
  let start = 0;
  const flush = (end: number) => {
    if (end > start) parts.push(json.subarray(start, end));
    start = end + 1;
  };
  const line = () => parts.push(`\n${step.repeat(depth)}`);
  for (let index = 0; index < json.length; index++) {
    const byte = json[index]!;
    if (byte === quote) {
      index = endOfString(json, index);
    } else if (openings.has(byte)) {
      if (closings.has(json[index + 1] ?? 0)) {
        index++; // nothing inside: stays on its line
        continue;
      }
      flush(index);
      depth++;
      parts.push(String.fromCharCode(byte));
      line();
    } else if (closings.has(byte)) {
      flush(index);
      depth--;
      line();
      parts.push(String.fromCharCode(byte));
    } else if (byte === comma || byte === colon) {
      flush(index);
      parts.push(byte === comma ? ',' : ': ');
      if (byte === comma) line();
    }
  }
  flush(json.length);
  parts.push('\n');
  return Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(part) : part)));
}

function endOfString(json: Buffer, start: number): number {
  let index = start + 1;
  while (index < json.length && json[index] !== quote) index += json[index] === backslash ? 2 : 1;
  return index;
}
