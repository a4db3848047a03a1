import type { SimulatedCluster } from './cluster.ts';
import type { RevisionStore } from './revision-store.ts';

/** What Tiller's methods work on. */
export interface TillerState {
  readonly store: RevisionStore;
  readonly cluster: SimulatedCluster;
  readonly now: () => Date;
}
