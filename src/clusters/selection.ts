import type { IncomingHttpHeaders } from 'node:http';
import { invalidArgument } from '../protocol/index.ts';

/** Which cluster a request is for. Empty: the default one. */
export interface Selection {
  readonly name?: string;
  readonly adhoc?: AdhocNames;
}

/** A cluster that a request brings along. The token is a secret. */
export interface AdhocNames {
  readonly server: string;
  readonly token: string | undefined;
}

const selectingHeaders: ReadonlySet<string> = new Set(['x-cluster', 'x-kubeapiserver', 'x-kubetoken']);

/** Spelt or placed otherwise, such a name means a cluster all the same: its request must not reach another one. */
const looksSelecting = /^(?:x-)?kube[_-]?context$|^x-(?:cluster|kubeapiserver|kubetoken)(?:-bin)?$/i;

/**
 * Reads every place where a request can name a cluster: its path, the parameter `kube_context`, the header or metadata
 * `x-cluster`, the header `X-KubeApiServer` with `X-KubeToken`. Used for HTTP and gRPC alike, so that no place is
 * ignored in one of them.
 * @param query as parsed: a name that is percent-encoded counts as well
 * @param inPath the name in the path, decoded
 * @throws GatewayError INVALID_ARGUMENT where several are named, a token without its server, or one in a wrong place
 */
export function readSelection(
  headers: IncomingHttpHeaders,
  query?: URLSearchParams,
  inPath?: string,
): Selection {
  const unread = [
    ...Object.keys(headers).filter(name => !selectingHeaders.has(name)),
    ...[...(query?.keys() ?? [])].filter(name => name !== 'kube_context'),
  ].find(name => looksSelecting.test(name));
  if (unread !== undefined)
    throw invalidArgument(
      `${unread.slice(0, 40)} names no cluster: use the path, the parameter kube_context or the header x-cluster`,
    );
  const server = headers['x-kubeapiserver'];
  const token = headers['x-kubetoken'];
  const inHeader = headers['x-cluster'];
  const names = [inPath, ...(query?.getAll('kube_context') ?? []), ...[inHeader ?? []].flat()].filter(
    name => name !== undefined,
  );
  if (names.length + (server === undefined ? 0 : 1) > 1) {
    throw invalidArgument(
      'name one cluster: in the path, by kube_context, by x-cluster, or by X-KubeApiServer',
    );
  }
  if (server !== undefined) {
    return { adhoc: { server: String(server), token: token === undefined ? undefined : String(token) } };
  }
  if (token !== undefined) throw invalidArgument('X-KubeToken needs the API server in X-KubeApiServer');
  return names[0] === undefined ? {} : { name: names[0] };
}
