import { randomUUID } from 'node:crypto';
import { setDefaults, validateFields } from './defaults.ts';
import { alreadyExists, badRequest, conflict, forbidden, invalid, KubeFailure, notFound } from './failure.ts';
import {
  isObject,
  type Json,
  type KubeObject,
  type ObjectMeta,
  objectOf,
  sameJson,
  textOf,
  toTime,
} from './kube-object.ts';
import { generateObjectName, objectNameCauses } from './object-name.ts';
import { type ObjectPlace, ObjectStore, type ObjectStoreOptions } from './object-store.ts';
import { joinApiVersion, Resources, type ServedResource } from './resources.ts';

export interface WriteOptions {
  /** Check and answer, but store nothing. */
  readonly dryRun?: boolean;
  /** Default: the system's clock. */
  readonly now?: Date;
  /** The object's status, which clients cannot set with the rest. Default: that of a new object, or the stored one. */
  readonly status?: Json | undefined;
}

export interface UpdateOptions extends WriteOptions {
  /** Only this part is written, as by `PUT …/status`. Default: all but the status. */
  readonly subresource?: 'status' | undefined;
}

/** What a deletion may be bound to. */
export interface Preconditions {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/** What a cluster has from the start. Those but the last cannot be deleted. */
const firstNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];
const permanentNamespaces: ReadonlySet<string> = new Set(firstNamespaces.slice(0, 3));

/**
 * The objects of the sandbox's cluster, with the rules by which the API server takes them: names, namespaces, versions,
 * defaults. Nothing runs. Every refusal is a KubeFailure with the API server's words (1.18).
 */
export class ClusterObjects {
  readonly store: ObjectStore;
  readonly resources = new Resources();
  readonly #namespaces: ServedResource;

  constructor(options: ObjectStoreOptions = {}) {
    this.store = new ObjectStore(options);
    this.#namespaces = this.resources.find('', 'v1', 'namespaces')!;
    for (const name of firstNamespaces) this.ensureNamespace(name);
    this.store.subscribe(event => {
      if (event.table !== 'apiextensions.k8s.io/customresourcedefinitions') return;
      if (event.type === 'DELETED') this.#forgetDefinition(event.object);
      else this.#learnDefinition(event.object);
    });
  }

  /** @throws KubeFailure 404 */
  get(served: ServedResource, namespace: string, name: string): KubeObject {
    const object = this.find(served, namespace, name);
    if (!object) throw notFound(served, name);
    return object;
  }

  find(served: ServedResource, namespace: string, name: string): KubeObject | undefined {
    const object = this.store.get(placeOf(served, namespace, name));
    return object && present(served, object);
  }

