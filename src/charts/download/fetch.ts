import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { GatewayError, invalidArgument, orAborted, readBounded, unavailable } from '../../protocol/index.ts';
import type { Resolve, ResolvedAddress } from '../chart/chart-options.ts';
import { withSource } from '../chart/chart-yaml.ts';
import type { AddressPolicy } from './address-policy.ts';
import { type Access, hostOf, parseSourceUrl, showUrl, type TlsOptions } from './source.ts';

/** How hosts are found, judged and reached. */
export interface Network {
  readonly policy: AddressPolicy;
  readonly resolve: Resolve;
  /** The proxy for a URL, if it goes through one. */
  readonly proxyFor: (url: string) => string | undefined;
}

/** What is known of a resource; with it the answer may be that it has not changed. */
export interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

export interface FetchRequest extends Partial<Validators> {
  readonly url: URL;
  readonly method?: 'GET' | 'HEAD' | undefined;
  readonly access: Access;
  readonly accept?: string | undefined;
  /** Whether the body may come packed. */
  readonly gzip?: boolean | undefined;
  readonly maxBytes: number;
  readonly maxRedirects: number;
  readonly signal: AbortSignal;
}

export interface FetchResponse {
  readonly status: number;
  /** The first header of that name, in small letters. */
  header(name: string): string | undefined;
  /** All headers of that name as one, with commas. */
  list(name: string): string;
  /** The body of a 200; empty otherwise. */
  readonly body: Buffer;
}

/** Loaded with the first download: it takes 5 MB, and every collection of garbage walks them. */
const undici = () => import('undici');

/** What a response's headers may take; undici's own default is the same, named here because it is a bound. */
const maxHeaderBytes = 16 * 1024;

/**
 * Makes one request on a connection of its own to an address that was checked, without following redirects.
 * @param url the one that is wanted, or where a redirect leads: the Authorization header and the client certificate go to the
 * origin that they were given for, and to no other
 * @throws GatewayError INVALID_ARGUMENT when the address is refused or the answer is too large; UNAVAILABLE when the host cannot be
 * reached; the signal's reason when it is aborted
 */
async function fetchOnce(network: Network, url: URL, wanted: FetchRequest): Promise<FetchResponse> {
  const { access, method = 'GET', gzip, signal } = wanted;
  const isSameOrigin = url.origin === wanted.url.origin;
  const tls = isSameOrigin ? { ...access.trust, ...access.identity } : access.trust;
  const dispatcher = await createDispatcher(network, url, tls, signal);
  try {
    const headers = headersOf(wanted, isSameOrigin);
    const { request } = await undici();
    const response = await request(url, { dispatcher, method, headers, signal });
    const texts = (name: string) => [response.headers[name] ?? []].flat();
    const body = response.statusCode === 200 ? await readBody(response.body, url, wanted) : Buffer.alloc(0);
    const encoding = gzip && body.length > 0 ? texts('content-encoding').join(',') : '';
    return {
      status: response.statusCode,
      header: name => texts(name)[0],
      list: name => texts(name).join(', '),
      body: await unpackBody(body, encoding, url, wanted.maxBytes),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof GatewayError) throw error;
    throw unreachable(url, error);
  } finally {
    // one connection, one request: whatever is left of either goes with it
    await dispatcher.destroy();
  }
}

function headersOf(
  { access, accept, gzip, etag, lastModified }: FetchRequest,
  isSameOrigin: boolean,
): Record<string, string> {
  const authorization = isSameOrigin ? access.authorization : undefined;
  return {
    'user-agent': 'tiller-gateway',
    ...(authorization && { authorization }),
    ...(accept && { accept }),
    ...(gzip && { 'accept-encoding': 'gzip' }),
    ...(etag && { 'if-none-match': etag }),
    ...(lastModified && { 'if-modified-since': lastModified }),
  };
}

async function createDispatcher(
  network: Network,
  url: URL,
  tls: TlsOptions,
  signal: AbortSignal,
): Promise<Dispatcher> {
  const addresses = await checkAddress(network, url, signal);
  const bounds = { connections: 1, maxHeaderSize: maxHeaderBytes };
  const proxy = network.proxyFor(url.href);
  const { Agent, ProxyAgent } = await undici();
  if (proxy !== undefined) return new ProxyAgent({ uri: proxy, requestTls: tls, ...bounds });
  const connect = { ...tls, lookup: pinnedLookup(addresses), allowH2: false };
  return new Agent({ connect, pipelining: 0, ...bounds });
}

/**
 * Checks the host of a URL, by its name and by its addresses. Behind a proxy, names may exist that only the proxy can resolve; those
 * that do resolve here are checked all the same.
 * @returns the addresses that were checked
 * @throws GatewayError INVALID_ARGUMENT when it is refused; UNAVAILABLE when the name cannot be resolved here, and no proxy does it
 */
export async function checkAddress(
  network: Network,
  url: URL,
  signal: AbortSignal,
): Promise<readonly ResolvedAddress[]> {
  checkPolicy(network, url, []);
  let addresses: readonly ResolvedAddress[] = [];
  try {
    addresses = await orAborted(network.resolve(hostOf(url)), signal);
  } catch (error) {
    signal.throwIfAborted();
    if (network.proxyFor(url.href) === undefined) throw unreachable(url, error);
  }
  checkPolicy(network, url, addresses);
  return addresses;
}

