/** HTTP/2 frames as bytes, for what no client library would send. Source: RFC 9113, 4.1 and 6 */

export const preface: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const flags = { ack: 0x1, endStream: 0x1, endHeaders: 0x4 } as const;

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** The largest frame that a peer takes before it has said otherwise. */
const maxFrameBytes = 16_384;

export function frame(kind: number, bits: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(kind, 3);
  head.writeUInt8(bits, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const settingsFrame: Buffer = frame(frameType.settings, 0, 0, Buffer.alloc(0));
export const settingsAck: Buffer = frame(frameType.settings, 1, 0, Buffer.alloc(0));

/** @param settings by number; a value is 32 bits */
export function settingsOf(settings: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(6 * settings.length);
  for (const [index, [id, value]] of settings.entries()) {
    payload.writeUInt16BE(id, 6 * index);
    payload.writeUInt32BE(value, 6 * index + 2);
  }
  return frame(frameType.settings, 0, 0, payload);
}

/** Headers as literals without indexing (RFC 7541, 6.2.2), in as many frames as they need. */
export function headersFrame(
  stream: number,
  headers: Record<string, string> | readonly (readonly [string, string])[],
  bits = 0,
): Buffer {
  const entries = Array.isArray(headers) ? headers : Object.entries(headers);
  const block = Buffer.concat(entries.flatMap(([name, value]) => [literalStart, text(name), text(value)]));
  if (block.length <= maxFrameBytes) return frame(frameType.headers, flags.endHeaders | bits, stream, block);
  const parts = [frame(frameType.headers, bits, stream, block.subarray(0, maxFrameBytes))];
  for (let at = maxFrameBytes; at < block.length; at += maxFrameBytes) {
    const isLast = at + maxFrameBytes >= block.length;
    const part = block.subarray(at, at + maxFrameBytes);
    parts.push(frame(frameType.continuation, isLast ? flags.endHeaders : 0, stream, part));
  }
  return Buffer.concat(parts);
}

const literalStart = Buffer.from([0]);

/** A length of 7 bits and more (RFC 7541, 5.1), and the bytes, not Huffman coded. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

export function dataFrame(stream: number, data: Uint8Array, bits = 0): Buffer {
  return frame(frameType.data, bits, stream, data);
}

/** @param code an error code of RFC 9113, 7 */
export function resetFrame(stream: number, code: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  return frame(frameType.reset, 0, stream, payload);
}

/** The pseudo-headers of a request, with further headers. */
export function requestHeaders(
  method: string,
  path: string,
  more: Record<string, string> = {},
): Record<string, string> {
  return { ':method': method, ':scheme': 'http', ':path': path, ':authority': 'localhost', ...more };
}

/** A frame as a peer sent it. */
export interface ReadFrame {
  readonly kind: number;
  readonly bits: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Takes the bytes of one direction and gives the frames in them. */
export class FrameScanner {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): ReadFrame[] {
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const frames: ReadFrame[] = [];
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const end = 9 + bytes.readUIntBE(0, 3);
      const stream = bytes.readUInt32BE(5) & 0x7fffffff;
      frames.push({ kind: bytes[3]!, bits: bytes[4]!, stream, payload: bytes.subarray(9, end) });
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
    return frames;
  }
}
