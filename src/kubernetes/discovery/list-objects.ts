import { unavailable } from '../../protocol/index.ts';
import { getJson } from '../access/api-get.ts';
import type { ClusterAccess } from '../access/cluster-access.ts';

/** What is read of a Pod. Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ */
export interface Pod {
  readonly metadata: ObjectName & {
    readonly deletionTimestamp?: string;
    readonly creationTimestamp?: string;
  };
  readonly status?: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** What is read of a Service. */
export interface Service {
  readonly metadata: ObjectName & { readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: { readonly ports?: readonly { readonly name?: string; readonly port: number }[] };
}

export interface ObjectName {
  readonly name: string;
  readonly namespace: string;
}

export interface ListOptions {
  /** All namespaces where it is missing. */
  readonly namespace: string | undefined;
  readonly labels: string;
  /** How the error message begins. Default `finding Tiller`. */
  readonly step?: string;
  readonly signal: AbortSignal;
}

export function listPods(access: ClusterAccess, options: ListOptions): Promise<Pod[]> {
  return list<Pod>(access, 'pods', options);
}

export function listServices(access: ClusterAccess, options: ListOptions): Promise<Service[]> {
  return list<Service>(access, 'services', options);
}

async function list<T extends { metadata: ObjectName }>(
  access: ClusterAccess,
  resource: string,
  { namespace, labels, signal, step = 'finding Tiller' }: ListOptions,
): Promise<T[]> {
  const folder = namespace === undefined ? '/api/v1' : `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
  const path = `${folder}/${resource}?labelSelector=${encodeURIComponent(labels)}`;
  const answer = (await getJson(access, path, { step, signal })) as {
    items?: unknown;
  } | null;
  const items = answer?.items;
  if (!Array.isArray(items) || !items.every(isNamed)) {
    throw unavailable(`${step}: the API server's answer is not a list of ${resource}`);
  }
  return items as T[];
}

function isNamed(item: unknown): boolean {
  const { name, namespace } = (item as { metadata?: Partial<ObjectName> } | null)?.metadata ?? {};
  return typeof name === 'string' && typeof namespace === 'string';
}