function checkPolicy(network: Network, url: URL, addresses: readonly ResolvedAddress[]): void {
  const texts = addresses.map(({ address }) => address);
  try {
    network.policy.check(hostOf(url), texts);
  } catch (error) {
    throw withSource(error, showUrl(url));
  }
}

async function readBody(stream: Readable, url: URL, { maxBytes, signal }: FetchRequest): Promise<Buffer> {
  try {
    return await readBounded(stream, { maxBytes, what: showUrl(url), signal });
  } catch (error) {
    if (!(error instanceof GatewayError) || error.reason !== 'BODY_TOO_LARGE') throw error;
    throw invalidArgument(`${showUrl(url)}: is larger than ${maxBytes} bytes`, { cause: error });
  }
}

const unpack = promisify(gunzip);

/** A body of which a packed form was asked for. Without having asked, a packed archive stays what it is, as in Helm. */
async function unpackBody(body: Buffer, encoding: string, url: URL, maxBytes: number): Promise<Buffer> {
  if (encoding === '' || encoding.toLowerCase() === 'identity') return body;
  const wrong = (problem: string, cause?: unknown) =>
    invalidArgument(`${showUrl(url)}: ${problem}`, { cause });
  if (!/^(?:x-)?gzip$/i.test(encoding))
    throw wrong('has a Content-Encoding other than gzip, which alone was asked for');
  try {
    return await unpack(body, { maxOutputLength: maxBytes });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw wrong(`is larger than ${maxBytes} bytes`, cause);
    throw wrong('is no gzip, though its Content-Encoding says so', cause);
  }
}

/** Node's codes for certificates that do not verify end in nothing common, but they all come with a reason in words. */
function unreachable(url: URL, error: unknown): GatewayError {
  const cause = error instanceof AggregateError ? error.errors[0] : error;
  const { code, message } = cause as NodeJS.ErrnoException;
  return unavailable(`${showUrl(url)}: cannot be reached: ${code ?? message}`, { cause });
}

/** Asks the system's resolver, which also reads /etc/hosts and the cluster's search domains. */
export async function resolveHost(host: string): Promise<readonly ResolvedAddress[]> {
  const family = isIP(host);
  return family === 0 ? lookup(host, { all: true }) : [{ address: host, family }];
}

/**
 * A lookup function for sockets that answers with addresses found before, whatever name it is asked for: the address that was
 * checked is the one that is connected to, so that a name cannot change its mind in between.
 */
function pinnedLookup(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_host, options, callback) => {
    const [first] = addresses;
    if (options.all) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family ?? 4);
  };
}

export interface Download extends Validators {
  /** Undefined when the resource has not changed. */
  readonly bytes: Buffer | undefined;
}

const redirects: readonly number[] = [301, 302, 303, 307, 308];

/**
 * Fetches a resource, following redirects.
 * @throws GatewayError as `follow`, INVALID_ARGUMENT when the answer is not a 200, UNAVAILABLE when it is a 5xx
 */
export async function download(network: Network, wanted: FetchRequest): Promise<Download> {
  const { response, url } = await follow(network, wanted);
  const { status } = response;
  const isUnchanged = status === 304 && Boolean(wanted.etag || wanted.lastModified);
  if (status !== 200 && !isUnchanged) throw statusError(url, `the server answered ${status}`, status);
  return {
    bytes: isUnchanged ? undefined : response.body,
    etag: response.header('etag'),
    lastModified: response.header('last-modified'),
  };
}

/** What is made of an answer that is not the one wanted: a 5xx may be over later. */
export function statusError(url: URL, what: string, status: number): GatewayError {
  const message = `${showUrl(url)}: ${what}`;
  return status >= 500 ? unavailable(message) : invalidArgument(message);
}

/**
 * The answer at the end of all redirects, whatever it is. The address of every redirect is checked anew.
 * @throws GatewayError INVALID_ARGUMENT when an address is refused, the answer is too large or redirects without end; UNAVAILABLE
 * when a host cannot be reached
 */
export async function follow(
  network: Network,
  wanted: FetchRequest,
): Promise<{ readonly response: FetchResponse; readonly url: URL }> {
  let url = wanted.url;
  for (let hops = 0; hops <= wanted.maxRedirects; hops++) {
    const response = await fetchOnce(network, url, wanted);
    if (!redirects.includes(response.status)) return { response, url };
    url = redirectTarget(response, url);
  }
  throw invalidArgument(`${showUrl(wanted.url)}: redirects more than ${wanted.maxRedirects} times`);
}

function redirectTarget(response: FetchResponse, url: URL): URL {
  const location = response.header('location');
  if (!location) throw invalidArgument(`${showUrl(url)}: answered ${response.status} without a Location`);
  try {
    return parseSourceUrl(location, url).url;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw invalidArgument(`${showUrl(url)}: redirects to what is no http(s) URL`, { cause: error });
  }
}
