import { createHash } from 'node:crypto';

/** A kind of object that the API serves. */
export interface Resource {
  readonly group: string;
  /** The versions in which it is served; objects are stored in the first. */
  readonly versions: readonly string[];
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly isInAll: boolean;
  /** Whether a change of its specification counts up `metadata.generation`. */
  readonly hasGeneration: boolean;
  readonly hasStatus: boolean;
  readonly hasScale: boolean;
  /** Whether it came with a CustomResourceDefinition or a chart: nothing is known of its fields then. */
  readonly isCustom: boolean;
}

/** A resource as a request names it: one storage can be served under several groups and versions. */
export interface ServedResource {
  readonly resource: Resource;
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
}

/**
 * The kinds of Kubernetes 1.18, one a line: `plural Kind flags [short names]`, where flags are `n` namespaced, `a` part of
 * `all`, `g` has a generation, `s` has a status, `c` can be scaled. In the order of the discovery documents.
 */
const builtIn: readonly [group: string, versions: string, kinds: string][] = [
  [
    '',
    'v1',
    `configmaps ConfigMap n cm
    endpoints Endpoints n ep
    events Event n ev
    limitranges LimitRange n limits
    namespaces Namespace s ns
    nodes Node s no
    persistentvolumeclaims PersistentVolumeClaim ns pvc
    persistentvolumes PersistentVolume s pv
    pods Pod nas po
    podtemplates PodTemplate n
    replicationcontrollers ReplicationController nagsc rc
    resourcequotas ResourceQuota ns quota
    secrets Secret n
    serviceaccounts ServiceAccount n sa
    services Service nas svc`,
  ],
  ['apiregistration.k8s.io', 'v1 v1beta1', 'apiservices APIService s'],
  ['extensions', 'v1beta1', ''],
  [
    'apps',
    'v1',
    `controllerrevisions ControllerRevision n
    daemonsets DaemonSet nags ds
    deployments Deployment nagsc deploy
    replicasets ReplicaSet nagsc rs
    statefulsets StatefulSet nagsc sts`,
  ],
  ['events.k8s.io', 'v1beta1', ''],
  ['authentication.k8s.io', 'v1 v1beta1', ''],
  ['authorization.k8s.io', 'v1 v1beta1', ''],
  ['autoscaling', 'v1 v2beta1 v2beta2', 'horizontalpodautoscalers HorizontalPodAutoscaler nas hpa'],
  ['batch', 'v1', 'jobs Job nas'],
  ['batch', 'v1beta1', 'cronjobs CronJob nas cj'],
  ['certificates.k8s.io', 'v1beta1', 'certificatesigningrequests CertificateSigningRequest s csr'],
  ['networking.k8s.io', 'v1', 'networkpolicies NetworkPolicy ng netpol'],
  ['networking.k8s.io', 'v1beta1', 'ingressclasses IngressClass g\ningresses Ingress ngs ing'],
  [
    'policy',
    'v1beta1',
    'poddisruptionbudgets PodDisruptionBudget ngs pdb\npodsecuritypolicies PodSecurityPolicy - psp',
  ],
  [
    'rbac.authorization.k8s.io',
    'v1 v1beta1',
    `clusterrolebindings ClusterRoleBinding -
    clusterroles ClusterRole -
    rolebindings RoleBinding n
    roles Role n`,
  ],
  [
    'storage.k8s.io',
    'v1 v1beta1',
    `csidrivers CSIDriver -
    csinodes CSINode -
    storageclasses StorageClass - sc
    volumeattachments VolumeAttachment s`,
  ],
  [
    'admissionregistration.k8s.io',
    'v1 v1beta1',
    `mutatingwebhookconfigurations MutatingWebhookConfiguration g
    validatingwebhookconfigurations ValidatingWebhookConfiguration g`,
  ],
  ['apiextensions.k8s.io', 'v1 v1beta1', 'customresourcedefinitions CustomResourceDefinition gs crd,crds'],
  ['scheduling.k8s.io', 'v1 v1beta1', 'priorityclasses PriorityClass - pc'],
  ['coordination.k8s.io', 'v1 v1beta1', 'leases Lease n'],
  ['node.k8s.io', 'v1beta1', 'runtimeclasses RuntimeClass -'],
  ['discovery.k8s.io', 'v1beta1', 'endpointslices EndpointSlice n'],
];

/** Kinds that a group serves a second time, from the storage of another. */
const secondNames: Readonly<Record<string, readonly string[]>> = {
  'events.k8s.io': ['Event'],
  extensions: ['Ingress'],
};

/** Groups that kinds have left; charts still name them. */
const leftGroups: ReadonlySet<string> = new Set(['extensions', 'apps', 'batch', 'policy']);

/** Groups and versions in the order of `/apis`. */
export interface ServedGroup {
  readonly name: string;
  readonly versions: readonly string[];
}

/** How many kinds may come with charts and CustomResourceDefinitions. */
const maxCustomKinds = 2_000;

/** The kinds that there are: those of Kubernetes 1.18, and those that are added. */
export class Resources {
  readonly #byKind = new Map<string, Resource>();
  readonly #byPlural = new Map<string, Resource>();
  readonly #groups = new Map<string, string[]>();
  #custom = 0;

