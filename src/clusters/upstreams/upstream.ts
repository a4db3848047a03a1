import type { Backend, GatewayOptions, TillerClientOptions } from '../../backends/index.ts';
import type { GatewayError } from '../../protocol/index.ts';
import type { ClusterEntry, UpstreamKind } from '../entry/cluster-entry.ts';

/** Reports of an upstream's connection, for its cluster. */
export interface UpstreamEvents {
  /** @param version Tiller's, where the connection knows it */
  connected(version?: string, target?: string): void;
  /** An attempt failed; the error says which step. */
  failed(error: GatewayError): void;
  lost(reason: string): void;
}

/** How a cluster's releases are reached, from its opening to its closing. */
export interface Upstream {
  readonly kind: UpstreamKind;
  /** Where it leads, for people. */
  readonly description: string;
  readonly backend: Backend;
  /** Opens the connection if there is none. @throws GatewayError of the step that failed */
  connect(signal: AbortSignal): Promise<void>;
  /** Asks Tiller's version, by a call. @throws GatewayError as `connect` */
  version(signal: AbortSignal): Promise<string>;
  /** Running calls finish; callers that wait for a connection get `reason`. */
  close(reason: string): void;
  /** Fails running calls. */
  destroy(): void;
}

export interface UpstreamOptions {
  /** How Tillers are called; what differs between clusters is added here. */
  readonly tiller: Omit<
    TillerClientOptions,
    'connector' | 'tls' | 'connections' | 'onOpened' | 'onLost' | 'onAttemptFailed'
  >;
  readonly gateway: GatewayOptions;
  readonly environment: NodeJS.ProcessEnv;
}

/** Opens one kind of upstream. @throws GatewayError UNAVAILABLE or INVALID_ARGUMENT that says what is wrong */
export type OpenUpstream = (
  entry: ClusterEntry,
  options: UpstreamOptions,
  events: UpstreamEvents,
  signal: AbortSignal,
) => Upstream | Promise<Upstream>;
