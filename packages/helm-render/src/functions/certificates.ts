/**
 * Certificates as Sprig 2.22 makes them with Go's crypto/x509: RSA of 2048 bits, SHA-256, a random serial number, server
 * and client authentication. Node makes no certificates of its own, so node-forge does; the keys and the signatures come
 * from Node, which takes a fiftieth of the time.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { createRequire } from 'node:module';
import { isIP } from 'node:net';
import type Forge from 'node-forge';
import { GoError } from '../go/function.ts';

export interface CertificateAndKey {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  readonly ips: readonly string[];
  readonly dnsNames: readonly string[];
  readonly days: number;
  readonly isAuthority: boolean;
  readonly now: Date;
}

const require = createRequire(import.meta.url);

/** Loaded by the first template that makes or reads a certificate, which few do: its files are a third of all. */
export const loadForge = (): typeof Forge => require('node-forge');

interface Issuer {
  readonly certificate: Forge.pki.Certificate;
  readonly key: KeyObject;
}

/** GeneralName types of RFC 5280, section 4.2.1.6. */
const dnsNameType = 2;
const ipType = 7;

/** Makes a key and a certificate for it, signed by the issuer or by itself. */
export function createCertificate(request: CertificateRequest, issuer?: Issuer): CertificateAndKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const forge = loadForge();
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(
    publicKey.export({ type: 'spki', format: 'pem' }) as string,
  );
  // A first byte below 0x80 keeps the serial number positive.
  certificate.serialNumber = `00${randomBytes(16).toString('hex')}`.replace(/^00([0-7])/, '$1');
  certificate.validity.notBefore = request.now;
  certificate.validity.notAfter = new Date(request.now.getTime() + request.days * 86_400_000);
  // The types want a tag's class where forge takes its type: UTF8String, whatever the name is made of.
  const valueTagClass = forge.asn1.Type.UTF8 as unknown as Forge.asn1.Class;
  const subject = [{ name: 'commonName', value: request.commonName, valueTagClass }];
  certificate.setSubject(subject);
  certificate.setIssuer(issuer?.certificate.subject.attributes ?? subject);
  certificate.setExtensions(extensionsOf(request));
  const signer = {
    sign: () => {
      const der = forge.asn1.toDer(certificate.tbsCertificate).getBytes();
      return sign('sha256', Buffer.from(der, 'latin1'), issuer?.key ?? privateKey).toString('latin1');
    },
  };
  certificate.sign(signer as unknown as Forge.pki.rsa.PrivateKey, forge.md.sha256.create());
  return {
    cert: unixLines(forge.pki.certificateToPem(certificate)),
    key: privateKey.export({ type: 'pkcs1', format: 'pem' }) as string,
  };
}

function extensionsOf(request: CertificateRequest): object[] {
  const names = [
    ...request.dnsNames.map(value => ({ type: dnsNameType, value })),
    ...request.ips.map(ip => ({ type: ipType, ip })),
  ];
  return [
    {
      name: 'keyUsage',
      critical: true,
      digitalSignature: true,
      keyEncipherment: true,
      keyCertSign: request.isAuthority,
    },
    { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
    { name: 'basicConstraints', critical: true, cA: request.isAuthority },
    ...(request.isAuthority ? [{ name: 'subjectKeyIdentifier' }] : []),
    ...(names.length > 0 ? [{ name: 'subjectAltName', altNames: names }] : []),
  ];
}

function unixLines(pem: string): string {
  return pem.replaceAll('\r\n', '\n');
}

/** Reads a certificate authority as genCA or buildCustomCert gave it. @throws GoError in Sprig's words */
export function readIssuer({ cert, key }: CertificateAndKey): Issuer {
  const { pki } = loadForge();
  if (!hasPem(cert)) throw new GoError('unable to decode certificate');
  const certificate = tryRead(
    () => pki.certificateFromPem(cert),
    'error parsing certificate: decodedSignerCert.Bytes',
  );
  if (!hasPem(key)) throw new GoError('unable to decode key');
  const readKey = () => {
    pki.privateKeyFromPem(key); // takes RSA alone, as Sprig does
    return createPrivateKey(key);
  };
  return { certificate, key: tryRead(readKey, 'error parsing prive key: decodedSignerKey.Bytes') };
}

/** Checks a certificate and its RSA key that the chart brought. @throws GoError in Sprig's words */
export function checkCustomCertificate({ cert, key }: CertificateAndKey): void {
  const { pki } = loadForge();
  if (!hasPem(cert)) throw new GoError('unable to decode certificate');
  tryRead(() => pki.certificateFromPem(cert), 'error parsing certificate: decodedCert.Bytes');
  if (!hasPem(key)) throw new GoError('unable to decode key');
  tryRead(() => pki.privateKeyFromPem(key), 'error parsing prive key: decodedKey.Bytes');
}

/** forge looks for PEM with a pattern whose time can grow with the square of the length. */
const maxPemBytes = 65_536;

function hasPem(text: string): boolean {
  if (text.length > maxPemBytes) return false;
  const begin = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(text);
  return begin !== null && text.includes(`-----END ${begin[1]}-----`, begin.index);
}

function tryRead<T>(read: () => T, failure: string): T {
  try {
    return read();
  } catch (cause) {
    // Go's own words about what is wrong inside depend on the byte where it stops.
    throw new GoError(`${failure}: asn1: structure error`, { cause });
  }
}

/** Checks what a chart gives as an address. @throws GoError in Sprig's words */
export function checkIp(ip: string): string {
  if (isIP(ip) === 0) throw new GoError(`error parsing ip: ${ip}`);
  return ip;
}
