/** Sprig's genPrivateKey: keys in the forms that Go writes: PKCS#1, SEC 1, and OpenSSL's form of DSA keys. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type Forge from 'node-forge';
import { loadForge } from './certificates.ts';

/** A new private key in PEM; of an unknown type a text that says so. */
export function generatePrivateKey(type: string): string {
  switch (type) {
    case '':
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey.export({
        type: 'pkcs1',
        format: 'pem',
      }) as string;
    case 'dsa':
      return dsaToPem(generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).privateKey);
    case 'ecdsa':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
        type: 'sec1',
        format: 'pem',
      }) as string;
    default:
      return `Unknown type ${type}`;
  }
}

/** Node writes DSA keys as PKCS#8 only: version, {algorithm, {p, q, g}}, x. The old form is version, p, q, g, y, x. */
function dsaToPem(key: KeyObject): string {
  const { asn1, util } = loadForge();
  const der = key.export({ type: 'pkcs8', format: 'der' });
  const pkcs8 = sequence(asn1.fromDer(util.createBuffer(der.toString('binary'))));
  const [p, q, g] = sequence(sequence(pkcs8[1]!)[1]!).map(toInteger);
  const x = toInteger(asn1.fromDer(util.createBuffer(pkcs8[2]!.value as string)));
  const numbers = [0n, p!, q!, g!, powerModulo(g!, x, p!), x];
  const body = asn1.create(
    asn1.Class.UNIVERSAL,
    asn1.Type.SEQUENCE,
    true,
    numbers.map(number => asn1.create(asn1.Class.UNIVERSAL, asn1.Type.INTEGER, false, integerBytes(number))),
  );
  const base64 = Buffer.from(asn1.toDer(body).getBytes(), 'binary').toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN DSA PRIVATE KEY-----\n${lines.join('\n')}\n-----END DSA PRIVATE KEY-----\n`;
}

function sequence(node: Forge.asn1.Asn1): Forge.asn1.Asn1[] {
  return node.value as Forge.asn1.Asn1[];
}

function toInteger(node: Forge.asn1.Asn1): bigint {
  return BigInt(`0x${Buffer.from(node.value as string, 'binary').toString('hex')}`);
}

function integerBytes(value: bigint): string {
  const hex = value.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  // A first bit set would make the number negative.
  return Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, 'hex').toString('binary');
}

function powerModulo(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}
