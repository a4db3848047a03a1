import { createHash } from 'node:crypto';
import { Code, GatewayError, invalidArgument } from '../protocol/index.ts';
import type { Cluster } from './cluster.ts';
import type { AdhocNames } from './selection.ts';
import type { ClusterEntry } from './upstreams/upstream.ts';

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
  readonly #add: (entry: ClusterEntry, onGone: () => void) => Cluster;
  readonly #pool = new Map<string, Cluster>();

  /** @param add makes a cluster of an entry; `onGone` runs when it was closed */
  constructor(options: AdhocOptions, add: (entry: ClusterEntry, onGone: () => void) => Cluster) {
    this.#options = options;
    this.#add = add;
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
    const cluster = this.#add(entry, () => this.#pool.delete(key));
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
    const message = `--allow-adhoc-clusters does not allow the API server ${url.host}`;
    throw new GatewayError(Code.PERMISSION_DENIED, message, { reason: 'CLUSTER_FORBIDDEN' });
  }

  #evict(): void {
    const idle = [...this.#pool].filter(([, { isBusy }]) => !isBusy);
    const [oldest] = idle.sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (!oldest) {
      throw new GatewayError(
        Code.RESOURCE_EXHAUSTED,
        `${maxPooled} API servers named by requests are in use`,
      );
    }
    this.#pool.delete(oldest[0]);
    oldest[1].remove();
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