  constructor() {
    for (const [group, versions, kinds] of builtIn) {
      this.#addGroup(group, versions.split(' '));
      for (const line of kinds.split('\n')) {
        if (line.trim() !== '') this.#put(parseLine(group, versions.split(' '), line.trim()));
      }
    }
  }

  /** The groups with their versions, without the core group. */
  get groups(): ServedGroup[] {
    return [...this.#groups].flatMap(([name, versions]) => (name === '' ? [] : [{ name, versions }]));
  }

  isServed(group: string, version: string): boolean {
    return this.#groups.get(group)?.includes(version) ?? false;
  }

  /** What is served under a group and version, by plural name. */
  servedIn(group: string, version: string): ServedResource[] {
    const own = [...this.#byPlural.values()].filter(
      resource => resource.group === group && resource.versions.includes(version),
    );
    const others = (secondNames[group] ?? []).map(kind => this.#anyOfKind(kind)!);
    return [...own, ...others].map(resource => serve(resource, group, version));
  }

  /** The resource that a path names, or undefined. */
  find(group: string, version: string, plural: string): ServedResource | undefined {
    const own = this.#byPlural.get(`${group}/${plural}`);
    if (own) return own.versions.includes(version) ? serve(own, group, version) : undefined;
    return this.servedIn(group, version).find(each => each.plural === plural);
  }

  /** The resource of a kind; the version does not matter, nor a group that the kind has left. */
  findKind(apiVersion: string, kind: string): ServedResource | undefined {
    const [group, version] = splitApiVersion(apiVersion);
    const exact = this.#byKind.get(`${group}/${kind}`);
    const resource = exact ?? (leftGroups.has(group) ? this.#anyOfKind(kind) : undefined);
    return resource && serve(resource, group, version);
  }

  /** The resource of a kind; one that is not known is added. Undefined where there are too many. */
  ensureKind(
    apiVersion: string,
    kind: string,
    plural: string,
    namespaced: boolean,
  ): ServedResource | undefined {
    const known = this.findKind(apiVersion, kind);
    if (known) return known;
    const [group, version] = splitApiVersion(apiVersion);
    return this.addCustom({ group, versions: [version], plural, kind, namespaced, shortNames: [] })
      ? this.findKind(apiVersion, kind)
      : undefined;
  }

  /** Adds a kind, or replaces one that was added before. @returns whether there was room */
  addCustom(
    given: Pick<Resource, 'group' | 'versions' | 'plural' | 'kind' | 'namespaced' | 'shortNames'>,
  ): boolean {
    const known = this.#byKind.get(`${given.group}/${given.kind}`);
    if (known && !known.isCustom) return true;
    if (!known && ++this.#custom > maxCustomKinds) return false;
    const flags = { isInAll: false, hasGeneration: true, hasStatus: false, hasScale: false, isCustom: true };
    this.#put({ ...given, ...flags });
    this.#addGroup(given.group, given.versions);
    return true;
  }

  /** Forgets a kind that was added. */
  removeCustom(group: string, kind: string): void {
    const known = this.#byKind.get(`${group}/${kind}`);
    if (!known?.isCustom) return;
    this.#byKind.delete(`${group}/${kind}`);
    this.#byPlural.delete(`${group}/${known.plural}`);
    this.#custom--;
    const isEmpty = ![...this.#byPlural.values()].some(other => other.group === group);
    if (isEmpty && !builtIn.some(([name]) => name === group)) this.#groups.delete(group);
  }

  #anyOfKind(kind: string): Resource | undefined {
    return [...this.#byKind.values()].find(resource => resource.kind === kind && !resource.isCustom);
  }

  #put(resource: Resource): void {
    this.#byKind.set(`${resource.group}/${resource.kind}`, resource);
    this.#byPlural.set(`${resource.group}/${resource.plural}`, resource);
  }

  #addGroup(group: string, versions: readonly string[]): void {
    const known = this.#groups.get(group) ?? [];
    this.#groups.set(group, [...known, ...versions.filter(version => !known.includes(version))]);
  }
}

/** `apps/v1` as group and version; the core group is empty. */
export function splitApiVersion(apiVersion: string): [group: string, version: string] {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? ['', apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)];
}

/** The opposite of `splitApiVersion`. */
export function joinApiVersion(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

/** What discovery says of the version in which objects are stored. */
export function storageVersionHash({ group, versions, kind }: Resource): string {
  const stored = `${group}/${versions[0]}/${kind}`;
  return createHash('sha256').update(stored).digest().subarray(0, 8).toString('base64');
}

function serve(resource: Resource, group: string, version: string): ServedResource {
  return { resource, group, version, plural: resource.plural, kind: resource.kind };
}

function parseLine(group: string, versions: readonly string[], line: string): Resource {
  const [plural = '', kind = '', flags = '', shortNames] = line.split(' ');
  return {
    group,
    versions,
    plural,
    kind,
    namespaced: flags.includes('n'),
    shortNames: shortNames?.split(',') ?? [],
    isInAll: flags.includes('a'),
    hasGeneration: flags.includes('g'),
    hasStatus: flags.includes('s'),
    hasScale: flags.includes('c'),
    isCustom: false,
  };
}
