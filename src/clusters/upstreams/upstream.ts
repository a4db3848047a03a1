import type { Backend, GatewayOptions, TillerClientOptions, TillerTlsFiles } from '../../backends/index.ts';
import type { ClusterAccess, KubeconfigSource } from '../../kubernetes/index.ts';
import { type GatewayError, invalidArgument } from '../../protocol/index.ts';

/** The kinds of upstream that a clusters file can name. */
export const namedUpstreams = ['tunnel', 'gateway', 'direct'] as const;

/**
 * How a cluster's releases are reached: by a port-forward to its Tiller, by its gateway through its API server, at
 * Tiller's address; the gateway's own Tiller also by its Service inside the cluster, or in the sandbox.
 */
export type UpstreamKind = (typeof namedUpstreams)[number] | 'service' | 'sandbox';

/** One cluster as it was configured. Two entries that are equal as JSON are the same cluster. */
export interface ClusterEntry {
  readonly name: string;
  /** Default: decided when the cluster is opened: its gateway where it has one, else a tunnel to its Tiller. */
  readonly upstream?: UpstreamKind | undefined;
  /** Connections to Tiller that share the calls. Default 1. */
  readonly connections?: number | undefined;
  /** Default: as kubectl, `KUBECONFIG`, else `~/.kube/config`. */
  readonly kubeconfig?: KubeconfigSource | undefined;
  /** Default: the kubeconfig's current context. */
  readonly context?: string | undefined;
  /** Default: every namespace is searched. */
  readonly tillerNamespace?: string | undefined;
  /** The gateway's Service for the upstream `gateway`, as `NAMESPACE/[SCHEME:]NAME[:PORT]`. Default: looked for. */
  readonly service?: string | undefined;
  readonly endpoint?: string | undefined;
  /** TLS to Tiller, where it wants it. */
  readonly tls?: Omit<TillerTlsFiles, 'endpointIsTls'> | undefined;
}

/** In paths, `-` stands for all clusters. */
export const allClusters = '-';

const maxNameChars = 253;

/**
 * Names are used in paths, percent-encoded, and in log lines; names of kubeconfig contexts hold `/`, `:` and `@`.
 * @throws GatewayError INVALID_ARGUMENT
 */
export function validateClusterName(name: string): string {
  if (name === allClusters) throw invalidArgument(`${allClusters} stands for all clusters and names none`);
  if (/^[A-Za-z0-9_][\w.@:/-]*$/.test(name) && name.length <= maxNameChars) return name;
  throw invalidArgument(
    `${JSON.stringify(name.slice(0, 80))} is no name of a cluster: expected up to ${maxNameChars} letters, digits and _ . @ : / -`,
  );
}

/** Reports of an upstream's connection, for its cluster. */
export interface UpstreamEvents {
  /** @param version Tiller's, where the connection knows it */
  connected(version?: string, target?: string): void;
  /** An attempt failed; the error says which step. */
  failed(error: GatewayError): void;
  lost(reason: string): void;
  /** A call that may have changed a release has ended; without a reply nobody knows what it has done. */
  written(method: string, name: string, request: Uint8Array, reply: Uint8Array | undefined): void;
}

/** Where Tiller is looked for. */
export interface TillerPlace {
  readonly access: ClusterAccess;
  /** In this order; undefined is all namespaces. */
  readonly namespaces: () => Promise<readonly (string | undefined)[]>;
}

/** How a cluster's releases are reached, from its opening to its closing. */
export interface Upstream {
  readonly kind: UpstreamKind;
  /** Where it leads, for people. */
  readonly description: string;
  readonly backend: Backend;
  /** The API server that it goes through to Tiller, for the release records. */
  readonly kubernetes?: TillerPlace;
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
    'connector' | 'tls' | 'connections' | 'onOpened' | 'onLost' | 'onAttemptFailed' | 'onWritten'
  >;
  readonly gateway: GatewayOptions;
  readonly environment: NodeJS.ProcessEnv;
}
