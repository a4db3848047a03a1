import type { IncomingHttpHeaders } from 'node:http';
import { Code, GatewayError, invalidArgument } from '../../protocol/index.ts';

/** Which cluster a request names, and what it asks of it. */
export type Selected =
  /** `/clusters` itself. */
  | { readonly kind: 'list' }
  /** `/clusters/-/…` */
  | { readonly kind: 'all'; readonly path: string }
  | { readonly kind: 'named'; readonly name: string; readonly path: string; readonly query: string }
  | { readonly kind: 'adhoc'; readonly adhoc: AdhocNames; readonly path: string; readonly query: string };

/** A cluster that a request brings along. The token is a secret. */
export interface AdhocNames {
  readonly server: string;
  readonly token: string | undefined;
}

const prefix = '/clusters';

/** The parts of a URL that says nothing about clusters are never taken apart. */
export function mayName(url: string, headers: IncomingHttpHeaders): boolean {
  return url.startsWith(prefix) || headers['x-kubeapiserver'] !== undefined || url.includes('kube_context=');
}

/**
 * @returns undefined where the request names no cluster and so is for the default one
 * @throws GatewayError INVALID_ARGUMENT where it names several, or its path is broken
 */
export function selectCluster(url: string, headers: IncomingHttpHeaders): Selected | undefined {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = mark < 0 ? '' : url.slice(mark + 1);
  if (path === prefix || path === `${prefix}/`) return { kind: 'list' };
  const [, segment, rest = '/'] = /^\/clusters\/([^/]+)(\/.*)?$/.exec(path) ?? [];
  const context = new URLSearchParams(query).get('kube_context') ?? undefined;
  const adhoc = adhocNames(headers);
  const given = [segment, context, adhoc].filter(name => name !== undefined);
  if (given.length > 1) {
    throw invalidArgument('name one cluster: in the path, by kube_context, or by X-KubeApiServer');
  }
  if (segment === '-') return { kind: 'all', path: rest };
  if (segment !== undefined) return { kind: 'named', name: decode(segment), path: rest, query };
  if (adhoc) return { kind: 'adhoc', adhoc, path, query };
  if (context !== undefined) return { kind: 'named', name: context, path, query: withoutContext(query) };
  return undefined;
}

export function adhocNames(headers: IncomingHttpHeaders): AdhocNames | undefined {
  const server = headers['x-kubeapiserver'];
  const token = headers['x-kubetoken'];
  if (server === undefined) return undefined;
  return { server: String(server), token: token === undefined ? undefined : String(token) };
}

/** It means something here only: a cluster's own gateway must not take it for itself. */
function withoutContext(query: string): string {
  return query
    .split('&')
    .filter(part => part.split('=')[0] !== 'kube_context')
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
 * Paths that go on to an API server must not leave the service proxy that they are put behind: servers and proxies on the
 * way resolve `..`, however it is written, and repeated slashes.
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
