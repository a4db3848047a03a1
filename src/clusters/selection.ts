import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Code, GatewayError, invalidArgument, limitExceeded } from '../protocol/index.ts';
import type { Cluster } from './cluster.ts';
import type { ClusterEntry } from './upstreams/upstream.ts';

/** Which cluster a request is for. Empty: the default one. */
export interface Selection {
  readonly name?: string;
  readonly adhoc?: AdhocNames;
  /** The path of a kubeconfig that the configuration names as well: no other file is ever opened. */
  readonly kubeconfig?: string;
}

/** A cluster that a request brings along. The token is a secret. */
export interface AdhocNames {
  readonly server: string;
  readonly token: string | undefined;
}

const selectingHeaders: ReadonlySet<string> = new Set(['x-cluster', 'x-kubeapiserver', 'x-kubetoken']);

/**
 * Spelt or placed otherwise, such a name means a cluster all the same: its request must not reach another one. So does one
 * that is encoded twice, or has in front what grpc-gateway, which swift is built on, puts before metadata.
 */
function looksSelecting(name: string): boolean {
  const letters = name
    .toLowerCase()
    .replace(/%(?:25)*[0-9a-f]{2}/g, code => String.fromCharCode(Number.parseInt(code.slice(-2), 16)))
    .replace(/[^a-z0-9]/g, '');
  return /^(?:grpcmetadata|grpcgateway)?(?:x?kubecon(?:text|fig)|x(?:cluster|kubeapiserver|kubetoken)(?:bin)?)$/.test(
    letters,
  );
}

/** The names of parameters that select nothing here, also of those that a server which takes `;` for `&` would read. */
function unreadIn(query: URLSearchParams): string[] {
  return [...query].flatMap(([name, value]) => {
    const [, ...further] = `${name}=${value}`.split(';').map(part => part.split('=', 1)[0] ?? '');
    return name === 'kube_context' || name === 'kube_config' ? further : [name, ...further];
  });
}

/**
 * Reads every place where a request can name a cluster: its path, the parameter `kube_context`, the header or metadata
 * `x-cluster`, the header `X-KubeApiServer` with `X-KubeToken`; `kube_config` narrows the names to those of one kubeconfig.
 * Used for HTTP and gRPC alike, so that no place is ignored in one of them.
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
    ...(query ? unreadIn(query) : []),
  ].find(looksSelecting);
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
  const kubeconfigs = query?.getAll('kube_config') ?? [];
  if (kubeconfigs.length > 1 || (kubeconfigs.length > 0 && server !== undefined))
    throw invalidArgument('name one kubeconfig by kube_config, and no API server beside it');
  if (names.length + (server === undefined ? 0 : 1) > 1) {
    throw invalidArgument(
      'name one cluster: in the path, by kube_context, by x-cluster, or by X-KubeApiServer',
    );
  }
  if (server !== undefined) {
    return { adhoc: { server: String(server), token: token === undefined ? undefined : String(token) } };
  }
  if (token !== undefined) throw invalidArgument('X-KubeToken needs the API server in X-KubeApiServer');
  return {
    ...(names[0] !== undefined && { name: names[0] }),
    ...(kubeconfigs[0] !== undefined && { kubeconfig: kubeconfigs[0] }),
  };
}

export interface AdhocOptions {
  /** Hosts that may be named: `api.example.com`, `*.example.com`, each also with `:port`. */
  readonly hosts: readonly string[];
  /** Verifies their certificates, in place of the system's authorities. */
  readonly caPem: string | undefined;
}

/** The name of all such clusters in logs and metrics, so that labels stay few. */
export const adhocLabel = 'adhoc';

/** Bound on the pool; the one unused for longest is closed. */
const maxPooled = 100;
const maxTokenChars = 16 * 1024;

/** The clusters that requests brought along, by server and token. */
export class AdhocPool {
  readonly #options: AdhocOptions;
  readonly #create: (entry: ClusterEntry, onIdle: () => void) => Cluster;
  readonly #pool = new Map<string, Cluster>();

  /** @param create makes a cluster of an entry; `onIdle` runs when it was closed because nothing used it */
  constructor(options: AdhocOptions, create: (entry: ClusterEntry, onIdle: () => void) => Cluster) {
    this.#options = options;
    this.#create = create;
  }

  get clusters(): Iterable<Cluster> {
    return this.#pool.values();
  }

  /** @throws GatewayError PERMISSION_DENIED for a host that is not allowed, INVALID_ARGUMENT for an invalid server or token */
  get({ server, token }: AdhocNames): Cluster {
    const origin = this.#allowedOrigin(server);
    if (token === undefined || !/^[\x21-\x7e]+$/.test(token) || token.length > maxTokenChars) {
      throw invalidArgument('X-KubeApiServer needs a bearer token in X-KubeToken');
    }
    // the token itself is not kept as a key that a dump or an error could show
    const key = createHash('sha256').update(`${origin}\n${token}`).digest('hex');
    const known = this.#pool.get(key);
    if (known) return known;
    if (this.#pool.size >= maxPooled) this.#evict();
    const entry = { name: adhocLabel, kubeconfig: { contents: this.#kubeconfig(origin, token) } };
    const cluster = this.#create(entry, () => this.#drop(cluster));
    this.#pool.set(key, cluster);
    return cluster;
  }

  #allowedOrigin(server: string): string {
    const url = URL.canParse(server) ? new URL(server) : undefined;
    const isPlain = url?.protocol === 'https:' && !url.username && !url.password && url.pathname === '/';
    if (!url || !isPlain || url.search || url.hash) {
      throw invalidArgument('X-KubeApiServer: expected https://HOST or https://HOST:PORT');
    }
    if (this.#options.hosts.some(pattern => matchesHost(url, pattern.toLowerCase()))) return url.origin;
    throw forbidden(`--allow-adhoc-clusters does not allow the API server ${url.host}`);
  }

  #evict(): void {
    const oldest = oldestUnused(this.clusters);
    if (!oldest) throw limitExceeded(`${maxPooled} API servers named by requests are in use`);
    this.#drop(oldest);
  }

  #drop(cluster: Cluster): void {
    for (const [key, one] of this.#pool) if (one === cluster) this.#pool.delete(key);
    cluster.remove();
  }

  #kubeconfig(server: string, token: string): string {
    const { caPem } = this.#options;
    const ca =
      caPem === undefined ? {} : { 'certificate-authority-data': Buffer.from(caPem).toString('base64') };
    return JSON.stringify({
      'current-context': adhocLabel,
      contexts: [{ name: adhocLabel, context: { cluster: adhocLabel, user: adhocLabel } }],
      clusters: [{ name: adhocLabel, cluster: { server, ...ca } }],
      users: [{ name: adhocLabel, user: { token } }],
    });
  }
}

/** A pattern without a port stands for every port; `*.` for one or more labels. */
function matchesHost(url: URL, pattern: string): boolean {
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(pattern) ?? [];
  if (port !== undefined && port !== (url.port || '443')) return false;
  return host.startsWith('*.') ? url.hostname.endsWith(host.slice(1)) : url.hostname === host;
}

/** The cluster that was not used for longest; undefined where all are in use. */
export function oldestUnused(clusters: Iterable<Cluster>): Cluster | undefined {
  return [...clusters].filter(({ isBusy }) => !isBusy).sort((a, b) => a.usedAt - b.usedAt)[0];
}

export function forbidden(message: string): GatewayError {
  return new GatewayError(Code.PERMISSION_DENIED, message, { reason: 'CLUSTER_FORBIDDEN' });
}
