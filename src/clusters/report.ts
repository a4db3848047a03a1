import type { GatewayError } from '../protocol/index.ts';
import type { WayKind } from './source/cluster-entry.ts';

/** `idle`: nobody has used it lately, so it is not known whether it could be reached. */
export type ClusterState = 'idle' | 'connecting' | 'ready' | 'failing';

/** One cluster in `GET /clusters`. */
export interface ClusterReport {
  readonly name: string;
  /** `auto` until it is found out. */
  readonly way: WayKind | 'auto';
  readonly state: ClusterState;
  readonly failing?: FailureReport;
  /** Tiller's version. */
  readonly tiller?: string;
  /** What asking Tiller's version took, the last time. */
  readonly round_trip_ms?: number;
  /** Under way at the moment. */
  readonly calls: number;
}

export interface FailureReport {
  readonly since: string;
  /** What was tried: `finding Tiller`, `opening the tunnel`, … */
  readonly step: string;
  readonly message: string;
}

/** Every failure on the way to a cluster begins with the step, up to the first colon. */
export function describeFailure({ message }: GatewayError, since: Date): FailureReport {
  const step = /^(.*?)(?: to | at | of |: | failed)/.exec(message)?.[1] ?? message;
  return { since: since.toISOString(), step, message };
}
