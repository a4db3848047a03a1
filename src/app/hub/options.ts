import type { TillerClient } from '../../backends/tiller/index.ts';
import type { AdhocOptions } from '../../clusters/adhoc.ts';
import type { ClusterLog } from '../../clusters/registry.ts';
import type { ClusterSourceOptions } from '../../clusters/source/cluster-source.ts';
import type { TillerWayOptions } from '../../clusters/tiller-way.ts';
import type { ReleaseService } from '../../releases/index.ts';

export interface HubOptions {
  readonly source: ClusterSourceOptions;
  /** Serves the root path. Default: the gateway's own Tiller does. */
  readonly defaultCluster: string | undefined;
  /** Clusters that requests bring along. Default: none may. */
  readonly adhoc: AdhocOptions | undefined;
  /** What one cluster may take of a request that asks many. */
  readonly timeoutMs: number;
  /** A connection without use is closed after this time. */
  readonly idleMs: number;
  /** Requests under way to one cluster. */
  readonly maxCalls: number;
  /** Clusters with an open connection. */
  readonly maxOpen: number;
  /** How Tillers are called. */
  readonly tiller: TillerWayOptions['tiller'];
  /** The release service on a Tiller. */
  readonly serviceOf: (tiller: TillerClient) => ReleaseService;
  readonly log: ClusterLog;
  /** How often the files are looked at. Default 2 s. */
  readonly watchIntervalMs?: number;
}
