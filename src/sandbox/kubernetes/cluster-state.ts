import type { ClusterObjects } from '../objects/cluster-objects.ts';
import {
  type Json,
  type KubeObject,
  type Labels,
  listOf,
  objectOf,
  sameJson,
  textOf,
} from '../objects/kube-object.ts';
import type { ServedResource } from '../objects/resources.ts';

/** Where a program that stands for a Pod's container really listens. */
export type Target = { readonly host: string; readonly port: number } | { readonly path: string };

/** A port of a Pod's container, and where it really is. */
export interface PodPort {
  readonly name: string;
  readonly port: number;
  readonly target: Target;
}

/** Everything runs on this machine. */
export const podIp = '127.0.0.1';

/**
 * What Pods and Services mean in the sandbox: which Pods stand behind a Service, which Endpoints follow from that, and
 * where the ports of the Pods that the sandbox itself runs really are. The objects are the cluster's.
 */
export class ClusterState {
  readonly objects: ClusterObjects;
  readonly #pods: ServedResource;
  readonly #services: ServedResource;
  readonly #endpoints: ServedResource;
  readonly #ports = new Map<string, readonly PodPort[]>();

  /** @param onPodGone gets the uid of each Pod that is deleted */
  constructor(objects: ClusterObjects, onPodGone: (uid: string) => void) {
    this.objects = objects;
    const core = (plural: string) => objects.resources.find('', 'v1', plural)!;
    this.#pods = core('pods');
    this.#services = core('services');
    this.#endpoints = core('endpoints');
    objects.store.subscribe(({ table, type, object }) => {
      const { uid = '', namespace = '', name } = object.metadata;
      if (table === '/pods') {
        if (type === 'DELETED') {
          this.#ports.delete(uid);
          onPodGone(uid);
        }
        for (const service of this.#servicesIn(namespace)) this.#updateEndpoints(service);
      } else if (table === '/services') {
        if (type !== 'DELETED') this.#updateEndpoints(object);
        else if (this.objects.find(this.#endpoints, namespace, name)) {
          this.objects.delete(this.#endpoints, namespace, name);
        }
      }
    });
    for (const service of objects.store.list('/services')) this.#updateEndpoints(service);
  }

  pod(namespace: string, name: string): KubeObject | undefined {
    return this.objects.find(this.#pods, namespace, name);
  }

  service(namespace: string, name: string): KubeObject | undefined {
    return this.objects.find(this.#services, namespace, name);
  }

  /** Where a port of a Pod is; undefined where nothing listens. */
  targetOf(podUid: string, port: number): Target | undefined {
    return this.#ports.get(podUid)?.find(each => each.port === port)?.target;
  }

  /** Where a port of a Service leads; undefined where no ready Pod has it. */
  targetBehind(service: KubeObject, portName: string): Target | undefined {
    return this.#podsBehind(service)
      .flatMap(({ metadata }) => this.#ports.get(metadata.uid ?? '') ?? [])
      .find(({ name }) => name === portName)?.target;
  }

  /** Makes a Pod of a program that runs already. */
  addPod(pod: KubeObject, ports: readonly PodPort[]): void {
    const { namespace = '' } = pod.metadata;
    this.objects.ensureNamespace(namespace);
    const status = pod.status as Json;
    const { uid = '' } = this.objects.create(this.#pods, namespace, pod, { status }).metadata;
    this.#ports.set(uid, ports);
  }

  removePod(namespace: string, name: string): void {
    if (this.pod(namespace, name)) this.objects.delete(this.#pods, namespace, name);
  }

  /** Makes a Service where it is missing. */
  addService(service: KubeObject): void {
    const { namespace = '', name } = service.metadata;
    this.objects.ensureNamespace(namespace);
    if (this.service(namespace, name)) return;
    this.objects.create(this.#services, namespace, service);
  }

  /** The Pods with these labels. */
  podsWith(namespace: string, labels: Labels): KubeObject[] {
    return this.objects.store
      .list('/pods', namespace)
      .filter(pod => Object.entries(labels).every(([key, value]) => pod.metadata.labels?.[key] === value));
  }

  #servicesIn(namespace: string): KubeObject[] {
    return this.objects.store.list('/services', namespace);
  }

  /** The ready ones. */
  #podsBehind({ metadata, spec }: KubeObject): KubeObject[] {
    const selector = objectOf(objectOf(spec).selector) as Labels;
    if (Object.keys(selector).length === 0) return [];
    return this.podsWith(metadata.namespace ?? '', selector).filter(isReady);
  }

  /** What the endpoints controller does; Services without a selector keep the Endpoints that somebody made. */
  #updateEndpoints(service: KubeObject): void {
    const { name, namespace = '', labels } = service.metadata;
    const { selector, ports } = objectOf(service.spec);
    if (Object.keys(objectOf(selector)).length === 0) return;
    const addresses = this.#podsBehind(service).map(({ metadata }) => ({
      ip: podIp,
      nodeName: 'sandbox',
      targetRef: { kind: 'Pod', namespace, name: metadata.name, uid: metadata.uid ?? '' },
    }));
    const named = listOf(ports).map(port => {
      const { name: portName = '', port: number = 0, protocol = 'TCP' } = objectOf(port);
      return { name: portName, port: number, protocol };
    });
    const subsets = addresses.length > 0 ? [{ addresses, ports: named }] : [];
    const before = this.objects.find(this.#endpoints, namespace, name);
    if (!before) {
      const metadata = { name, ...(labels ? { labels } : {}) };
      this.objects.create(this.#endpoints, namespace, { metadata, subsets });
    } else if (!sameJson(before.subsets, subsets)) {
      this.objects.replace(this.#endpoints, before, { ...before, subsets });
    }
  }
}

function isReady({ status }: KubeObject): boolean {
  return listOf(objectOf(status).conditions)
    .map(objectOf)
    .some(({ type, status: state }) => textOf(type) === 'Ready' && state === 'True');
}
