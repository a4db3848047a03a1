import type { IncomingHttpHeaders } from 'node:http';
import { readSelection, type Selection } from '../../clusters/index.ts';
import { Code, GatewayError, invalidArgument } from '../../protocol/index.ts';

/** The cluster that a request names, and what it asks of it. */
export type Selected =
  /** `/clusters` itself. */
  | { readonly kind: 'list' }
  /** `/clusters/-/…` */
  | { readonly kind: 'all'; readonly path: string }
  | {
      readonly kind: 'one';
      readonly selection: Selection;
      readonly path: string;
      /** Without `kube_context`: a cluster's own gateway would take it for itself. */
      readonly query: string;
    };

const prefix = '/clusters';

/**
 * @param hasClusters whether `/clusters` and what is below it exist here
 * @throws GatewayError INVALID_ARGUMENT where the request names several clusters, or its path is broken
 */
export function selectCluster(url: string, headers: IncomingHttpHeaders, hasClusters: boolean): Selected {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const [, segment, rest = '/'] = (hasClusters && /^\/clusters\/([^/]+)(\/.*)?$/.exec(path)) || [];
  const inPath = segment === undefined ? undefined : decode(segment);
  const selection = readSelection(headers, mark < 0 ? undefined : new URLSearchParams(query), inPath);
  const isEmpty = selection.name === undefined && !selection.adhoc;
  if (hasClusters && isEmpty && (path === prefix || path === `${prefix}/`)) return { kind: 'list' };
  if (segment === '-') return { kind: 'all', path: rest };
  const isHere = segment === undefined;
  return { kind: 'one', selection, path: isHere ? path : rest, query: withoutContext(query) };
}

function withoutContext(query: string): string {
  if (!/kube/i.test(query) && !query.includes('%')) return query;
  return query
    .split('&')
    .filter(part => !new URLSearchParams(part).has('kube_context'))
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
 * Paths that go on to an API server must not leave the service proxy that they are put behind: servers and proxies between
 * here and there resolve `..`, however it is written, and repeated slashes.
 * @throws GatewayError NOT_FOUND, as the cluster's gateway itself would say: it has nothing at such paths
 */
export function validateForwardPath(path: string): string {
  const isPlain =
    /^\/[\w.~!$&'()*+,;=:@%/-]*$/.test(path) &&
    !/\/\/|%(?:2f|5c|25|7f|[01][0-9a-f])/i.test(path) &&
    !decode(path)
      .split('/')
      .some(part => part === '.' || part === '..');
  if (isPlain) return path;
  throw new GatewayError(Code.NOT_FOUND, `nothing is at ${path.slice(0, 200)} of a cluster`);
}
