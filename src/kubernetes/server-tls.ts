import { X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { localPath, reasonOf, unavailable } from '../protocol/index.ts';
import type { ServerTls } from './api.ts';

/** A client certificate with its key, both PEM. */
export interface KeyPair {
  readonly cert: Buffer | string;
  readonly key: Buffer | string;
}

/**
 * Refuses what OpenSSL takes for PEM and Go does not: certificates under older labels, and a byte order mark.
 * @returns what is wrong; undefined where nothing is
 */
export function problemOfPair({ cert, key }: KeyPair): string | undefined {
  const texts = [cert, key].map(pem => pem.toString('utf8'));
  if (/-----BEGIN (?:X509|TRUSTED) CERTIFICATE-----/.test(texts[0] ?? ''))
    return 'has PEM blocks other than CERTIFICATE';
  return texts.some(text => text.startsWith('\ufeff'))
    ? 'or its key begins with a byte order mark'
    : undefined;
}

/** @param what names the file, for errors */
export async function readNamedFile(file: string, what: string): Promise<Buffer> {
  return readFile(localPath(file)).catch(cause => {
    throw unavailable(`reading ${file}, the ${what}: ${reasonOf(cause)}`, { cause });
  });
}

/**
 * The certificates of a CA bundle that Go's x509.CertPool takes: blocks that cannot be read are skipped.
 * @throws GatewayError UNAVAILABLE where there is none
 */
export function certificatesOf(bundle: Buffer, what: string): string[] {
  const certificates = usableCertificates(bundle);
  if (certificates.length === 0) throw unavailable(`the ${what} holds no certificate in PEM`);
  return certificates;
}

function usableCertificates(bundle: Buffer): string[] {
  const blocks = bundle
    .toString('latin1')
    .matchAll(
      /^-----BEGIN CERTIFICATE-----[ \t\r]*\n[A-Za-z0-9+/=\s]*?^-----END CERTIFICATE-----[ \t\r]*$/gm,
    );
  return [...blocks].map(([block]) => block).filter(isCertificate);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/**
 * Whom to trust where the kubeconfig has no CA: as kubectl, `SSL_CERT_FILE`, else the system's authorities, and the files
 * of `SSL_CERT_DIR`; and Node's own, which include `NODE_EXTRA_CA_CERTS`, where `SSL_CERT_FILE` is not set.
 */
export async function generalAuthorities(environment: NodeJS.ProcessEnv): Promise<string[]> {
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: folders } = environment;
  const general = file
    ? usableCertificates(
        await readNamedFile(file, 'SSL_CERT_FILE').catch(error => {
          if (folders) return Buffer.alloc(0); // as Go, which goes on with the folders
          throw error;
        }),
      )
    : [...getCACertificates('default'), ...getCACertificates('system')];
  if (!folders) return general;
  const added = await Promise.all(folders.split(':').map(folder => certificatesOfFolder.fetch(folder)));
  return [...general, ...added.flatMap(certificates => certificates ?? [])];
}

/** Kept for a minute: a system's folder has hundreds of files, which take a tenth of a second to be read and parsed. */
const certificatesOfFolder = new LRUCache<string, string[]>({
  max: 100,
  ttl: 60_000,
  fetchMethod: readFolder,
});

async function readFolder(folder: string): Promise<string[]> {
  const result: string[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const bundle = await readFile(`${folder}/${name}`).catch(() => Buffer.alloc(0));
    result.push(...usableCertificates(bundle));
  }
  return result;
}

/**
 * What TLS is made of, read once for connections that are alike. A certificate of the CA need not be self-signed: Go, and
 * so kubectl, trusts a server's own certificate as well.
 * @throws GatewayError UNAVAILABLE where certificate and key cannot be used together
 */
export function createTrust(ca: readonly string[] | undefined, pair: KeyPair | undefined): SecureContext {
  try {
    return createSecureContext({
      ...(ca && { ca: [...ca] }),
      ...pair,
      allowPartialTrustChain: true,
      minVersion: 'TLSv1.2',
    });
  } catch (cause) {
    const what = 'the client certificate and its key cannot be used: both must be PEM, and of each other';
    throw unavailable(what, { cause });
  }
}

/**
 * Verifies a server by a name or an IP address: as Go does, by the certificate's alternative names only, and with `*` for
 * a whole label only. An IP address is not sent as server name.
 */
export function verifiedAs(name: string): Pick<ServerTls, 'servername' | 'checkServerIdentity'> {
  const host = name.replace(/^\[(.*)\]$|\.+$/, '$1');
  return {
    servername: isIP(host) === 0 ? host : '',
    checkServerIdentity(_name, { raw }) {
      if (isFor(host, raw)) return undefined;
      return Object.assign(new Error(`the certificate is not for ${host}`), {
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      });
    },
  };
}

/** Called from node:tls, out of which nothing may be thrown: a name that cannot be checked is not the certificate's. */
function isFor(host: string, raw: Buffer): boolean {
  try {
    const certificate = new X509Certificate(raw);
    if (isIP(host) !== 0) return certificate.checkIP(host.replace(/^::ffff:(?=\d+\.)/i, '')) !== undefined;
    const wildcards = /^[a-z\d_][\w-]*(?:\.[a-z\d_][\w-]*)*$/i.test(host);
    return (
      certificate.checkHost(host, { subject: 'never', partialWildcards: false, wildcards }) !== undefined
    );
  } catch {
    return false;
  }
}
