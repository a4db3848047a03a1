import { ClusterObjects } from '../objects/cluster-objects.ts';
import type { Work } from '../work/tasks.ts';
import { SimulatedCluster } from './cluster.ts';
import { statusOf } from './revision.ts';
import { RevisionFolder } from './revision-folder.ts';
import { RevisionStore, type StoreBounds } from './revision-store.ts';

/** What Tiller's methods work on. */
export interface TillerState {
  readonly store: RevisionStore;
  readonly cluster: SimulatedCluster;
  /** What takes as long as a chart's author likes. */
  readonly work: Work;
  readonly now: () => Date;
}

export interface TillerStateOptions {
  /** Where releases are kept across restarts. Default: in memory only. */
  readonly folder?: string | undefined;
  /** Default: 10,000 revisions of 512 MiB together. */
  readonly bounds?: Partial<StoreBounds>;
  /** Gets a sentence for each kept file that cannot be read, and for other problems that are not fatal. Default: none. */
  readonly report?: (problem: string) => void;
  /** What the cluster holds, shared with its API server. Default: objects of its own. */
  readonly objects?: ClusterObjects;
  /** Default: the system's clock. */
  readonly now?: () => Date;
}

export const defaultBounds: StoreBounds = { maxRevisions: 10_000, maxBytes: 512 * 1024 * 1024 };

/** @throws Error of the file system */
export async function openTillerState(options: TillerStateOptions, work: Work): Promise<TillerState> {
  const report = options.report ?? (() => {});
  const now = options.now ?? (() => new Date());
  const folder = options.folder === undefined ? undefined : await RevisionFolder.open(options.folder);
  const objects = options.objects ?? new ClusterObjects();
  const bounds = { ...defaultBounds, ...options.bounds };
  const store = await RevisionStore.open({ bounds, now, folder, report, objects });
  const state = { store, cluster: new SimulatedCluster(objects), work, now };
  await restoreCluster(state, report);
  return state;
}

/** What kept releases had in the cluster counts as being there still. */
async function restoreCluster(
  { store, cluster, work }: TillerState,
  report: (problem: string) => void,
): Promise<void> {
  for (const name of store.names()) {
    const release = store.last(name);
    if (statusOf(release) === 'DELETED') continue;
    try {
      const createdAt = new Date((release.info?.last_deployed?.seconds ?? 0) * 1000);
      const objects = await work.readObjects(release.manifest, release.namespace);
      cluster.restore(release.namespace, objects, createdAt);
    } catch (error) {
      report(`the manifest of ${name} cannot be read: ${(error as Error).message}`);
    }
  }
}
