import { Code, GatewayError } from '../../protocol/index.ts';
import type { ManifestObject } from './manifest-objects.ts';
import { objectNameFault, resourceName } from './object-name.ts';
import { tillerError, withPrefix } from './tiller-error.ts';

/** More objects than this are refused; each costs about 200 bytes. */
const maxObjects = 100_000;

/**
 * The names of the objects that Tiller created, with their creation times. Nothing runs. An install collides with an
 * existing object as in a real cluster, with Kubernetes' and Tiller's error texts.
 */
export class SimulatedCluster {
  readonly #createdAt = new Map<string, Date>();

  /**
   * Creates the objects one by one; those before a failing one stay, as they do in a cluster.
   * @throws GatewayError UNKNOWN on a bad name or one that exists, or when there is nothing to create
   */
  create(objects: readonly ManifestObject[], now: Date): void {
    if (objects.length === 0) throw tillerError('no objects visited');
    for (const object of objects) this.#createOne(object, now);
  }

  /**
   * From one manifest to the next, as Tiller upgrades: what is new is created, what is gone is deleted unless its resource
   * policy keeps it.
   * @throws GatewayError UNKNOWN with Tiller's text
   */
  update(before: readonly ManifestObject[], after: readonly ManifestObject[], now: Date): void {
    const known = new Set(before.map(objectKey));
    for (const object of after) {
      if (!this.has(object)) withPrefix('failed to create resource: ', () => this.#createOne(object, now));
      else if (!known.has(objectKey(object))) {
        throw tillerError(
          `kind ${object.kind} with the name "${object.name}" already exists in the cluster and wasn't defined in the previous release. ` +
            'Before upgrading, please either delete the resource from the cluster or remove it from the chart',
        );
      }
    }
    const kept = new Set(after.map(objectKey));
    this.delete(before.filter(object => !kept.has(objectKey(object)) && !isKept(object)));
  }

  /** Deletes what is there of the objects. */
  delete(objects: readonly ManifestObject[]): void {
    for (const object of objects) this.#createdAt.delete(objectKey(object));
  }

  /** Takes the objects as present, whatever is there: for releases that were kept across a restart. */
  restore(objects: readonly ManifestObject[], createdAt: Date): void {
    for (const object of objects) this.#createdAt.set(objectKey(object), createdAt);
  }

  /** Since when the object is there; undefined when it is not. */
  createdAt(object: ManifestObject): Date | undefined {
    return this.#createdAt.get(objectKey(object));
  }

  has(object: ManifestObject): boolean {
    return this.#createdAt.has(objectKey(object));
  }

  #createOne(object: ManifestObject, now: Date): void {
    const fault = objectNameFault(object.apiVersion, object.kind, object.name);
    if (fault !== undefined) throw tillerError(fault);
    if (this.has(object)) {
      throw tillerError(`${resourceName(object.apiVersion, object.kind)} "${object.name}" already exists`);
    }
    if (this.#createdAt.size >= maxObjects) {
      throw new GatewayError(
        Code.RESOURCE_EXHAUSTED,
        `the sandbox's cluster holds ${maxObjects} objects already`,
      );
    }
    this.#createdAt.set(objectKey(object), now);
  }
}

/**
 * The check of a namespace, which Tiller makes where it is missing.
 * @throws GatewayError UNKNOWN with the text of Kubernetes
 */
export function validateNamespace(namespace: string): void {
  if (namespace === '') throw tillerError('resource name may not be empty');
  const fault = objectNameFault('v1', 'Namespace', namespace);
  if (fault !== undefined) throw tillerError(fault);
}

/** Whether `helm.sh/resource-policy: keep` protects the object from deletion. */
export function isKept(object: ManifestObject): boolean {
  return object.annotations.get('helm.sh/resource-policy')?.trim().toLowerCase() === 'keep';
}

/** The API version is no part of it: the same object can be addressed by several. */
function objectKey({ kind, namespace, name }: ManifestObject): string {
  return `${kind}/${namespace}/${name}`;
}
