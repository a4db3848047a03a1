import { invalidArgument } from '../../protocol/index.ts';

/** A URL to fetch from, with the name and password that stood in it taken out. */
export interface SourceUrl {
  readonly url: URL;
  readonly username: string;
  readonly password: string;
}

/**
 * Reads an http(s) URL.
 * @throws GatewayError INVALID_ARGUMENT when it is none; the message does not repeat the text, which may hold a password
 */
export function parseSourceUrl(text: string, base?: URL): SourceUrl {
  if (!URL.canParse(text, base?.href)) throw invalidArgument('the chart URL cannot be read');
  const url = new URL(text, base?.href);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalidArgument(
      `charts cannot be fetched by ${url.protocol.slice(0, 20)} but by http: and https: only`,
    );
  }
  const username = decodeUserInfo(url.username);
  const password = decodeUserInfo(url.password);
  url.username = '';
  url.password = '';
  url.hash = '';
  return { url, username, password };
}

function decodeUserInfo(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** How a URL is named in messages and logs: without user info and without the query, which may hold a signature. */
export function showUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** A host as `net` and `dns` want it: an IPv6 address without its brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}