  hasNamespace(name: string): boolean {
    return this.find(this.#namespaces, '', name) !== undefined;
  }

  /** Makes a namespace where it is missing. */
  ensureNamespace(name: string, now = new Date()): void {
    if (!this.hasNamespace(name)) this.create(this.#namespaces, '', { metadata: { name } }, { now });
  }

  /**
   * Adds an object.
   * @param body as the client sent it; kind and version may be missing
   * @throws KubeFailure 400, 404 (its namespace), 409, 422, 507
   */
  create(
    served: ServedResource,
    namespace: string,
    body: KubeObject,
    options: WriteOptions = {},
  ): KubeObject {
    const { dryRun = false, now = new Date(), status } = options;
    const given = objectOf(body.metadata);
    checkNamespace(given.namespace, namespace);
    if (namespace !== '' && !this.hasNamespace(namespace)) throw notFound(this.#namespaces, namespace);
    const generateName = textOf(given.generateName);
    const asked = textOf(given.name);
    const name = asked === '' && generateName !== '' ? generateObjectName(generateName) : asked;
    const causes = objectNameCauses(served.kind, { name, generateName });
    if (causes.length > 0) throw invalid(served, name, causes);
    const place = placeOf(served, namespace, name);
    if (this.store.get(place)) throw alreadyExists(served, name);
    const {
      resourceVersion: _version,
      generation: _generation,
      deletionTimestamp: _deletion,
      ...rest
    } = given;
    const metadata: ObjectMeta = {
      ...rest,
      name,
      ...(namespace === '' ? {} : { namespace }),
      uid: randomUUID(),
      ...(served.resource.hasGeneration ? { generation: 1 } : {}),
      creationTimestamp: toTime(now),
    };
    const kept = served.resource.hasStatus ? withoutStatus(body) : body;
    const full = { ...kept, ...(status === undefined ? {} : { status }), metadata };
    const object = this.#admit(served, full, name);
    return present(served, dryRun ? object : this.store.put(place, object));
  }

  /**
   * Replaces an object.
   * @param body with a `resourceVersion` only if that is still the stored one
   * @throws KubeFailure 400, 404, 409, 422, 507
   */
  update(
    served: ServedResource,
    namespace: string,
    name: string,
    body: KubeObject,
    options: UpdateOptions = {},
  ): KubeObject {
    const given = objectOf(body.metadata);
    checkNamespace(given.namespace, namespace);
    const asked = textOf(given.name);
    if (asked !== name) {
      throw badRequest(
        asked === ''
          ? 'name must be provided'
          : `the name of the object (${asked}) does not match the name on the URL (${name})`,
      );
    }
    const before = this.get(served, namespace, name);
    const { uid, resourceVersion } = before.metadata;
    if (textOf(given.uid) !== '' && given.uid !== uid) {
      const why = `Precondition failed: UID in precondition: ${given.uid}, UID in object meta: ${uid}`;
      throw conflict(served, name, why);
    }
    const version = textOf(given.resourceVersion);
    if (version !== '' && version !== '0' && version !== resourceVersion) {
      const why =
        'the object has been modified; please apply your changes to the latest version and try again';
      throw conflict(served, name, why);
    }
    return this.replace(served, before, body, options);
  }

  /**
   * Puts a changed object in the place of the one that it was made of, without a look at its version.
   * @throws KubeFailure 422, 507
   */
  replace(
    served: ServedResource,
    before: KubeObject,
    changed: KubeObject,
    { dryRun = false, subresource, status }: UpdateOptions = {},
  ): KubeObject {
    const { name, namespace = '' } = before.metadata;
    const merged = mergeParts(served, before, changed, subresource);
    const after = this.#admit(served, status === undefined ? merged : { ...merged, status }, name);
    if (sameJson(before, present(served, after))) return before; // etcd writes nothing then
    const { hasGeneration } = served.resource;
    const counted = hasGeneration && specificationChanged(before, after);
    const generation = (before.metadata.generation ?? 0) + (counted ? 1 : 0);
    const object = hasGeneration ? { ...after, metadata: { ...after.metadata, generation } } : after;
    if (dryRun) return present(served, object);
    return present(served, this.store.put(placeOf(served, namespace, name), object));
  }

  /**
   * Takes an object away and gives what was there; a namespace goes with all in it, at once.
   * @throws KubeFailure 403 for a namespace that must stay, 404, 409
   */
  delete(
    served: ServedResource,
    namespace: string,
    name: string,
    preconditions: Preconditions = {},
    { dryRun = false }: WriteOptions = {},
  ): KubeObject {
    const before = this.get(served, namespace, name);
    checkPreconditions(served, before, preconditions);
    const isNamespace = served.resource === this.#namespaces.resource;
    if (isNamespace && permanentNamespaces.has(name)) {
      throw forbidden(served, name, 'this namespace may not be deleted');
    }
    if (dryRun) return before;
    if (isNamespace) {
      for (const table of this.store.tablesIn(name)) {
        for (const { metadata } of this.store.list(table, name)) {
          this.store.delete({ table, namespace: name, name: metadata.name });
        }
      }
    }
    this.store.delete(placeOf(served, namespace, name));
    return before;
  }

  /** @throws KubeFailure 422 for an object that would not be stored */
  check(served: ServedResource, object: KubeObject): void {
    this.#admit(served, object, object.metadata.name);
  }

  /** What is stored of a given object: its kind, its defaults; checked. */
  #admit(served: ServedResource, object: KubeObject, name: string): KubeObject {
    const { kind } = served;
    const apiVersion = joinApiVersion(served.group, served.version);
    const full = setDefaults({ ...object, kind, apiVersion });
    const causes = validateFields(full);
    if (causes.length > 0) throw invalid(served, name, causes);
    return full;
  }

  #learnDefinition(definition: KubeObject): void {
    const { group, scope, names, versions, version } = objectOf(definition.spec);
    const { plural, kind, shortNames } = objectOf(names);
    const served = Array.isArray(versions)
      ? versions.map(each => textOf(objectOf(each).name))
      : [textOf(version)];
    this.resources.addCustom({
      group: textOf(group),
      versions: served.filter(each => each !== ''),
      plural: textOf(plural),
      kind: textOf(kind),
      namespaced: scope !== 'Cluster',
      shortNames: Array.isArray(shortNames) ? shortNames.map(textOf) : [],
    });
  }

  #forgetDefinition(definition: KubeObject): void {
    const { group, names } = objectOf(definition.spec);
    const table = `${textOf(group)}/${textOf(objectOf(names).plural)}`;
    for (const { metadata } of this.store.list(table)) {
      this.store.delete({ table, namespace: metadata.namespace ?? '', name: metadata.name });
    }
    this.resources.removeCustom(textOf(group), textOf(objectOf(names).kind));
  }
}

