import type { Config } from '../config/index.ts';
import { Code, GatewayError, invalidArgument, limitExceeded } from '../protocol/index.ts';
import type { BreakerRules, ReadsReport } from './breaker.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { type AdhocOptions, AdhocPool, forbidden, oldestUnused, type Selection } from './selection.ts';
import type { ClusterEntry } from './upstreams/upstream.ts';

export interface RegistryOptions
  extends Pick<ClusterOptions, 'open' | 'records' | 'connectTimeoutMs' | 'log'> {
  readonly own: ClusterEntry;
  /** Further clusters. Without these no request may name one. */
  readonly many?: ManyOptions | undefined;
}

/** Without a default cluster the own one answers requests that name none. */
interface ManyOptions extends Pick<Config['clusters'], 'defaultCluster' | 'maxOpen' | 'maxCalls' | 'idleMs'> {
  /** Clusters that requests bring along. Default: none may. */
  readonly adhoc: AdhocOptions | undefined;
}

/** How many names a message about an unknown one lists. */
const maxNamed = 20;

/** Calls to the own Tiller wait for it as long as the client does (15 s), and it is looked for every few seconds. */
const ownBreaker: BreakerRules = { failures: 10, slowMs: 15_000, maxPauseMs: 3_000 };

/** The clusters by name, the gateway's own first, and the bound on how many of the others are open. */
export class Registry {
  readonly own: Cluster;
  readonly #options: RegistryOptions;
  readonly #byName = new Map<string, Cluster>();
  /** Clusters that are not in the configuration, but count all the same. */
  readonly #adhoc: AdhocPool | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
    const { open, own, records, connectTimeoutMs, log, many } = options;
    this.own = new Cluster(own, {
      open,
      records,
      connectTimeoutMs,
      log,
      admit: () => {},
      idleMs: Number.POSITIVE_INFINITY,
      maxCalls: Number.POSITIVE_INFINITY,
      breaker: ownBreaker,
    });
    this.#adhoc = many?.adhoc && new AdhocPool(many.adhoc, (...cluster) => this.#create(...cluster));
  }

  /** The clusters of the configuration, in its order. */
  get clusters(): readonly Cluster[] {
    return [...this.#byName.values()];
  }

  /** Whether requests may name clusters. */
  get hasMany(): boolean {
    return this.#options.many !== undefined;
  }

  get defaultCluster(): string | undefined {
    return this.#options.many?.defaultCluster;
  }

  /**
   * The cluster that a request is for.
   * @throws GatewayError NOT_FOUND for an unknown name, PERMISSION_DENIED for an API server that may not be named, and
   * INVALID_ARGUMENT where this gateway serves no cluster but its own: a request for another must not reach that
   */
  pick({ name, adhoc, kubeconfig }: Selection): Cluster {
    if (kubeconfig !== undefined) return this.#ofKubeconfig(kubeconfig, name);
    if (!this.hasMany && (name !== undefined || adhoc)) {
      throw invalidArgument('this gateway serves one cluster: no other can be named (docs/clusters.md)');
    }
    if (adhoc) {
      if (this.#adhoc) return this.#adhoc.get(adhoc);
      throw forbidden('X-KubeApiServer: this gateway has no --allow-adhoc-clusters');
    }
    const wanted = name ?? this.defaultCluster;
    return wanted === undefined ? this.own : this.get(wanted);
  }

  /** @throws GatewayError NOT_FOUND that lists the known names */
  get(name: string): Cluster {
    const cluster = this.#byName.get(name);
    if (cluster) return cluster;
    const names = [...this.#byName.keys()];
    const more = names.length > maxNamed ? ` and ${names.length - maxNamed} more` : '';
    const known = names.length > 0 ? `${names.slice(0, maxNamed).join(', ')}${more}` : 'none';
    throw notFound(`no cluster ${JSON.stringify(name.slice(0, 100))}; known: ${known}`);
  }

  /**
   * One of the configured clusters that are reached by this kubeconfig.
   * @throws GatewayError PERMISSION_DENIED for a file that the configuration does not name
   */
  #ofKubeconfig(file: string, name: string | undefined): Cluster {
    const all = [...this.#byName.values(), this.own].filter(({ entry }) => {
      return entry.kubeconfig && 'file' in entry.kubeconfig && entry.kubeconfig.file === file;
    });
    if (all.length === 0) throw forbidden("kube_config: this is no kubeconfig of this gateway's clusters");
    const wanted = all.filter(({ entry }) =>
      name === undefined ? entry.context === undefined : entry.name === name || entry.context === name,
    );
    const cluster = wanted[0] ?? (name === undefined && all.length === 1 ? all[0] : undefined);
    if (cluster) return cluster;
    const what =
      name === undefined ? 'has several clusters: name one by kube_context' : 'has no such context';
    throw notFound(`kube_config: the kubeconfig ${what}`);
  }

  /** The cluster's name in logs and metrics; undefined for the own one. The number of names is bounded. */
  labelOf(cluster: Cluster): string | undefined {
    return cluster === this.own ? undefined : cluster.name;
  }

  states(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = { idle: 0, connecting: 0, ready: 0, failing: 0 };
    for (const { state } of this.#byName.values()) counts[state] = (counts[state] ?? 0) + 1;
    return counts;
  }

  /** What is held of release records, of all clusters. */
  records(): { held: number; bytes: number; unreadable: number; ageSeconds: number | undefined } {
    const reports = [...new Set([this.own, ...this.#byName.values()])].flatMap(
      one => one.report().reads ?? [],
    );
    const sum = (read: (report: ReadsReport) => number) => reports.reduce((all, one) => all + read(one), 0);
    const ages = reports.flatMap(({ age_ms }) => age_ms ?? []);
    return {
      held: sum(({ held }) => held),
      bytes: sum(({ bytes }) => bytes),
      unreadable: sum(({ unreadable }) => unreadable),
      ageSeconds: ages.length > 0 ? Math.max(...ages) / 1000 : undefined,
    };
  }

  /** Takes over a new configuration. Clusters whose entry stays the same keep their connection and their calls. */
  update(entries: readonly ClusterEntry[]): void {
    const before = new Map(this.#byName);
    this.#byName.clear();
    for (const entry of entries) {
      const known = before.get(entry.name);
      const isSame = known && JSON.stringify(known.entry) === JSON.stringify(entry);
      this.#byName.set(entry.name, isSame ? known : this.#create(entry));
      if (isSame) before.delete(entry.name);
    }
    for (const cluster of before.values()) cluster.remove();
  }

  /** Fails running calls. */
  destroy(): void {
    for (const cluster of [this.own, ...this.#others]) cluster.destroy('the gateway is stopping');
  }

  /** All clusters but the own one. */
  get #others(): Cluster[] {
    return [...this.#byName.values(), ...(this.#adhoc?.clusters ?? [])];
  }

  /** @param onIdle runs when it was closed because nothing used it */
  #create(entry: ClusterEntry, onIdle?: () => void): Cluster {
    const { open, records, connectTimeoutMs, log, many } = this.#options;
    if (!many) throw new Error(`cluster ${entry.name} in a gateway for one`);
    const { idleMs, maxCalls } = many;
    const admit = () => this.#admit(many.maxOpen);
    return new Cluster(entry, { open, records, connectTimeoutMs, log, idleMs, maxCalls, admit, onIdle });
  }

  /** Closes the cluster that was not used for longest, where the bound is reached. */
  #admit(maxOpen: number): void {
    const open = this.#others.filter(cluster => cluster.isOpen);
    if (open.length < maxOpen) return;
    const oldest = oldestUnused(open);
    if (!oldest) {
      const message = `${open.length} clusters are open and all of them are in use (--max-open-clusters)`;
      throw limitExceeded(message, { reason: 'OVERLOADED' });
    }
    oldest.rest();
  }
}

function notFound(message: string): GatewayError {
  return new GatewayError(Code.NOT_FOUND, message, { reason: 'CLUSTER_NOT_FOUND' });
}
