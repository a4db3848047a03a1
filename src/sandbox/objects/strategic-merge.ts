import { badRequest } from './failure.ts';
import { setOwn } from './json-patch.ts';
import { isObject, type Json, objectOf, sameJson } from './kube-object.ts';

type JsonObject = { readonly [key: string]: Json };

/** Which field tells the items of a list apart, by the list's name; other lists are replaced whole. */
const mergeKeys: Readonly<Record<string, string>> = {
  conditions: 'type',
  containers: 'name',
  env: 'name',
  ephemeralContainers: 'name',
  hostAliases: 'ip',
  imagePullSecrets: 'name',
  initContainers: 'name',
  ownerReferences: 'uid',
  podIPs: 'ip',
  secrets: 'name',
  topologySpreadConstraints: 'topologyKey',
  volumeDevices: 'devicePath',
  volumeMounts: 'mountPath',
  volumes: 'name',
  webhooks: 'name',
};

/** Ports of containers and of Services are told apart by different fields. */
const portKeys = { container: 'containerPort', Service: 'port' };

/** Lists of texts in which a patch's items are added to those that are there. */
const mergedTexts: ReadonlySet<string> = new Set(['finalizers']);

/**
 * Strategic merge patch, by the merge keys of Kubernetes' own kinds: `$patch`, `$deleteFromPrimitiveList`,
 * `$setElementOrder` and `$retainKeys` included.
 * Source: https://github.com/kubernetes/apimachinery/blob/kubernetes-1.18.20/pkg/util/strategicpatch/patch.go
 * @throws KubeFailure 400
 */
export function strategicMergePatch(kind: string, target: Json, patch: Json): Json {
  return mergeObject(objectOf(target), objectOf(patch), kind === 'Service' ? portKeys.Service : '');
}

/** @param portKey the merge key of a list `ports` in here; empty where it is replaced whole */
function mergeObject(target: JsonObject, patch: JsonObject, portKey: string): Json {
  const directive = patch.$patch;
  if (directive === 'replace') return withoutDirectives(patch);
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge')
    throw badRequest(`unknown patch type: ${JSON.stringify(directive)}`);
  const merged: { [key: string]: Json } = {};
  for (const [key, value] of Object.entries(retained(target, patch))) setOwn(merged, key, value);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$deleteFromPrimitiveList/')) deletePrimitives(merged, key.slice(25), value);
    if (key.startsWith('$')) continue;
    const before = Object.hasOwn(merged, key) ? merged[key] : undefined;
    const order = patch[`$setElementOrder/${key}`];
    if (value === null) delete merged[key];
    else setOwn(merged, key, mergeValue(key, before, value, portKey, order));
  }
  for (const [key, order] of Object.entries(patch)) {
    const name = /^\$setElementOrder\/(.+)$/.exec(key)?.[1];
    if (name === undefined || patch[name] !== undefined || !Array.isArray(merged[name])) continue;
    setOwn(merged, name, mergeValue(name, merged[name], [], portKey, order));
  }
  return merged;
}

function mergeValue(
  key: string,
  before: Json | undefined,
  value: Json,
  portKey: string,
  order: Json | undefined,
): Json {
  if (isObject(value)) return mergeObject(objectOf(before), value, portKey);
  if (!Array.isArray(value)) return value;
  const target = Array.isArray(before) ? before : [];
  if (mergedTexts.has(key)) return mergeTexts(target, value, order);
  const mergeKey = key === 'ports' ? portKey : mergeKeys[key];
  if (mergeKey === undefined || mergeKey === '') return value;
  const inside = /ontainers$/.test(key) ? portKeys.container : portKey;
  return mergeItems(target, value, { mergeKey, portKey: inside, order });
}

interface ItemRules {
  readonly mergeKey: string;
  readonly portKey: string;
  readonly order: Json | undefined;
}

function mergeItems(target: readonly Json[], patch: readonly Json[], rules: ItemRules): Json {
  const { mergeKey, portKey, order } = rules;
  const keyOf = (item: Json) => objectOf(item)[mergeKey];
  const plain: JsonObject[] = [];
  let kept = [...target];
  let isReplaced = false;
  for (const item of patch.map(objectOf)) {
    if (item.$patch === 'replace') isReplaced = true;
    else if (keyOf(item) === undefined) {
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
    } else if (item.$patch === 'delete') kept = kept.filter(other => !sameJson(keyOf(other), keyOf(item)));
    else plain.push(item);
  }
  if (isReplaced) return plain.map(withoutDirectives);
  const merged = [...kept];
  for (const item of plain) {
    const at = merged.findIndex(other => sameJson(keyOf(other), keyOf(item)));
    if (at >= 0) merged[at] = mergeObject(objectOf(merged[at]), item, portKey);
    else merged.push(mergeObject({}, item, portKey));
  }
  const keysOf = (items: readonly Json[]) => items.map(item => keyOf(item) ?? null);
  return arrange(merged, keysOf(merged), keysOf(Array.isArray(order) ? order : plain), keysOf(target));
}

function mergeTexts(target: readonly Json[], patch: readonly Json[], order: Json | undefined): Json {
  const merged = [...target, ...patch.filter(item => !target.includes(item))];
  return arrange(merged, merged, Array.isArray(order) ? order : patch, target);
}

/**
 * The order of a merged list: items of the patch in the patch's order, the server's in the server's; between them an item
 * of the server goes first only where it stood before the patch's item.
 */
function arrange(
  items: readonly Json[],
  keys: readonly Json[],
  patchOrder: readonly Json[],
  serverOrder: readonly Json[],
): Json[] {
  const place = (order: readonly Json[], at: number) => order.findIndex(key => sameJson(key, keys[at]));
  const all = items.map((_, at) => at);
  const patched = all
    .filter(at => place(patchOrder, at) >= 0)
    .sort((a, b) => place(patchOrder, a) - place(patchOrder, b));
  const own = all
    .filter(at => place(patchOrder, at) < 0)
    .sort((a, b) => place(serverOrder, a) - place(serverOrder, b));
  const result: number[] = [];
  while (own.length > 0 && patched.length > 0) {
    const server = place(serverOrder, own[0]!);
    const patch = place(serverOrder, patched[0]!);
    result.push(server >= 0 && patch >= 0 && server < patch ? own.shift()! : patched.shift()!);
  }
  return [...result, ...own, ...patched].map(at => items[at]!);
}

function retained(target: JsonObject, patch: JsonObject): JsonObject {
  const keys = patch.$retainKeys;
  if (!Array.isArray(keys)) return target;
  return Object.fromEntries(Object.entries(target).filter(([key]) => keys.includes(key)));
}

function deletePrimitives(merged: { [key: string]: Json }, key: string, value: Json): void {
  const target = merged[key];
  if (!Array.isArray(target) || !Array.isArray(value)) return;
  setOwn(
    merged,
    key,
    target.filter(item => !value.includes(item)),
  );
}

/** A patch's value for where nothing was, without what is only for merging. */
function withoutDirectives(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutDirectives);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([key]) => !key.startsWith('$'));
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutDirectives(item)]));
}