/** Where the objects of a resource are stored. */
export function tableOf({ resource }: ServedResource): string {
  return `${resource.group}/${resource.plural}`;
}

/** A stored object as the resource's version shows it. Fields are not converted between versions. */
export function present(served: ServedResource, object: KubeObject): KubeObject {
  const apiVersion = joinApiVersion(served.group, served.version);
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}

function placeOf(served: ServedResource, namespace: string, name: string): ObjectPlace {
  return { table: tableOf(served), namespace, name };
}

function checkNamespace(given: unknown, asked: string): void {
  if (textOf(given) === '' || given === asked) return;
  throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

function checkPreconditions(
  { kind, group }: ServedResource,
  { metadata }: KubeObject,
  { uid, resourceVersion }: Preconditions,
): void {
  const refuse = (what: string, asked: string, is: string | undefined) => {
    const text =
      `Operation cannot be fulfilled on ${kind} ${JSON.stringify(metadata.name)}: the ${what} in the precondition ` +
      `(${asked}) does not match the ${what} in record (${is}). The object might have been modified`;
    const details = { name: metadata.name, ...(group === '' ? {} : { group }), kind };
    throw new KubeFailure(409, 'Conflict', text, details);
  };
  if (uid !== undefined && uid !== metadata.uid) refuse('UID', uid, metadata.uid);
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    refuse('ResourceVersion', resourceVersion, metadata.resourceVersion);
  }
}

/** What a write changes: the status by itself, or all but the status; what the server owns stays. */
function mergeParts(
  { resource }: ServedResource,
  before: KubeObject,
  changed: KubeObject,
  subresource: 'status' | undefined,
): KubeObject {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp, generateName } =
    before.metadata;
  const owned = { name, namespace, uid, resourceVersion, generation, creationTimestamp, generateName };
  const own = Object.fromEntries(Object.entries(owned).filter(([, value]) => value !== undefined));
  if (subresource === 'status') return { ...before, status: changed.status };
  const metadata = { ...(isObject(changed.metadata) ? changed.metadata : {}), ...own } as ObjectMeta;
  const status = resource.hasStatus ? { status: before.status } : {};
  const { clusterIP } = objectOf(before.spec);
  const spec =
    resource.kind === 'Service' && clusterIP !== undefined && objectOf(changed.spec).clusterIP === undefined
      ? { spec: { clusterIP, ...objectOf(changed.spec) } }
      : {};
  return { ...changed, ...spec, ...status, metadata };
}

function withoutStatus({ status: _status, ...rest }: KubeObject): KubeObject {
  return rest;
}

function specificationChanged(before: KubeObject, after: KubeObject): boolean {
  const rest = ({ metadata: _metadata, status: _status, ...fields }: KubeObject) => fields;
  return !sameJson(rest(before), rest(after));
}
