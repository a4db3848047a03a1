import { limitExceeded } from '../../protocol/index.ts';
import { ClusterObjects, tableOf } from '../objects/cluster-objects.ts';
import { KubeFailure } from '../objects/failure.ts';
import { mergeDiff, mergePatch } from '../objects/json-patch.ts';
import { type Json, type KubeObject, objectOf } from '../objects/kube-object.ts';
import { objectNameFault, pluralOf, requestNameFault } from '../objects/object-name.ts';
import type { ServedResource } from '../objects/resources.ts';
import type { ManifestObject } from '../work/manifest-objects.ts';
import { tillerError, withPrefix } from '../work/tiller-error.ts';
import { settledStatus } from './settled-status.ts';

/** Where an object is kept. */
interface Place {
  readonly served: ServedResource;
  /** Empty for kinds that have none. */
  readonly namespace: string;
  readonly key: string;
}

/**
 * What Tiller does with a release's objects in the cluster, with Kubernetes' and Tiller's error texts. Nothing runs: what
 * Tiller made is ready at once.
 */
export class SimulatedCluster {
  readonly objects: ClusterObjects;

  constructor(objects = new ClusterObjects()) {
    this.objects = objects;
  }

  /**
   * Makes a namespace where it is missing, as Tiller does before it creates objects.
   * @throws GatewayError UNKNOWN with the text of Kubernetes for a name that is none
   */
  ensureNamespace(name: string, now: Date): void {
    const requestFault = requestNameFault(name);
    if (requestFault !== undefined) throw tillerError(requestFault);
    const fault = objectNameFault('v1', 'Namespace', { name });
    if (fault !== undefined) throw tillerError(fault);
    this.objects.ensureNamespace(name, now);
  }

  /**
   * Creates the objects one by one; those before a failing one stay, as they do in a cluster.
   * @throws GatewayError UNKNOWN on a bad name or one that exists, or when there is nothing to create
   */
  create(objects: readonly ManifestObject[], now: Date): void {
    if (objects.length === 0) throw tillerError('no objects visited');
    for (const object of objects) this.#createOne(object, now);
  }

  /**
   * From one manifest to the next, as Tiller upgrades: what is new is created, what changed is patched, what is gone is
   * deleted unless its resource policy keeps it.
   * @throws GatewayError UNKNOWN with Tiller's text
   */
  update(before: readonly ManifestObject[], after: readonly ManifestObject[], now: Date): void {
    const known = new Map(before.map(object => [this.#place(object).key, object]));
    for (const object of after) {
      const fault = requestNameFault(object.name);
      if (fault !== undefined) throw tillerError(`Could not get information about the resource: ${fault}`);
      const place = this.#place(object);
      const original = known.get(place.key);
      const live = this.objects.find(place.served, place.namespace, object.name);
      if (!live) withPrefix('failed to create resource: ', () => this.#createOne(object, now));
      else if (original) this.#patchOne(place, live, original, object);
      else {
        throw tillerError(
          `kind ${object.kind} with the name "${object.name}" in "${object.namespace}" already exists in the cluster and wasn't defined in the previous release. ` +
            'Before upgrading, please either delete the resource from the cluster or remove it from the chart',
        );
      }
    }
    const kept = new Set(after.map(object => this.#place(object).key));
    for (const object of before) {
      // what cannot be deleted, Tiller only logs
      if (!kept.has(this.#place(object).key) && !isKept(object.annotations)) this.#deleteOne(object);
    }
  }

  /**
   * Deletes what is there of the objects.
   * @throws GatewayError UNKNOWN with Tiller's text of the first that cannot be deleted, when all others have been; also
   *   when there is nothing to delete
   */
  delete(objects: readonly ManifestObject[]): void {
    if (objects.length === 0) throw tillerError('no objects visited');
    const fault = objects.map(object => this.#deleteOne(object)).find(text => text !== undefined);
    if (fault !== undefined) throw tillerError(fault);
  }

  /** Makes the objects and their namespaces where they are missing: for releases that were kept across a restart. */
  restore(namespace: string, objects: readonly ManifestObject[], createdAt: Date): void {
    const namespaces = [namespace, ...objects.map(object => object.namespace)];
    for (const name of namespaces) if (name !== '') this.objects.ensureNamespace(name, createdAt);
    for (const object of objects) {
      if (object.name !== '' && !this.has(object)) this.#createOne(object, createdAt);
    }
  }

  /** Since when the object is there; undefined when it is not. */
  createdAt(object: ManifestObject): Date | undefined {
    const { served, namespace } = this.#place(object);
    const created = this.objects.find(served, namespace, object.name)?.metadata.creationTimestamp;
    return created ? new Date(created) : undefined;
  }

  has(object: ManifestObject): boolean {
    return this.createdAt(object) !== undefined;
  }

  #createOne(object: ManifestObject, now: Date): void {
    const { served, namespace } = this.#place(object);
    const body = bodyOf(object);
    this.objects.create(served, namespace, body, { now, status: settledStatus(body, object.outcome) });
  }

  /** What is in both manifests is left as it is, so that others' changes of it stay. */
  #patchOne(place: Place, live: KubeObject, original: ManifestObject, target: ManifestObject): void {
    const patch = mergeDiff(bodyOf(original) as unknown as Json, bodyOf(target) as unknown as Json);
    const merged = mergePatch(live as unknown as Json, patch);
    const changed = {
      ...objectOf(merged),
      metadata: objectOf(objectOf(merged).metadata),
    } as unknown as KubeObject;
    const status = settledStatus(changed, target.outcome);
    withPrefix('', () => this.objects.replace(place.served, live, changed, { status }));
  }

  /** @throws GatewayError RESOURCE_EXHAUSTED */
  #place({ apiVersion, kind, namespace, name }: ManifestObject): Place {
    const served = this.objects.resources.ensureKind(apiVersion, kind, pluralOf(kind), namespace !== '');
    if (!served) throw limitExceeded("the sandbox's cluster knows too many kinds");
    const own = served.resource.namespaced ? namespace : '';
    return { served, namespace: own, key: `${tableOf(served)}/${own}/${name}` };
  }

  /** @returns why it cannot be deleted; that it is not there is no reason */
  #deleteOne(object: ManifestObject): string | undefined {
    const fault = requestNameFault(object.name);
    if (fault !== undefined) return fault;
    const { served, namespace } = this.#place(object);
    try {
      this.objects.delete(served, namespace, object.name);
      return undefined;
    } catch (error) {
      if (!(error instanceof KubeFailure)) throw error;
      return error.status === 404 ? undefined : error.message;
    }
  }
}

/** Whether the annotations protect an object from deletion: any policy but `delete` does. */
export function isKept(annotations: ReadonlyMap<string, string>): boolean {
  const policy = annotations.get('helm.sh/resource-policy');
  return policy !== undefined && policy !== 'delete';
}

/** The object as it is sent to the API server; its namespace is the path's. */
function bodyOf({ json, name, generateName }: ManifestObject): KubeObject {
  const parsed = objectOf(JSON.parse(json));
  const { namespace: _namespace, ...metadata } = objectOf(parsed.metadata);
  return { ...parsed, metadata: { ...metadata, name, ...(generateName === '' ? {} : { generateName }) } };
}
