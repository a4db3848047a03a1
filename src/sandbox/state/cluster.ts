import { Code, GatewayError } from '../../protocol/index.ts';
import {
  generateObjectName,
  objectNameFault,
  requestNameFault,
  resourceName,
} from '../objects/object-name.ts';
import type { ManifestObject } from '../work/manifest-objects.ts';
import { tillerError, withPrefix } from '../work/tiller-error.ts';

/** More objects than this are refused; each costs about 200 bytes. */
const maxObjects = 100_000;

/** What a cluster has from the start. Those but the last cannot be deleted. */
const firstNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const permanentNamespaces: ReadonlySet<string> = new Set(firstNamespaces.slice(0, 3));

/** Which object; the API version is no part of it: the same object can be addressed by several. */
type ObjectKey = Pick<ManifestObject, 'kind' | 'namespace' | 'name'>;

/**
 * The names of the objects that Tiller created, with their creation times. Nothing runs. An install collides with an
 * existing object as in a real cluster, with Kubernetes' and Tiller's error texts.
 */
export class SimulatedCluster {
  readonly #createdAt = new Map<string, Date>();

  constructor() {
    for (const name of firstNamespaces) this.#createdAt.set(objectKey(namespaceKey(name)), new Date());
  }

  /**
   * Makes a namespace where it is missing, as Tiller does before it creates objects.
   * @throws GatewayError UNKNOWN with the text of Kubernetes for a name that is none
   */
  ensureNamespace(name: string, now: Date): void {
    const requestFault = requestNameFault(name);
    if (requestFault !== undefined) throw tillerError(requestFault);
    if (this.has(namespaceKey(name))) return;
    const fault = objectNameFault('v1', 'Namespace', { name });
    if (fault !== undefined) throw tillerError(fault);
    this.#put(namespaceKey(name), now);
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
   * From one manifest to the next, as Tiller upgrades: what is new is created, what is gone is deleted unless its resource
   * policy keeps it.
   * @throws GatewayError UNKNOWN with Tiller's text
   */
  update(before: readonly ManifestObject[], after: readonly ManifestObject[], now: Date): void {
    const known = new Set(before.map(objectKey));
    for (const object of after) {
      const fault = requestNameFault(object.name);
      if (fault !== undefined) throw tillerError(`Could not get information about the resource: ${fault}`);
      if (!this.has(object)) withPrefix('failed to create resource: ', () => this.#createOne(object, now));
      else if (!known.has(objectKey(object))) {
        throw tillerError(
          `kind ${object.kind} with the name "${object.name}" in "${object.namespace}" already exists in the cluster and wasn't defined in the previous release. ` +
            'Before upgrading, please either delete the resource from the cluster or remove it from the chart',
        );
      }
    }
    const kept = new Set(after.map(objectKey));
    for (const object of before) {
      // what cannot be deleted, Tiller only logs
      if (!kept.has(objectKey(object)) && !isKept(object.annotations)) this.#deleteOne(object);
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

  /** Takes the objects and their namespaces as present, whatever is there: for releases that were kept across a restart. */
  restore(namespace: string, objects: readonly ManifestObject[], createdAt: Date): void {
    const namespaces = [namespace, ...objects.map(object => object.namespace)];
    for (const name of namespaces) {
      if (name !== '' && !this.has(namespaceKey(name))) this.#put(namespaceKey(name), createdAt);
    }
    for (const object of objects) if (object.name !== '') this.#put(object, createdAt);
  }

  /** Since when the object is there; undefined when it is not. */
  createdAt(object: ObjectKey): Date | undefined {
    return this.#createdAt.get(objectKey(object));
  }

  has(object: ObjectKey): boolean {
    return this.#createdAt.has(objectKey(object));
  }

  #createOne(object: ManifestObject, now: Date): void {
    const { apiVersion, kind, namespace, generateName } = object;
    if (namespace !== '' && !this.has(namespaceKey(namespace))) {
      throw tillerError(`namespaces "${namespace}" not found`);
    }
    const name = object.name === '' && generateName !== '' ? generateObjectName(generateName) : object.name;
    const fault = objectNameFault(apiVersion, kind, { name, generateName });
    if (fault !== undefined) throw tillerError(fault);
    if (this.has({ kind, namespace, name })) {
      throw tillerError(`${resourceName(apiVersion, kind)} "${name}" already exists`);
    }
    this.#put({ kind, namespace, name }, now);
  }

  #put(object: ObjectKey, now: Date): void {
    if (this.#createdAt.size >= maxObjects) {
      throw new GatewayError(
        Code.RESOURCE_EXHAUSTED,
        `the sandbox's cluster holds ${maxObjects} objects already`,
      );
    }
    this.#createdAt.set(objectKey(object), now);
  }

  /** @returns why it cannot be deleted; that it is not there is no reason */
  #deleteOne({ kind, namespace, name }: ManifestObject): string | undefined {
    const fault = requestNameFault(name);
    if (fault !== undefined) return fault;
    if (kind === 'Namespace') {
      if (permanentNamespaces.has(name)) {
        return `namespaces "${name}" is forbidden: this namespace may not be deleted`;
      }
      this.#deleteAllIn(name);
    }
    this.#createdAt.delete(objectKey({ kind, namespace, name }));
    return undefined;
  }

  #deleteAllIn(namespace: string): void {
    for (const key of this.#createdAt.keys()) {
      if (key.split('/')[1] === namespace) this.#createdAt.delete(key);
    }
  }
}

/** Whether the annotations protect an object from deletion: any policy but `delete` does. */
export function isKept(annotations: ReadonlyMap<string, string>): boolean {
  const policy = annotations.get('helm.sh/resource-policy');
  return policy !== undefined && policy !== 'delete';
}

function namespaceKey(name: string): ObjectKey {
  return { kind: 'Namespace', namespace: '', name };
}

function objectKey({ kind, namespace, name }: ObjectKey): string {
  return `${kind}/${namespace}/${name}`;
}
