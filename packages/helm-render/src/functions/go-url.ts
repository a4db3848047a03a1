/** Go's net/url as far as Sprig's urlParse and urlJoin show it. https://pkg.go.dev/net/url */
import { quote } from '../go/quote.ts';

/** The parts of a URL; text is decoded where Go decodes it. All strings are byte strings. */
export interface GoUrl {
  scheme: string;
  opaque: string;
  /** User and password as String() shows them; '' where there is none. */
  userinfo: string;
  host: string;
  path: string;
  rawQuery: string;
  fragment: string;
}

/** What is wrong with a URL, in Go's words. */
export class UrlError extends Error {
  override readonly name = 'UrlError';
}

const unreserved = /[A-Za-z0-9\-_.~]/;
const keepInPath = new RegExp(`${unreserved.source}|[$&+,/:;=@]`);
const keepInUserinfo = new RegExp(`${unreserved.source}|[$&+,;=]`);
const keepInHost = new RegExp(`${unreserved.source}|[!$&'()*+,;=:\\[\\]<>"]`);
const keepInFragment = new RegExp(`${unreserved.source}|[!$&'()*+,/:;=?@]`);

/** url.Parse. @throws UrlError in Go's words, `parse "...": ...` */
export function parseUrl(raw: string): GoUrl {
  try {
    return parse(raw);
  } catch (error) {
    if (error instanceof UrlError) throw new UrlError(`parse ${quote(raw)}: ${error.message}`);
    throw error;
  }
}

function parse(raw: string): GoUrl {
  const [beforeFragment, fragment] = cut(raw, '#');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u001f\u007f]/.test(beforeFragment))
    throw new UrlError('net/url: invalid control character in URL');
  const url: GoUrl = { scheme: '', opaque: '', userinfo: '', host: '', path: '', rawQuery: '', fragment: '' };
  url.fragment = decodePercent(fragment, 'fragment');
  if (beforeFragment === '*') return { ...url, path: '*' };
  let [scheme, rest] = splitScheme(beforeFragment);
  url.scheme = scheme.toLowerCase();
  [rest, url.rawQuery] = cut(rest, '?');
  if (!rest.startsWith('/')) {
    if (url.scheme !== '') return { ...url, opaque: rest };
    if (/^[^/]*:/.test(rest)) throw new UrlError('first path segment in URL cannot contain colon');
  }
  if (rest.startsWith('//') && (url.scheme !== '' || !rest.startsWith('///'))) {
    const slash = rest.indexOf('/', 2);
    const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
    rest = slash < 0 ? '' : rest.slice(slash);
    parseAuthority(authority, url);
  }
  url.path = decodePercent(rest, 'path');
  return url;
}

function cut(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function splitScheme(raw: string): [string, string] {
  const [, scheme, rest] = /^([^:/?#]*):(.*)$/s.exec(raw) ?? [];
  if (scheme === undefined || rest === undefined) return ['', raw];
  if (scheme === '') throw new UrlError('missing protocol scheme');
  if (/^[A-Za-z][A-Za-z0-9+.-]*$/.test(scheme)) return [scheme, rest];
  if (/^[0-9+.-]/.test(scheme) && /^[A-Za-z0-9+.-]+/.test(scheme)) {
    throw new UrlError('first path segment in URL cannot contain colon');
  }
  return ['', raw];
}

function parseAuthority(authority: string, url: GoUrl): void {
  const at = authority.lastIndexOf('@');
  url.host = parseHost(authority.slice(at + 1));
  if (at < 0) return;
  const given = authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(given)) throw new UrlError('net/url: invalid userinfo');
  const [user, password] = cut(given, ':');
  const shown = encodePercent(decodePercent(user, 'userinfo'), keepInUserinfo);
  url.userinfo = given.includes(':')
    ? `${shown}:${encodePercent(decodePercent(password, 'userinfo'), keepInUserinfo)}`
    : shown;
}

function parseHost(host: string): string {
  if (host.startsWith('[')) {
    const end = host.lastIndexOf(']');
    if (end < 0) throw new UrlError("missing ']' in host");
    checkPort(host.slice(end + 1));
  } else if (host.includes(':')) {
    checkPort(host.slice(host.lastIndexOf(':')));
  }
  return decodePercent(host, 'host');
}

function checkPort(port: string): void {
  if (port !== '' && !/^:\d*$/.test(port)) throw new UrlError(`invalid port ${quote(port)} after host`);
}

/** URL.Hostname: without port and brackets. */
export function hostname(host: string): string {
  const withoutPort = host.replace(/:\d*$/, '');
  return withoutPort.startsWith('[') && withoutPort.endsWith(']') ? withoutPort.slice(1, -1) : withoutPort;
}

function decodePercent(text: string, part: 'path' | 'fragment' | 'userinfo' | 'host'): string {
  const wrong = /%(?![0-9A-Fa-f]{2})/.exec(text);
  if (wrong) throw new UrlError(`invalid URL escape ${quote(text.slice(wrong.index, wrong.index + 3))}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a space and all but these is refused in a host
  const space = part === 'host' ? /[ \u0000-\u001f\\^`{|}]/.exec(text) : null;
  if (space) throw new UrlError(`invalid character ${quote(space[0])} in host name`);
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_all, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function encodePercent(bytes: string, keep: RegExp): string {
  return Array.from(bytes, byte =>
    keep.test(byte) ? byte : `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}

/** URL.String. */
export function formatUrl(url: GoUrl): string {
  let text = url.scheme === '' ? '' : `${url.scheme}:`;
  if (url.opaque !== '') {
    text += url.opaque;
  } else {
    const path = encodePercent(url.path, keepInPath);
    if (url.scheme !== '' || url.host !== '' || url.userinfo !== '') {
      if (url.host !== '' || url.path !== '' || url.userinfo !== '') text += '//';
      if (url.userinfo !== '') text += `${url.userinfo}@`;
      text += encodePercent(url.host, keepInHost);
    }
    if (path !== '' && !path.startsWith('/') && url.host !== '') text += '/';
    // A colon in the first segment would read as a scheme.
    if (text === '' && /^[^/]*:/.test(path)) text += './';
    text += path;
  }
  if (url.rawQuery !== '') text += `?${url.rawQuery}`;
  return url.fragment === '' ? text : `${text}#${encodePercent(url.fragment, keepInFragment)}`;
}
