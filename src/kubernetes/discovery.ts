import { stepFailed } from '../protocol/index.ts';
import { type ClusterAccess, getJson } from './api.ts';

/** The part of a Pod that is read. Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ */
export interface Pod {
  readonly metadata: ObjectName & {
    readonly deletionTimestamp?: string;
    readonly creationTimestamp?: string;
  };
  readonly spec?: {
    readonly containers?: readonly {
      readonly command?: readonly string[];
      readonly args?: readonly string[];
      readonly env?: readonly { readonly name: string; readonly value?: string }[];
    }[];
  };
  readonly status?: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

export interface Service {
  readonly metadata: ObjectName & { readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: {
    /** Absent or `None`: no address stands for its Pods. */
    readonly clusterIP?: string;
    readonly ports?: readonly { readonly name?: string; readonly port: number }[];
  };
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
  const answer = (await getJson(access, path, { step, signal })) as { items?: unknown } | null;
  const items = answer?.items;
  if (!Array.isArray(items) || !items.every(isNamed)) {
    throw stepFailed(step, `the API server's answer is not a list of ${resource}`);
  }
  return items as T[];
}

function isNamed(item: unknown): boolean {
  const { name, namespace } = (item as { metadata?: Partial<ObjectName> } | null)?.metadata ?? {};
  return typeof name === 'string' && typeof namespace === 'string';
}

/**
 * The Pod to speak to: Ready and not about to go, the youngest of them, since during an update the older one is next to
 * go. Pods of one namespace share their releases, so any will do; Pods of several namespaces are different Tillers.
 * @param where the namespaces that were searched, in words
 * @param isUsable which Pods will do
 * @throws GatewayError UNAVAILABLE where there is none, or one in each of several namespaces, which it lists
 */
export function choosePod(pods: readonly Pod[], where: string, isUsable = isReady): Pod {
  const usable = pods.filter(pod => isUsable(pod) && !pod.metadata.deletionTimestamp);
  if (new Set(usable.map(pod => pod.metadata.namespace)).size > 1) throw severalError(usable, where);
  const [first, ...others] = usable;
  if (first) return others.reduce((youngest, pod) => (isYounger(pod, youngest) ? pod : youngest), first);
  const unready = pods.length > 0 ? `; not ready: ${namesOf(pods)}` : '';
  throw stepFailed('finding Tiller', `no ready pod ${where}${unready}`);
}

/**
 * The only Service, or nothing where there is none.
 * @throws GatewayError UNAVAILABLE that lists them where there are several
 */
export function chooseService(services: readonly Service[], where: string): Service | undefined {
  if (services.length > 1) throw severalError(services, where);
  return services[0];
}

function severalError(objects: readonly { readonly metadata: ObjectName }[], where: string) {
  const hint = 'Choose one with --tiller-namespace or other labels';
  return stepFailed('finding Tiller', `several ${where}: ${namesOf(objects)}. ${hint}`);
}

function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

function isYounger(a: Pod, b: Pod): boolean {
  // RFC 3339 in UTC without fractions, as the API server writes it, sorts as text
  return (a.metadata.creationTimestamp ?? '') > (b.metadata.creationTimestamp ?? '');
}

function namesOf(objects: readonly { readonly metadata: ObjectName }[]): string {
  const names = objects.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort();
  const shown = names.slice(0, 10).join(', ');
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}

/** The labels `helm init` puts on Tiller's Deployment, Pods and Service. */
export const tillerLabels = 'app=helm,name=tiller';

/** Where Tiller is looked for, for messages. */
export function tillerIn(namespace: string | undefined): string {
  return `labelled ${tillerLabels} in ${namespace === undefined ? 'any namespace' : `namespace ${namespace}`}`;
}

/** What one wants to do, in RBAC's words. */
export interface ResourceRight {
  readonly verb: string;
  readonly resource: string;
  /** All namespaces where it is missing. */
  readonly namespace: string | undefined;
}

/**
 * Asks the API server whether these rights are given.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/
 * @returns the first right that is not, in words; undefined where all are
 * @throws GatewayError UNAVAILABLE where the API server does not say
 */
export async function missingRight(
  access: ClusterAccess,
  rights: readonly ResourceRight[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const step = 'asking for the own rights';
  for (const { verb, resource, namespace } of rights) {
    const spec = { resourceAttributes: { verb, resource, ...(namespace !== undefined && { namespace }) } };
    const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec };
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const answer = await getJson(access, path, { step, signal, body });
    if ((answer as { status?: { allowed?: unknown } } | null)?.status?.allowed === true) continue;
    const place = namespace === undefined ? 'all namespaces' : `namespace ${namespace}`;
    return `no right to ${verb} ${resource} in ${place}`;
  }
  return undefined;
}
