import type { ClusterObjects, UpdateOptions } from '../objects/cluster-objects.ts';
import { badRequest, conflict, KubeFailure } from '../objects/failure.ts';
import { goJsonFault } from '../objects/go-json-fault.ts';
import { jsonPatch, mergePatch } from '../objects/json-patch.ts';
import { isObject, type Json, type KubeObject, objectOf, textOf } from '../objects/kube-object.ts';
import type { ServedResource } from '../objects/resources.ts';
import { strategicMergePatch } from '../objects/strategic-merge.ts';
import { parseYamlObject } from './read-object.ts';

/** Which object is patched. */
interface Target {
  readonly served: ServedResource;
  readonly namespace: string;
  readonly name: string;
}

const patchers: Readonly<Record<string, (kind: string, target: Json, patch: Json) => Json>> = {
  'application/json-patch+json': (_kind, target, patch) => jsonPatch(target, patch),
  'application/merge-patch+json': (_kind, target, patch) => mergePatch(target, patch),
  'application/strategic-merge-patch+json': strategicMergePatch,
};

const applyType = 'application/apply-patch+yaml';

/**
 * Changes an object by a patch; an applied configuration also creates it.
 * @throws KubeFailure 400, 404, 409, 415, 422
 */
export function applyPatch(
  objects: ClusterObjects,
  { served, namespace, name }: Target,
  { type, bytes }: { readonly type: string; readonly bytes: Buffer },
  options: UpdateOptions,
): { isNew: boolean; object: KubeObject } {
  const mediaType = type.split(';')[0]!.trim().toLowerCase();
  const { isCustom } = served.resource;
  if (mediaType === applyType)
    return applyConfiguration(objects, { served, namespace, name }, bytes, options);
  const patcher = Object.hasOwn(patchers, mediaType) ? patchers[mediaType] : undefined;
  if (!patcher || (isCustom && patcher === strategicMergePatch)) throw unsupported();
  const before = objects.get(served, namespace, name);
  const changed = patcher(served.kind, before as unknown as Json, parsePatch(bytes));
  if (!isObject(changed)) throw badRequest('the patch leaves no object');
  return { isNew: false, object: writePatched(objects, served, before, changed, options) };
}

/** A patch that names a version is for that version only. */
function writePatched(
  objects: ClusterObjects,
  served: ServedResource,
  before: KubeObject,
  changed: { readonly [key: string]: Json },
  options: UpdateOptions,
): KubeObject {
  const { name } = before.metadata;
  const version = textOf(objectOf(changed.metadata).resourceVersion);
  if (version !== '' && version !== before.metadata.resourceVersion) {
    const why = 'the object has been modified; please apply your changes to the latest version and try again';
    throw conflict(served, name, why);
  }
  const asked = textOf(objectOf(changed.metadata).name);
  if (asked !== name)
    throw badRequest(`the name of the object (${asked}) does not match the name on the URL (${name})`);
  return objects.replace(served, before, changed as unknown as KubeObject, options);
}

/** Server-side apply, without a memory of who set which field: nothing is taken away. */
function applyConfiguration(
  objects: ClusterObjects,
  { served, namespace, name }: Target,
  bytes: Buffer,
  options: UpdateOptions,
): { isNew: boolean; object: KubeObject } {
  const parsed = parseYamlObject(bytes.toString('utf8'));
  if (!isObject(parsed)) throw badRequest('error decoding YAML: the configuration is no object');
  const configuration = { ...parsed, metadata: { ...objectOf(parsed.metadata), name } };
  const before = objects.find(served, namespace, name);
  if (!before) {
    return {
      isNew: true,
      object: objects.create(served, namespace, configuration as unknown as KubeObject, options),
    };
  }
  const merge = served.resource.isCustom ? patchers['application/merge-patch+json']! : strategicMergePatch;
  const changed = merge(served.kind, before as unknown as Json, configuration as Json);
  return { isNew: false, object: writePatched(objects, served, before, objectOf(changed), options) };
}

function parsePatch(bytes: Buffer): Json {
  const fault = goJsonFault(bytes.toString('latin1'));
  if (fault !== undefined) throw badRequest(`error decoding patch: ${fault}`);
  return JSON.parse(bytes.toString('utf8'));
}

function unsupported(): KubeFailure {
  return new KubeFailure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
}
