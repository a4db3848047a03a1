import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import type { Readable } from 'node:stream';
import { Agent, type Dispatcher, ProxyAgent, request } from 'undici';
import { GatewayError, invalidArgument, orAborted, readBounded, unavailable } from '../../protocol/index.ts';
import { withSource } from '../chart/chart-text.ts';
import type { AddressPolicy } from './address-policy.ts';
import type { Access } from './credentials.ts';
import { hostOf, showUrl } from './source-url.ts';

/** How hosts are found, judged and reached. */
export interface Network {
  readonly policy: AddressPolicy;
  readonly resolve: Resolve;
  /** The proxy for a URL, if it goes through one. */
  readonly proxyFor: (url: string) => string | undefined;
}

export interface FetchRequest {
  readonly url: URL;
  readonly headers: Record<string, string>;
  readonly tls: Access['trust'] & Access['identity'];
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface FetchResponse {
  readonly status: number;
  header(name: string): string | undefined;
  /** The body of a 200; empty otherwise. */
  readonly body: Buffer;
}

/** What a response's headers may take; undici's own default is the same, named here because it is a bound. */
const maxHeaderBytes = 16 * 1024;

/**
 * Makes one GET request on a connection of its own to an address that was checked, without following redirects.
 * @throws GatewayError INVALID_ARGUMENT when the address is refused or the answer is too large; UNAVAILABLE when the host cannot be
 * reached; the signal's reason when it is aborted
 */
export async function fetchOnce(network: Network, wanted: FetchRequest): Promise<FetchResponse> {
  const dispatcher = await createDispatcher(network, wanted);
  try {
    const { url, headers, signal } = wanted;
    const response = await request(url, { dispatcher, headers, signal });
    const body = response.statusCode === 200 ? await readBody(response.body, wanted) : Buffer.alloc(0);
    return { status: response.statusCode, header: name => headerText(response.headers[name]), body };
  } catch (error) {
    wanted.signal.throwIfAborted();
    if (error instanceof GatewayError) throw error;
    throw unreachable(wanted.url, error);
  } finally {
    // one connection, one request: whatever is left of either goes with it
    await dispatcher.destroy();
  }
}

async function createDispatcher(network: Network, { url, tls, signal }: FetchRequest): Promise<Dispatcher> {
  const proxy = network.proxyFor(url.href);
  const addresses = await resolveAndCheck(network, url, signal, proxy !== undefined);
  if (proxy !== undefined) {
    return new ProxyAgent({ uri: proxy, requestTls: tls, connections: 1, maxHeaderSize: maxHeaderBytes });
  }
  return new Agent({
    connect: { ...tls, lookup: pinnedLookup(addresses), allowH2: false },
    connections: 1,
    pipelining: 0,
    maxHeaderSize: maxHeaderBytes,
  });
}

/** Behind a proxy, names may exist that only the proxy can resolve; those that do resolve here are checked all the same. */
async function resolveAndCheck(
  network: Network,
  url: URL,
  signal: AbortSignal,
  isProxied: boolean,
): Promise<readonly ResolvedAddress[]> {
  const host = hostOf(url);
  checkPolicy(network, url, []);
  let addresses: readonly ResolvedAddress[] = [];
  try {
    addresses = await orAborted(network.resolve(host), signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!isProxied) throw unreachable(url, error);
  }
  checkPolicy(network, url, addresses);
  return addresses;
}

function checkPolicy(network: Network, url: URL, addresses: readonly ResolvedAddress[]): void {
  try {
    network.policy.check(
      hostOf(url),
      addresses.map(({ address }) => address),
    );
  } catch (error) {
    throw withSource(error, showUrl(url));
  }
}

async function readBody(stream: Readable, { url, maxBytes, signal }: FetchRequest): Promise<Buffer> {
  try {
    return await readBounded(stream, { maxBytes, what: showUrl(url), signal });
  } catch (error) {
    if (!(error instanceof GatewayError) || error.reason !== 'BODY_TOO_LARGE') throw error;
    throw invalidArgument(`${showUrl(url)}: is larger than ${maxBytes} bytes`, { cause: error });
  }
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

/** Node's codes for certificates that do not verify end in nothing common, but they all come with a reason in words. */
function unreachable(url: URL, error: unknown): GatewayError {
  const cause = error instanceof AggregateError ? error.errors[0] : error;
  const { code, message } = cause as NodeJS.ErrnoException;
  return unavailable(`${showUrl(url)}: cannot be reached: ${code ?? message}`, { cause });
}

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Finds the addresses of a host; replaced in tests. */
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

/** Asks the system's resolver, which also reads /etc/hosts and the cluster's search domains. */
export async function resolveHost(host: string): Promise<readonly ResolvedAddress[]> {
  const family = isIP(host);
  return family === 0 ? lookup(host, { all: true }) : [{ address: host, family }];
}

/**
 * A lookup function for sockets that answers with addresses found before, whatever name it is asked for: the address that was
 * checked is the one that is connected to, so that a name cannot change its mind in between.
 */
export function pinnedLookup(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_host, options, callback) => {
    const [first] = addresses;
    if (options.all) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family ?? 4);
  };
}
