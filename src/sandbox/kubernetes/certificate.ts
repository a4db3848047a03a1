/**
 * X.509 certificates for loopback, written by hand, since Node makes none: RFC 5280, with keys of P-256, which take less
 * than a millisecond where RSA takes a hundred.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface ServerCertificate {
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

/** A certificate with its key, both in PEM. */
export interface KeyedCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  readonly validityMs: number;
  /** For servers, and for their clients too where that is asked for. */
  readonly forClients?: boolean;
  readonly dnsNames: readonly string[];
  /** The bytes of each, 4 or 16. */
  readonly ips: readonly (readonly number[])[];
}

/** Signs certificates; its key stays in here. */
export interface Authority {
  readonly ca: string;
  issue(request: CertificateRequest): KeyedCertificate;
}

/** DER of the object identifiers, each with its tag and length. */
const oids = {
  commonName: '0603550403',
  ecdsaWithSha256: '06082a8648ce3d040302',
  keyUsage: '0603551d0f',
  subjectAltName: '0603551d11',
  basicConstraints: '0603551d13',
  extKeyUsage: '0603551d25',
  serverAuth: '06082b06010505070301',
  clientAuth: '06082b06010505070302',
};

/** Tags of DER, and those of GeneralName (RFC 5280, section 4.2.1.6). */
const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  utf8String: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
  dnsName: 0x82,
  ip: 0x87,
};

const yearMs = 365 * 24 * 60 * 60 * 1000;

/** A fresh authority and a certificate of it for loopback. */
export function createServerCertificate(): ServerCertificate {
  const { ca, issue } = createAuthority('tiller-gateway sandbox CA', yearMs);
  const { cert, key } = issue({
    commonName: 'kubernetes',
    validityMs: yearMs,
    dnsNames: ['localhost', 'kubernetes.default.svc'],
    ips: [
      [127, 0, 0, 1],
      [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    ],
  });
  return { caPem: ca, certPem: cert, keyPem: key };
}

/** @param issuer the authority's common name */
export function createAuthority(issuer: string, validityMs: number): Authority {
  const { privateKey, publicKey } = generateKeys();
  const isTrue = der(tags.boolean, Buffer.of(0xff));
  const certificate = (subject: string, key: KeyObject, forMs: number, extensions: Buffer[]) => {
    const algorithm = sequence(hex(oids.ecdsaWithSha256));
    const content = sequence(
      der(tags.version, der(tags.integer, Buffer.of(2))), // which is version 3
      der(tags.integer, Buffer.of(1), randomBytes(15)), // positive, and shortest
      algorithm,
      name(issuer),
      sequence(time(Date.now() - 60_000), time(Date.now() + forMs)), // clocks differ
      name(subject),
      key.export({ type: 'spki', format: 'der' }),
      der(tags.extensions, sequence(...extensions)),
    );
    return pem(sequence(content, algorithm, bitString(sign('sha256', content, privateKey))));
  };
  return {
    ca: certificate(issuer, publicKey, validityMs, [
      extension(oids.basicConstraints, sequence(isTrue), isTrue),
      extension(oids.keyUsage, der(tags.bitString, Buffer.of(2, 0x04)), isTrue), // bit 5: signs certificates
    ]),
    issue(request) {
      const own = generateKeys();
      const usages = [oids.serverAuth, ...(request.forClients ? [oids.clientAuth] : [])];
      const cert = certificate(request.commonName, own.publicKey, request.validityMs, [
        extension(oids.basicConstraints, sequence()),
        extension(oids.extKeyUsage, sequence(...usages.map(hex))),
        extension(
          oids.subjectAltName,
          sequence(
            ...request.dnsNames.map(dnsName => der(tags.dnsName, Buffer.from(dnsName))),
            ...request.ips.map(bytes => der(tags.ip, Buffer.from(bytes))),
          ),
        ),
      ]);
      return { cert, key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
    },
  };
}

function generateKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** A value of less than 65,536 bytes. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...(length < 0x80 ? [length] : size)), content]);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(tags.sequence, ...parts);
}

function bitString(bytes: Uint8Array): Buffer {
  return der(tags.bitString, Buffer.of(0), bytes); // no unused bits
}

function name(commonName: string): Buffer {
  const value = der(tags.utf8String, Buffer.from(commonName));
  return sequence(der(tags.set, sequence(hex(oids.commonName), value)));
}

/** Until 2049; of later times the tag is another. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().slice(2, 19).replace(/\D/g, '');
  return der(tags.utcTime, Buffer.from(`${digits}Z`));
}

function extension(oid: string, value: Uint8Array, ...critical: readonly Uint8Array[]): Buffer {
  return sequence(hex(oid), ...critical, der(tags.octetString, value));
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
