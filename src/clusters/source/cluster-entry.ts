import type { TillerTlsFiles } from '../../backends/tiller/index.ts';
import type { KubeconfigSource } from '../../kubernetes/index.ts';
import { invalidArgument } from '../../protocol/index.ts';

export const ways = ['tunnel', 'proxy', 'direct'] as const;

/** How a cluster is reached: a port-forward to its Tiller, its gateway through its API server, or Tiller's address. */
export type WayKind = (typeof ways)[number];

/** One cluster as it was configured. Two entries that are equal as JSON are the same cluster. */
export interface ClusterEntry {
  readonly name: string;
  /** Without one it is found out when the cluster is opened: its gateway where it has one, else its Tiller. */
  readonly way?: WayKind | undefined;
  /** Default: as kubectl, `KUBECONFIG`, else `~/.kube/config`. */
  readonly kubeconfig?: KubeconfigSource | undefined;
  /** Default: the kubeconfig's current context. */
  readonly context?: string | undefined;
  /** Default: every namespace is searched. */
  readonly tillerNamespace?: string | undefined;
  /** The gateway's Service for the way `proxy`, as `NAMESPACE/[SCHEME:]NAME[:PORT]`. Default: looked for. */
  readonly service?: string | undefined;
  /** Tiller's address for the way `direct`. */
  readonly endpoint?: string | undefined;
  /** TLS to Tiller, where it wants it. */
  readonly tls?: Omit<TillerTlsFiles, 'endpointIsTls'> | undefined;
}

/** In paths, `-` stands for all clusters. */
export const allClusters = '-';

const maxNameChars = 253;

/**
 * Names are used in paths, percent-encoded, and in log lines; those of kubeconfig contexts hold `/`, `:` and `@`.
 * @throws GatewayError INVALID_ARGUMENT
 */
export function validateClusterName(name: string): string {
  if (name === allClusters) throw invalidArgument(`${allClusters} stands for all clusters and names none`);
  if (/^[A-Za-z0-9_][\w.@:/-]*$/.test(name) && name.length <= maxNameChars) return name;
  throw invalidArgument(
    `${JSON.stringify(name.slice(0, 80))} is no name of a cluster: expected up to ${maxNameChars} letters, digits and _ . @ : / -`,
  );
}
