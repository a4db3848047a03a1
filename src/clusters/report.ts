import type { GatewayError } from '../protocol/index.ts';
import type { UpstreamKind } from './entry/cluster-entry.ts';

/** `idle`: nobody has used it lately, so it is not known whether it could be reached. */
export type ClusterState = 'idle' | 'connecting' | 'ready' | 'failing';

/** One cluster in `GET /clusters`. */
export interface ClusterReport {
  readonly name: string;
  /** `auto` until the cluster is opened. */
  readonly upstream: UpstreamKind | 'auto';
  readonly state: ClusterState;
  readonly failing?: FailureReport;
  /** Tiller's version. */
  readonly tiller?: string;
  /** Time to ask Tiller's version, measured the last time. */
  readonly round_trip_ms?: number;
  /** Running at the moment. */
  readonly calls: number;
}

export interface FailureReport {
  readonly since: string;
  /** Such as `finding Tiller`, `opening the tunnel`. */
  readonly step: string;
  readonly message: string;
}

/** The step is the error's own; without one, the message up to the first object or reason. */
export function describeFailure({ step, message }: GatewayError, since: Date): FailureReport {
  const begun = /^(.*?)(?: to | at | of | through |: | failed)/.exec(step ?? message)?.[1];
  return { since: since.toISOString(), step: begun ?? step ?? message, message };
}
