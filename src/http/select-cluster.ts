import type { IncomingHttpHeaders } from 'node:http';
import { readSelection } from '../clusters/index.ts';
import { Code, GatewayError, invalidArgument } from '../protocol/index.ts';
import type { Target } from './exchange.ts';
import { splitPath } from './router.ts';

/** Parameters that name a cluster, and mean something here only. */
export const clusterParameters: ReadonlySet<string> = new Set(['kube_context', 'kube_config']);

/** What stands before the name of a cluster; with `-` in place of a name, `/clusters/-/…` asks all of them. */
const prefix = 'clusters';
const allClusters = '-';

/**
 * Reads which cluster a request names, from the parsed URL and the headers.
 * @param path percent-encoded, `queryText` without its question mark, `query` the same parsed
 * @param hasMany whether this gateway serves several: only then `/clusters/NAME` is such a path
 * @throws GatewayError INVALID_ARGUMENT where it names several, or one that is not percent-encoded properly
 */
export function selectCluster(
  path: string,
  queryText: string,
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
  hasMany: boolean,
): Target {
  const [, first = '', segment = '', rest = '/'] = /^\/([^/]*)(?:\/([^/]*)(\/.*)?)?$/s.exec(path) ?? [];
  const isPrefixed = hasMany && isPrefix(first);
  const inPath = isPrefixed && segment !== '' ? decode(segment) : undefined;
  const selection = readSelection(headers, query, inPath);
  const isNamed = [selection.name, selection.adhoc, selection.kubeconfig].some(part => part !== undefined);
  if (isNamed && isPrefixed && inPath === undefined) {
    throw invalidArgument('/clusters is no path of a cluster: name none, or one in the path');
  }
  if (inPath !== allClusters && !(isPrefixed && inPath === undefined) && query.has('cluster'))
    throw invalidArgument(
      'the parameter cluster is for /clusters/-/…: name one cluster in the path, by kube_context or by x-cluster',
    );
  if (inPath === allClusters) return { selection: {}, isNamed: false, path, query: queryText };
  if (inPath !== undefined) return { selection, isNamed, path: rest, query: queryText };
  const own = path === `/${prefix}/` ? `/${prefix}` : path;
  return { selection, isNamed, path: own, query: withoutContext(queryText, query) };
}

/** Words of a path match decoded, so this one has to as well. */
function isPrefix(word: string): boolean {
  return word === prefix || (word.includes('%') && splitPath(`/${word}`)?.[0] === prefix);
}

/** It means something here only: a cluster's own gateway must not take it for itself. */
function withoutContext(text: string, query: URLSearchParams): string {
  if (![...clusterParameters].some(name => query.has(name))) return text;
  return text
    .split('&')
    .filter(part => ![...new URLSearchParams(part).keys()].some(name => clusterParameters.has(name)))
    .join('&');
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw invalidArgument('the name of the cluster in the path is not percent-encoded properly', { cause });
  }
}

/**
 * The path and query of a request that goes on to a cluster's own gateway.
 * Paths that go on to an API server must not leave the service proxy that they are put behind: servers and proxies in
 * between resolve `..`, however it is written, and repeated slashes.
 * @throws GatewayError NOT_FOUND, as the cluster's gateway itself would say: it has nothing at such paths
 */
export function toForwardTarget({ path, query }: Target): string {
  const isPlain =
    /^\/[\w.~!$&'()*+,;=:@%/-]*$/.test(path) &&
    !/\/\/|%(?:2f|5c|25|7f|[01][0-9a-f])/i.test(path) &&
    !decode(path)
      .split('/')
      .some(part => /^\.\.?(?:;|$)/.test(part)); // some servers cut parameters off
  if (isPlain) return path + (query && `?${query}`);
  throw new GatewayError(Code.NOT_FOUND, `nothing is at ${path.slice(0, 200)} of a cluster`);
}

/**
 * Has a request whose target has a scheme and an authority, as clients send it to a proxy and every server has to take it,
 * look as if it had come without: the authority is its `Host` from then on, whatever that header says.
 * Rule: RFC 9112, 3.2.2
 */
export function toOriginForm(request: { url?: string | undefined; headers: IncomingHttpHeaders }): void {
  const [whole, authority] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(request.url ?? '') ?? [];
  if (whole === undefined) return;
  const rest = request.url!.slice(whole.length);
  request.url = rest.startsWith('/') ? rest : `/${rest}`;
  request.headers.host = authority ?? '';
}
