import { isIPv4, isIPv6 } from 'node:net';
import { posix } from 'node:path';

/** A user name and a password as they stand in a URL, decoded. */
export interface Login {
  readonly name: string;
  readonly password: string;
}

/** A URL as Go's net/url reads it, which is stricter than WHATWG's in some places and looser in others. */
export interface GoUrl {
  readonly scheme: string;
  readonly login: Login | undefined;
  /** A name, or an address without brackets, as it was written. */
  readonly host: string;
  /** Empty where there is none. */
  readonly port: string;
  /** Decoded, as one character for each byte. */
  readonly path: string;
}

/** Where an API server is. */
export interface Server {
  /** `https://host:port/path` without a slash at its end and without credentials. */
  readonly url: string;
  readonly isSecure: boolean;
  readonly login: Login | undefined;
  /** What is dialled: the host as it was written, an IPv6 address with its zone and without brackets. */
  readonly host: string;
  readonly port: number;
  /** Only where it is not the one that a URL parser would send. */
  readonly hostHeader: string | undefined;
}

/**
 * Reads the `server` of a kubeconfig as client-go does: without a scheme it is plain HTTP and has no path; queries and
 * fragments are dropped, but a `#` in a path belongs to it; the path is decoded, cleaned and encoded again.
 * Source: https://github.com/kubernetes/client-go/blob/v0.35.2/rest/url_utils.go (DefaultServerURL)
 * @returns undefined where kubectl sends nothing to such a server
 */
export function parseServer(text: string): Server | undefined {
  const url = parseServerUrl(text);
  if (!url || !/^https?$/.test(url.scheme)) return undefined;
  const isSecure = url.scheme === 'https';
  const isAddress = isIPv6(url.host);
  const written = isAddress ? `[${withoutZone(url.host)}]` : url.host;
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port);
  const base = `${url.scheme}://${written}:${port}`;
  if (!URL.canParse(base)) return undefined;
  const parsed = new URL(base);
  // `127.1` and its like are names for Go, and addresses for WHATWG
  const isOdd = isIPv4(parsed.hostname) && !isIPv4(url.host);
  if (isOdd && /[^\x21-\x7e]/.test(url.host)) return undefined;
  return {
    url: parsed.origin + escapePath(cleanPath(url.path)),
    isSecure,
    login: url.login,
    host: isAddress || isOdd ? url.host : parsed.hostname,
    port,
    hostHeader: isOdd ? written + (url.port && `:${url.port}`) : undefined,
  };
}

function parseServerUrl(text: string): GoUrl | undefined {
  const whole = parseGoUrl(text);
  if (whole && whole.path.length > 1) return whole;
  const withoutFragment = text.replace(/#.*$/s, '');
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(text)) return parseGoUrl(withoutFragment);
  const url = parseGoUrl(`http://${withoutFragment}`);
  return url && url.path.length <= 1 ? url : undefined;
}

/** A server as client-go passes it on: where it has a path, without query and escaped, else as it was written. */
export function normalizedServer(text: string): string {
  const url = parseGoUrl(text);
  const [, authority = '', path = ''] = /^[^:]*(:\/\/[^/?]*)([^?]*)/s.exec(text) ?? [];
  if (!url || url.path.length <= 1) return text;
  const isEscaped = /^[\w\-.~$&+,/:;=@%!'()*[\]]*$/.test(path);
  return url.scheme + authority + (isEscaped ? path : escapePath(url.path));
}

/** Reads `scheme://[login@]host[:port][/path][?query]`. @returns undefined for anything else */
export function parseGoUrl(text: string): GoUrl | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Go refuses them in URLs
  if (/[\u0000-\u001f\u007f]/.test(text)) return undefined;
  const parts =
    /^([a-z][a-z\d+.-]*):\/\/(?:([^/?]*)@)?(?:\[([^/?\]]*)\]|([^/?:@[\]\\]+))(?::(\d*))?(\/[^?]*)?(?:\?.*)?$/i.exec(
      text,
    );
  if (!parts) return undefined;
  const [, scheme = '', userInfo, address, name = '', port = '', path = ''] = parts;
  const host = address === undefined ? decodeName(name) : decodeAddress(address);
  const login = userInfo === undefined ? undefined : parseLogin(userInfo);
  const decodedPath = unescapeBytes(path);
  if (host === undefined || login === null || decodedPath === undefined) return undefined;
  return { scheme: scheme.toLowerCase(), login, host, port, path: decodedPath };
}

/** @returns null where Go refuses it */
function parseLogin(text: string): Login | null {
  if (!/^[\w\-.:~!$&'()*+,;=%@]*$/.test(text)) return null;
  const [, name = '', password = ''] = /^([^:]*):?(.*)$/s.exec(text) ?? [];
  try {
    return { name: decodeURIComponent(name), password: decodeURIComponent(password) };
  } catch {
    return null;
  }
}

/** In a host only bytes beyond ASCII may be percent-encoded. */
function decodeName(name: string): string | undefined {
  try {
    return /%[0-7]|[\s<>"^`{|}#]/.test(name) ? undefined : decodeURIComponent(name);
  } catch {
    return undefined;
  }
}

function decodeAddress(address: string): string | undefined {
  const [, ip = '', zone] = /^([^%]*)(?:%25([\w.~-]+))?$/.exec(address) ?? [];
  return isIPv6(ip) ? ip + (zone === undefined ? '' : `%${zone}`) : undefined;
}

/** An IPv6 address without the interface that it belongs to. */
export function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}

function unescapeBytes(path: string): string | undefined {
  if (/%(?![\da-f]{2})/i.test(path)) return undefined;
  const bytes = Buffer.from(path).toString('latin1');
  return bytes.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function cleanPath(path: string): string {
  return posix.normalize(`/${path}`).replace(/\/$/, '');
}

/** Escapes all that Go's URL.EscapedPath escapes. */
function escapePath(path: string): string {
  return path.replace(
    /[^\w\-.~$&+,/:;=@]/g,
    byte => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
