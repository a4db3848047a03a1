import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { getCACertificates, type SecureContextOptions } from 'node:tls';
import { invalidArgument } from '../../protocol/index.ts';
import type { Credentials } from '../chart/chart-options.ts';

/** A URL to fetch from, with the user info that stood in it taken out. */
export interface SourceUrl {
  readonly url: URL;
  /** `NAME:PASSWORD`, decoded; undefined where the URL had none. */
  readonly userInfo?: string | undefined;
}

/**
 * Reads an http(s) URL.
 * @throws GatewayError INVALID_ARGUMENT when it is none; the message does not repeat the text, which may hold a password
 */
export function parseSourceUrl(text: string, base?: URL): SourceUrl {
  const url = URL.parse(text, base?.href);
  if (!url) throw invalidArgument('the chart URL cannot be read');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalidArgument(
      `charts cannot be fetched by ${url.protocol.slice(0, 20)} but by http: and https: only`,
    );
  }
  const parts = [url.username, url.password];
  const userInfo = parts.some(part => part !== '') ? parts.map(decodePart).join(':') : undefined;
  url.username = '';
  url.password = '';
  url.hash = '';
  return { url, userInfo };
}

/** Text of a part of a URL; what is badly encoded is taken as it is. */
export function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether a URL is meant as a reference to an OCI registry; it may be a wrong one. */
export function isOci(url: string): boolean {
  return /^oci:/i.test(url);
}

/** How a URL is named in messages and logs: without user info and without the query, which may hold a signature. */
export function showUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** A host as `net` and `dns` want it: an IPv6 address without its brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** Credentials in the form in which requests carry them. */
export interface Access {
  /** The Authorization header; only for the origin that the credentials were given for. */
  readonly authorization: string | undefined;
  /** How a server is verified; for every host. */
  readonly trust: TlsOptions;
  /** The client certificate; only for the same origin as well. */
  readonly identity: TlsOptions;
  /** Tells credentials apart without holding them. */
  readonly fingerprint: string;
}

export type TlsOptions = Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> & { rejectUnauthorized?: boolean };

/**
 * Checks credentials and brings them into the form of requests. User info of the URL counts as name and password.
 * @throws GatewayError INVALID_ARGUMENT when two kinds of credentials are given at once, a certificate cannot be read, or one
 * comes without its key
 */
export function resolveAccess(source: SourceUrl, credentials: Credentials): Access {
  const authorization = toAuthorization(source, credentials);
  const trust = readTrust(credentials);
  const identity = readIdentity(credentials);
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([authorization ?? null, textOf(trust.ca), trust.rejectUnauthorized ?? true]))
    .update(JSON.stringify([textOf(identity.cert), textOf(identity.key)]))
    .digest('hex');
  return { authorization, trust, identity, fingerprint };
}

function textOf(pem: unknown): string {
  return Array.isArray(pem) ? pem.join('\n') : String(pem ?? '');
}

function toAuthorization(
  { userInfo }: SourceUrl,
  { username, password, token }: Credentials,
): string | undefined {
  const fields = username || password ? `${username ?? ''}:${password ?? ''}` : undefined;
  if ([fields, userInfo, token].filter(Boolean).length > 1) {
    throw invalidArgument(
      'give one of username and password, token, or user info in the chart URL: a request carries only one',
    );
  }
  if (token) {
    if (/[^\x21-\x7e]/.test(token)) throw invalidArgument('token has characters that a header cannot carry');
    return `Bearer ${token}`;
  }
  const pair = userInfo ?? fields;
  return pair && `Basic ${Buffer.from(pair).toString('base64')}`;
}

function readTrust({ caBundle, insecureSkipVerify }: Credentials): TlsOptions {
  const skip = insecureSkipVerify ? { rejectUnauthorized: false } : {};
  if (!caBundle?.length) return skip;
  const bundle = Buffer.from(caBundle).toString('latin1');
  const certificates = bundle.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length === 0) throw invalidArgument('ca_bundle has no PEM certificate');
  for (const certificate of certificates) readCertificate(certificate, 'ca_bundle');
  return { ca: [...getCACertificates('default'), ...certificates], ...skip };
}

function readIdentity({ clientCertificate, clientKey }: Credentials): TlsOptions {
  if (!clientCertificate?.length && !clientKey?.length) return {};
  if (!clientCertificate?.length || !clientKey?.length) {
    throw invalidArgument('client_certificate and client_key belong together');
  }
  const cert = Buffer.from(clientCertificate).toString('latin1');
  const key = Buffer.from(clientKey).toString('latin1');
  const certificate = readCertificate(cert, 'client_certificate');
  const privateKey = readPem(
    () => createPrivateKey(key),
    'client_key is no PEM private key without a passphrase',
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw invalidArgument('client_key is not the key of client_certificate');
  }
  return { cert, key };
}

/** OpenSSL's own words stay in the cause: they may quote what was given. */
function readPem<T>(read: () => T, problem: string): T {
  try {
    return read();
  } catch (cause) {
    throw invalidArgument(problem, { cause });
  }
}

function readCertificate(pem: string, field: string): X509Certificate {
  return readPem(() => new X509Certificate(pem), `${field} is no PEM certificate`);
}
