/** Sprig's encodings and checksums. https://masterminds.github.io/sprig/encoding.html and crypto.html */
import { createHash } from 'node:crypto';
import { bytesToBuffer } from '../go/bytes.ts';
import type { Functions } from '../go/function.ts';
import { goFunction } from '../go/function.ts';
import { decodeBase32, decodeBase64, encodeBase32, encodeBase64 } from './base-encoding.ts';

function textFunction(change: (text: string) => string) {
  return goFunction(['string'], ([text]) => change(text as string), { result: 'string' });
}

/** Sprig gives the error's text as the result. */
function decoder(name: string, decode: (text: string) => string | number) {
  return textFunction(text => {
    const decoded = decode(text);
    return typeof decoded === 'string' ? decoded : `illegal ${name} data at input byte ${decoded}`;
  });
}

function hashHex(algorithm: 'sha1' | 'sha256', bytes: string): string {
  return createHash(algorithm).update(bytesToBuffer(bytes)).digest('hex');
}

/** RFC 1950, section 8.2. */
function adler32(bytes: string): number {
  let a = 1;
  let b = 0;
  for (let i = 0; i < bytes.length; i++) {
    a = (a + bytes.charCodeAt(i)) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

export const encodingFunctions: Functions = [
  ['b64enc', textFunction(encodeBase64)],
  ['b64dec', decoder('base64', decodeBase64)],
  ['b32enc', textFunction(encodeBase32)],
  ['b32dec', decoder('base32', decodeBase32)],
  ['sha1sum', textFunction(text => hashHex('sha1', text))],
  ['sha256sum', textFunction(text => hashHex('sha256', text))],
  ['adler32sum', textFunction(text => String(adler32(text)))],
];
