/** Sprig's cryptography. https://masterminds.github.io/sprig/crypto.html */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { bufferToBytes, bytesToBuffer, bytesToUtf8 } from '../go/bytes.ts';
import type { Functions } from '../go/function.ts';
import { type CallContext, GoError, goFunction } from '../go/function.ts';
import type { Work } from '../go/limits.ts';
import { formatValue } from '../go/print.ts';
import { GoStruct, type GoValue } from '../go/value.ts';
import { decodeBase64 } from './base-encoding.ts';
import {
  type CertificateAndKey,
  checkCustomCertificate,
  checkIp,
  createCertificate,
  readIssuer,
} from './certificates.ts';
import { derivePassword } from './derive-password.ts';
import { generatePrivateKey } from './private-keys.ts';

const structType = 'sprig.certificate';
const blockBytes = 16;
/** Work of a new key or of scrypt, in the budget's unit: some hundred of them in one rendering. */
const heavyWork = 1_000_000;
/** What each name of a certificate, and each of its bytes, adds: forge encodes, signs and prints them in JavaScript. */
const workOfName = 100;
const workOfNameByte = 10;

function certificateStruct({ cert, key }: CertificateAndKey): GoStruct {
  return new GoStruct(structType, {
    fields: [
      ['Cert', { value: cert }],
      ['Key', { value: key }],
    ],
  });
}

function certificateOf(value: GoValue): CertificateAndKey {
  const { fields } = value as GoStruct;
  return { cert: fields.get('Cert')?.value as string, key: fields.get('Key')?.value as string };
}

function textsOf(list: GoValue, work: Work, problem: (shown: string) => string): string[] {
  return ((list ?? []) as GoValue[]).map(item => {
    if (typeof item !== 'string') throw new GoError(problem(formatValue(item, work)));
    return bytesToUtf8(item);
  });
}

function generate(
  args: { name: GoValue; ips: GoValue; dnsNames: GoValue; days: GoValue; isAuthority: boolean },
  context: CallContext,
  issuer?: CertificateAndKey,
): GoStruct {
  const signer = issuer === undefined ? undefined : readIssuer(issuer);
  const ips = textsOf(args.ips, context, shown => `error parsing ip: ${shown} is not a string`).map(checkIp);
  const dnsNames = textsOf(
    args.dnsNames,
    context,
    shown => `error processing alternate dns name: ${shown} is not a string`,
  );
  const commonName = bytesToUtf8(args.name as string);
  const nameWork = [commonName, ...ips, ...dnsNames]
    .map(name => workOfName + workOfNameByte * name.length)
    .reduce((sum, work) => sum + work);
  context.charge(heavyWork + nameWork);
  const days = Math.min(Math.max(Number(args.days), -100_000), 100_000);
  const request = { commonName, ips, dnsNames, days, isAuthority: args.isAuthority, now: context.now };
  return certificateStruct(createCertificate(request, signer));
}

function buildCustomCertificate(cert64: string, key64: string): GoStruct {
  const cert = decodeBase64(cert64);
  if (typeof cert !== 'string') throw new GoError('unable to decode base64 certificate');
  const key = decodeBase64(key64);
  if (typeof key !== 'string') throw new GoError('unable to decode base64 private key');
  checkCustomCertificate({ cert, key });
  return certificateStruct({ cert, key });
}

/** A key of 32 bytes: the password's first ones, zeros behind. */
function aesKey(password: string): Buffer {
  const key = Buffer.alloc(32);
  bytesToBuffer(password).copy(key);
  return key;
}

/** AES-256-CBC; the random first block stands before the text. */
function encryptAes(password: string, text: string): string {
  if (text === '') return '';
  const iv = randomBytes(blockBytes);
  const cipher = createCipheriv('aes-256-cbc', aesKey(password), iv);
  return Buffer.concat([iv, cipher.update(bytesToBuffer(text)), cipher.final()]).toString('base64');
}

function decryptAes(password: string, text64: string): string {
  if (text64 === '') return '';
  const decoded = decodeBase64(text64);
  if (typeof decoded === 'number') throw new GoError(`illegal base64 data at input byte ${decoded}`);
  const bytes = bytesToBuffer(decoded);
  if (bytes.length < blockBytes) throw new GoError('crypto/cipher: IV length must equal block size');
  if (bytes.length % blockBytes !== 0) throw new GoError('crypto/cipher: input not full blocks');
  const cipher = createDecipheriv('aes-256-cbc', aesKey(password), bytes.subarray(0, blockBytes));
  // Sprig trusts the padding's last byte and checks nothing else.
  cipher.setAutoPadding(false);
  const plain = Buffer.concat([cipher.update(bytes.subarray(blockBytes)), cipher.final()]);
  const padding = plain.at(-1);
  if (padding === undefined) throw new GoError('runtime error: index out of range [-1]');
  const length = plain.length - padding;
  if (length < 0) throw new GoError(`runtime error: slice bounds out of range [:${length}]`);
  return bufferToBytes(plain.subarray(0, length));
}

const list = '[]interface {}';

export const cryptoFunctions: Functions = [
  [
    'genPrivateKey',
    goFunction(
      ['string'],
      ([type], context) => {
        context.charge(heavyWork);
        return generatePrivateKey(type as string);
      },
      { result: 'string' },
    ),
  ],
  [
    'derivePassword',
    goFunction(
      ['uint32', 'string', 'string', 'string', 'string'],
      ([counter, type, password, user, site], context) => {
        context.charge(heavyWork);
        const number = Number(formatValue(counter!, context));
        return derivePassword(number, type as string, password as string, user as string, site as string);
      },
      { result: 'string' },
    ),
  ],
  [
    'genCA',
    goFunction(
      ['string', 'int'],
      ([name, days], context) =>
        generate({ name: name!, ips: null, dnsNames: null, days: days!, isAuthority: true }, context),
      { result: structType },
    ),
  ],
  [
    'genSelfSignedCert',
    goFunction(
      ['string', list, list, 'int'],
      ([name, ips, dnsNames, days], context) =>
        generate({ name: name!, ips: ips!, dnsNames: dnsNames!, days: days!, isAuthority: false }, context),
      { result: structType },
    ),
  ],
  [
    'genSignedCert',
    goFunction(
      ['string', list, list, 'int', structType],
      ([name, ips, dnsNames, days, issuer], context) =>
        generate(
          { name: name!, ips: ips!, dnsNames: dnsNames!, days: days!, isAuthority: false },
          context,
          certificateOf(issuer!),
        ),
      { result: structType },
    ),
  ],
  [
    'buildCustomCert',
    goFunction(['string', 'string'], ([cert, key]) => buildCustomCertificate(cert as string, key as string), {
      result: structType,
    }),
  ],
  [
    'encryptAES',
    goFunction(['string', 'string'], ([password, text]) => encryptAes(password as string, text as string), {
      result: 'string',
    }),
  ],
  [
    'decryptAES',
    goFunction(['string', 'string'], ([password, text]) => decryptAes(password as string, text as string), {
      result: 'string',
    }),
  ],
];
