import { GatewayError, invalidArgument, unavailable } from '../../protocol/index.ts';
import type { Access } from './credentials.ts';
import { type FetchResponse, fetchOnce, type Network } from './fetch-once.ts';
import { parseSourceUrl, showUrl } from './source-url.ts';

export interface DownloadRequest {
  readonly url: URL;
  readonly access: Access;
  readonly maxBytes: number;
  readonly maxRedirects: number;
  readonly signal: AbortSignal;
  /** What is known of the resource; with it the answer may be that it has not changed. */
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
}

export interface Download {
  /** Undefined when the resource has not changed. */
  readonly bytes: Buffer | undefined;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

const redirects: readonly number[] = [301, 302, 303, 307, 308];

/**
 * Fetches a resource, following redirects. The address of every redirect is checked anew. The Authorization header and the client
 * certificate go to the origin that they were given for, and to no other.
 * @throws GatewayError INVALID_ARGUMENT when an address is refused, the answer is too large, not a 200 or redirects without end;
 * UNAVAILABLE when a host cannot be reached or answers 5xx
 */
export async function download(network: Network, wanted: DownloadRequest): Promise<Download> {
  let url = wanted.url;
  for (let hops = 0; hops <= wanted.maxRedirects; hops++) {
    const response = await fetchOnce(network, toFetch(url, wanted));
    if (!redirects.includes(response.status)) return toDownload(response, url, wanted);
    url = redirectTarget(response, url);
  }
  throw invalidArgument(`${showUrl(wanted.url)}: redirects more than ${wanted.maxRedirects} times`);
}

function toFetch(url: URL, { url: first, access, maxBytes, signal, etag, lastModified }: DownloadRequest) {
  const isSameOrigin = url.origin === first.origin;
  const headers: Record<string, string> = { 'user-agent': 'tiller-gateway' };
  if (isSameOrigin && access.authorization) headers.authorization = access.authorization;
  if (etag) headers['if-none-match'] = etag;
  if (lastModified) headers['if-modified-since'] = lastModified;
  const tls = isSameOrigin ? { ...access.trust, ...access.identity } : access.trust;
  return { url, headers, tls, maxBytes, signal };
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

function toDownload(response: FetchResponse, url: URL, wanted: DownloadRequest): Download {
  const { status } = response;
  const isUnchanged = status === 304 && Boolean(wanted.etag || wanted.lastModified);
  if (status !== 200 && !isUnchanged) throw refusedBy(status, url);
  return {
    bytes: isUnchanged ? undefined : response.body,
    etag: response.header('etag'),
    lastModified: response.header('last-modified'),
  };
}

function refusedBy(status: number, url: URL): GatewayError {
  const message = `${showUrl(url)}: the server answered ${status}`;
  return status >= 500 ? unavailable(message) : invalidArgument(message);
}
