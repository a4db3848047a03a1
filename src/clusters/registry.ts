import { Code, GatewayError } from '../protocol/index.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import type { ClusterEntry } from './source/cluster-entry.ts';

/** Where the clusters' events are logged. */
export type ClusterLog = (
  level: 'error' | 'warn' | 'info' | 'debug',
  message: string,
  fields: Readonly<Record<string, unknown>>,
) => void;

export interface RegistryOptions extends Omit<ClusterOptions, 'admit' | 'onIdle'> {
  /** Open clusters at the most. */
  readonly maxOpen: number;
}

/** How many names a message about an unknown one lists. */
const maxNamed = 20;

/** The clusters by name, and the bound on how many of them are open. */
export class Registry {
  private readonly options: RegistryOptions;
  private readonly byName = new Map<string, Cluster>();
  /** Clusters that are not in the configuration, but count all the same. */
  private readonly others = new Set<Cluster>();

  constructor(options: RegistryOptions) {
    this.options = options;
  }

  /** In the order of the configuration. */
  get clusters(): readonly Cluster[] {
    return [...this.byName.values()];
  }

  /** @throws GatewayError NOT_FOUND that names those that are there */
  get(name: string): Cluster {
    const found = this.byName.get(name);
    if (found) return found;
    const names = [...this.byName.keys()];
    const more = names.length > maxNamed ? ` and ${names.length - maxNamed} more` : '';
    const known = names.length > 0 ? `${names.slice(0, maxNamed).join(', ')}${more}` : 'none';
    throw new GatewayError(
      Code.NOT_FOUND,
      `no cluster ${JSON.stringify(name.slice(0, 100))}; known: ${known}`,
    );
  }

  /** Takes over a new configuration. Clusters whose entry stays the same keep their connection and their calls. */
  update(entries: readonly ClusterEntry[]): void {
    const before = new Map(this.byName);
    this.byName.clear();
    for (const entry of entries) {
      const known = before.get(entry.name);
      const isSame = known && JSON.stringify(known.entry) === JSON.stringify(entry);
      this.byName.set(entry.name, isSame ? known : this.create(entry));
      if (isSame) before.delete(entry.name);
    }
    for (const cluster of before.values()) cluster.remove();
  }

  /** A cluster beside the configured ones. `onGone` runs when it was closed for want of use, or for another's sake. */
  addOther(entry: ClusterEntry, onGone: () => void): Cluster {
    const cluster = this.create(entry, () => {
      this.others.delete(cluster);
      cluster.remove();
      onGone();
    });
    this.others.add(cluster);
    return cluster;
  }

  /** Fails calls under way. */
  destroy(): void {
    for (const cluster of [...this.byName.values(), ...this.others]) cluster.destroy();
  }

  private create(entry: ClusterEntry, onIdle?: () => void): Cluster {
    return new Cluster(entry, { ...this.options, admit: () => this.admit(), ...(onIdle && { onIdle }) });
  }

  /** Closes the cluster that was not used for longest, where the bound is reached. */
  private admit(): void {
    const open = [...this.byName.values(), ...this.others].filter(cluster => cluster.isOpen);
    if (open.length < this.options.maxOpen) return;
    const [oldest] = open.filter(({ isBusy }) => !isBusy).sort((a, b) => a.usedAt - b.usedAt);
    if (!oldest) {
      const message = `${open.length} clusters are open and all of them are in use (--max-open-clusters)`;
      throw new GatewayError(Code.RESOURCE_EXHAUSTED, message);
    }
    oldest.rest();
  }
}
