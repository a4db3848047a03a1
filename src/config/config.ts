import type { ListenAddress } from './listen-address.ts';
import type { ValuesOf } from './option.ts';
import type { optionGroups } from './options/index.ts';

/** The options' values as they were given, by group, defaults filled in. */
export type GivenConfig = { readonly [G in keyof typeof optionGroups]: ValuesOf<(typeof optionGroups)[G]> };

/** An option whose default depends on the surroundings, after it has been decided. */
type Decided<T, K extends keyof T> = Omit<T, K> & { readonly [P in K]-?: Exclude<T[P], undefined> };

/** The whole configuration, complete. Its shape is that of the option tables. */
export type Config = Omit<GivenConfig, 'listener' | 'tiller' | 'tls'> & {
  readonly listener: Decided<GivenConfig['listener'], 'addr'>;
  readonly tiller: Decided<GivenConfig['tiller'], 'connector'>;
  readonly tls: Decided<GivenConfig['tls'], 'clientAuth'>;
};

/** Fills in what depends on the surroundings. `inCluster`: this process runs in a pod with a service account. */
export function completeConfig(given: GivenConfig, inCluster: boolean): Config {
  const connector = given.tiller.connector ?? defaultConnector(given, inCluster);
  return {
    ...given,
    listener: { ...given.listener, addr: given.listener.addr ?? defaultAddress(connector) },
    tiller: { ...given.tiller, connector },
    tls: { ...given.tls, clientAuth: given.tls.clientAuth ?? (given.tls.caFile ? 'optional' : 'none') },
  };
}

function defaultConnector(
  { tiller, kubernetes, clusters }: GivenConfig,
  inCluster: boolean,
): Config['tiller']['connector'] {
  if (tiller.endpoint !== undefined) return 'direct';
  if (kubernetes.kubeconfig !== undefined || kubernetes.context !== undefined) return 'kubeconfig';
  if (inCluster) return 'incluster';
  return servesClusters(clusters) ? 'kubeconfig' : 'sandbox';
}

/** Whether there are clusters beside the connector's own Tiller: the hub is loaded for them, and only for them. */
export function servesClusters({ file, kubeContexts, allowAdhoc }: GivenConfig['clusters']): boolean {
  return file !== undefined || kubeContexts.length > 0 || allowAdhoc.length > 0;
}

/** The sandbox is for trying things out on a workstation: nobody else should reach it without being asked. */
function defaultAddress(connector: Config['tiller']['connector']): ListenAddress {
  return { host: connector === 'sandbox' ? '127.0.0.1' : undefined, port: 9855 };
}
