import { generateKeyPairSync, randomBytes } from 'node:crypto';
import forge from 'node-forge';
import {
  createServerCertificate,
  type ServerCertificate,
  signCertificate,
} from '../../src/sandbox/kubernetes/certificate.ts';

/** A certificate with its key, both in PEM. */
export interface KeyedCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority for one test. */
export interface Authority {
  readonly ca: string;
  /** A certificate for `localhost`, 127.0.0.1 and further names, good for servers and for clients. */
  issue(commonName: string, names?: readonly string[]): KeyedCertificate;
}

let serverCertificate: Promise<ServerCertificate> | undefined;

/** Of sandbox clusters, one for the whole process: making one takes longer than all else that a cluster needs. */
export function sharedCertificate(): Promise<ServerCertificate> {
  serverCertificate ??= createServerCertificate();
  return serverCertificate;
}

/** Keys are made by node:crypto, since node-forge takes seconds for each. */
export function createAuthority(commonName: string): Authority {
  const keys = createKeys();
  const certificate = blank(keys.publicKey, commonName, commonName);
  certificate.setExtensions([{ name: 'basicConstraints', cA: true, critical: true }]);
  signCertificate(certificate, keys.privateKey);
  return {
    ca: forge.pki.certificateToPem(certificate),
    issue(name, names = []) {
      const own = createKeys();
      const issued = blank(own.publicKey, name, commonName);
      issued.setExtensions([
        { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
        {
          name: 'subjectAltName',
          altNames: [
            { type: 2, value: 'localhost' },
            { type: 7, ip: '127.0.0.1' },
            ...names.map(value => ({ type: 2, value })),
          ],
        },
      ]);
      signCertificate(issued, keys.privateKey);
      return { cert: forge.pki.certificateToPem(issued), key: own.privateKey };
    },
  };
}

function blank(publicKey: string, subject: string, issuer: string): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`;
  certificate.setSubject([{ name: 'commonName', value: subject }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer }]);
  certificate.validity.notBefore = new Date(Date.now() - 60_000);
  certificate.validity.notAfter = new Date(Date.now() + 3_600_000);
  return certificate;
}

function createKeys(): { publicKey: string; privateKey: string } {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
}
