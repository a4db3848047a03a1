/** HTTP/2 frames as bytes, for what no client library would send. Source: RFC 9113, 4.1 and 6 */

export const preface: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const flags = { endStream: 0x1, endHeaders: 0x4 } as const;

const type = { data: 0, headers: 1, reset: 3, settings: 4 } as const;

export function frame(kind: number, bits: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(kind, 3);
  head.writeUInt8(bits, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export const settingsFrame: Buffer = frame(type.settings, 0, 0, Buffer.alloc(0));

/** Names and values are shorter than 127 bytes: literals without indexing (RFC 7541, 6.2.2). */
export function headersFrame(stream: number, headers: Record<string, string>, bits = 0): Buffer {
  const fields = Object.entries(headers).flatMap(([name, value]) => [
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
  return frame(type.headers, flags.endHeaders | bits, stream, Buffer.concat(fields));
}

export function dataFrame(stream: number, data: Uint8Array, bits = 0): Buffer {
  return frame(type.data, bits, stream, data);
}

/** @param code an error code of RFC 9113, 7 */
export function resetFrame(stream: number, code: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  return frame(type.reset, 0, stream, payload);
}

/** The pseudo-headers of a request, with further headers. */
export function requestHeaders(
  method: string,
  path: string,
  more: Record<string, string> = {},
): Record<string, string> {
  return { ':method': method, ':scheme': 'http', ':path': path, ':authority': 'x', ...more };
}
