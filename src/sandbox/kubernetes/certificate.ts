import { generateKeyPair, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';

export interface ServerCertificate {
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

const validityMs = 365 * 24 * 60 * 60 * 1000;

/** A fresh authority and a certificate of it for loopback; the authority's key is not kept. */
export async function createServerCertificate(): Promise<ServerCertificate> {
  const [caKeys, serverKeys] = await Promise.all([generateKeys(), generateKeys()]);
  const caName = [{ name: 'commonName', value: 'tiller-gateway sandbox CA' }];
  const ca = createCertificate(caKeys.publicKey, caName);
  ca.setIssuer(caName);
  ca.setExtensions([
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, critical: true },
  ]);
  signCertificate(ca, caKeys.privateKey);

  const server = createCertificate(serverKeys.publicKey, [{ name: 'commonName', value: 'kubernetes' }]);
  server.setIssuer(caName);
  server.setExtensions([
    { name: 'basicConstraints', cA: false },
    { name: 'extKeyUsage', serverAuth: true },
    {
      name: 'subjectAltName',
      altNames: [
        { type: 2, value: 'localhost' },
        { type: 2, value: 'kubernetes.default.svc' },
        { type: 7, ip: '127.0.0.1' },
        { type: 7, ip: '::1' },
      ],
    },
  ]);
  signCertificate(server, caKeys.privateKey);
  return {
    caPem: forge.pki.certificateToPem(ca),
    certPem: forge.pki.certificateToPem(server),
    keyPem: serverKeys.privateKey,
  };
}

/** Signs by node:crypto, since node-forge computes in JavaScript, which takes longer than all else at a start. */
export function signCertificate(certificate: forge.pki.Certificate, keyPem: string): void {
  const key = {
    sign: () => {
      const der = forge.asn1.toDer(certificate.tbsCertificate).getBytes();
      return sign('sha256', Buffer.from(der, 'latin1'), keyPem).toString('latin1');
    },
  };
  certificate.sign(key as unknown as forge.pki.rsa.PrivateKey, forge.md.sha256.create());
}

function createCertificate(
  publicKeyPem: string,
  subject: forge.pki.CertificateField[],
): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKeyPem);
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`; // positive, and shortest in DER
  certificate.setSubject(subject);
  certificate.validity.notBefore = new Date(Date.now() - 60_000); // clocks differ
  certificate.validity.notAfter = new Date(Date.now() + validityMs);
  return certificate;
}

function generateKeys(): Promise<{ publicKey: string; privateKey: string }> {
  return promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
}
