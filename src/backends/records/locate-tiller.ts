import {
  type ClusterAccess,
  choosePod,
  listPods,
  type Pod,
  tillerIn,
  tillerLabels,
} from '../../kubernetes/index.ts';
import { stepFailed } from '../../protocol/index.ts';
import type { RecordResource } from './decode-record.ts';

/** Where a Tiller keeps its records. */
export interface TillerStorage {
  readonly namespace: string;
  /** Both where it is not known which: no Pod of Tiller can be seen. */
  readonly resources: readonly RecordResource[];
}

const step = 'finding the release records';

/** `--storage` of Tiller 2.17. */
const resources: Readonly<Record<string, RecordResource>> = { configmap: 'configmaps', secret: 'secrets' };

/**
 * Where the records of a cluster's Tiller are, by its Pod: it says the namespace and the storage driver.
 * @param namespaces where to look for Tiller, in this order; undefined is all
 * @throws GatewayError UNAVAILABLE where there is no Tiller, or one whose records are not in Kubernetes
 */
export async function locateTiller(
  access: ClusterAccess,
  namespaces: readonly (string | undefined)[],
  signal: AbortSignal,
): Promise<TillerStorage> {
  for (const namespace of namespaces) {
    const pods = await listPods(access, { namespace, labels: tillerLabels, step, signal });
    // a Tiller that is not ready has its records all the same
    if (pods.length > 0) return storageOf(choosePod(pods, tillerIn(namespace), () => true));
  }
  const [only] = namespaces;
  if (namespaces.length === 1 && only !== undefined)
    return { namespace: only, resources: Object.values(resources) };
  throw stepFailed(step, `no pod ${tillerIn(undefined)}`);
}

function storageOf({ metadata, spec }: Pod): TillerStorage {
  const containers = spec?.containers ?? [];
  const words = containers.flatMap(({ command = [], args = [] }) => [...command, ...args]);
  const driver = /(?:^| )--?storage[= ](\S+)/.exec(words.join(' '))?.[1] ?? 'configmap';
  const resource = resources[driver.toLowerCase()];
  if (!resource) throw stepFailed(step, `Tiller keeps them otherwise (--storage=${driver.slice(0, 40)})`);
  const variable = containers.flatMap(({ env = [] }) => env).find(({ name }) => name === 'TILLER_NAMESPACE');
  return { namespace: variable?.value || metadata.namespace, resources: [resource] };
}
