import { createHmac, scryptSync } from 'node:crypto';
import { bytesToBuffer } from '../go/bytes.ts';

/** The Master Password algorithm, version 3. https://masterpassword.app/masterpassword-algorithm.pdf */
const seedPrefix = 'com.lyndir.masterpassword';

const templates: ReadonlyMap<string, readonly string[]> = new Map([
  ['maximum', ['anoxxxxxxxxxxxxxxxxx', 'axxxxxxxxxxxxxxxxxno']],
  [
    'long',
    (
      'CvcvnoCvcvCvcv CvcvCvcvnoCvcv CvcvCvcvCvcvno CvccnoCvcvCvcv CvccCvcvnoCvcv CvccCvcvCvcvno CvcvnoCvccCvcv ' +
      'CvcvCvccnoCvcv CvcvCvccCvcvno CvcvnoCvcvCvcc CvcvCvcvnoCvcc CvcvCvcvCvccno CvccnoCvccCvcv CvccCvccnoCvcv ' +
      'CvccCvccCvcvno CvcvnoCvccCvcc CvcvCvccnoCvcc CvcvCvccCvccno CvccnoCvcvCvcc CvccCvcvnoCvcc CvccCvcvCvccno'
    ).split(' '),
  ],
  ['medium', ['CvcnoCvc', 'CvcCvcno']],
  ['short', ['Cvcn']],
  ['basic', ['aaanaaan', 'aannaaan', 'aaannaaa']],
  ['pin', ['nnnn']],
]);

const characters: Readonly<Record<string, string>> = {
  V: 'AEIOU',
  C: 'BCDFGHJKLMNPQRSTVWXYZ',
  v: 'aeiou',
  c: 'bcdfghjklmnpqrstvwxyz',
  A: 'AEIOUBCDFGHJKLMNPQRSTVWXYZ',
  a: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz',
  n: '0123456789',
  o: "@&%?,=[]_:-+*$#!'^~;()/.",
  x: 'AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()',
};

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

/** A site's password from a master password; all strings are byte strings. */
export function derivePassword(
  counter: number,
  type: string,
  password: string,
  user: string,
  site: string,
): string {
  const choices = templates.get(type);
  if (choices === undefined) return `cannot find password template ${type}`;
  const prefix = bytesToBuffer(seedPrefix);
  const salt = Buffer.concat([prefix, uint32(user.length), bytesToBuffer(user)]);
  const key = scryptSync(bytesToBuffer(password), salt, 64, { N: 32768, r: 8, p: 2, maxmem: 128 << 20 });
  const message = Buffer.concat([prefix, uint32(site.length), bytesToBuffer(site), uint32(counter)]);
  const seed = createHmac('sha256', key).update(message).digest();
  const template = choices[seed[0]! % choices.length]!;
  return Array.from(template, (kind, index) => {
    const set = characters[kind]!;
    return set[seed[index + 1]! % set.length];
  }).join('');
}
