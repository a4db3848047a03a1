import type { Release } from '../../codec/messages.gen.ts';
import type { SimulatedCluster } from './cluster.ts';
import type { RevisionStore } from './revision-store.ts';

/** What Tiller's methods work on. */
export interface TillerState {
  readonly store: RevisionStore;
  readonly cluster: SimulatedCluster;
  /** The text of `status.resources`: what a cluster would say about the release's objects. */
  readonly resourceTable: (release: Release) => string | Promise<string>;
  readonly now: () => Date;
}
