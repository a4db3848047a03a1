import { badRequest, KubeFailure } from './failure.ts';
import { isObject, type Json, objectOf, sameJson, textOf } from './kube-object.ts';

type Mutable = Json[] | { [key: string]: Json };

/** JSON Merge Patch. Source: https://www.rfc-editor.org/rfc/rfc7386 */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged: { [key: string]: Json } = { ...objectOf(target) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else setOwn(merged, key, mergePatch(Object.hasOwn(merged, key) ? merged[key] : undefined, value));
  }
  return merged;
}

/** The merge patch that makes one value of another; lists are replaced whole. */
export function mergeDiff(before: Json, after: Json): Json {
  if (!isObject(before) || !isObject(after)) return after;
  const patch: { [key: string]: Json } = {};
  for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) setOwn(patch, key, null);
  for (const [key, value] of Object.entries(after)) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    if (!sameJson(old, value)) setOwn(patch, key, isObject(old) ? mergeDiff(old, value) : value);
  }
  return patch;
}

/** Sets a key, `__proto__` too, as one of the object's own. */
export function setOwn(object: { [key: string]: Json }, key: string, value: Json): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

/** The API server takes no more operations in one patch. */
const maxOperations = 10_000;

/**
 * JSON Patch. Source: https://www.rfc-editor.org/rfc/rfc6902
 * @throws KubeFailure 400 for what is no patch, 422 for one that does not fit
 */
export function jsonPatch(target: Json, patch: Json): Json {
  if (!Array.isArray(patch)) throw badRequest('error decoding patch: a JSON patch is a list of operations');
  if (patch.length > maxOperations) {
    const text = `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`;
    throw new KubeFailure(413, 'RequestEntityTooLarge', text);
  }
  const root = { value: structuredClone(target) as Json };
  for (const operation of patch) applyOperation(root as { [key: string]: Json }, objectOf(operation));
  return root.value;
}

function applyOperation(root: { [key: string]: Json }, operation: { readonly [key: string]: Json }): void {
  const op = textOf(operation.op);
  const path = textOf(operation.path);
  const from = textOf(operation.from);
  const value = () => structuredClone(operation.value ?? null) as Json;
  if (op === 'add') add(root, path, value());
  else if (op === 'remove') remove(root, path);
  else if (op === 'replace') {
    read(root, path);
    if (pointer(path).length > 1) remove(root, path);
    add(root, path, value());
  } else if (op === 'move') add(root, path, remove(root, from));
  else if (op === 'copy') add(root, path, structuredClone(read(root, from)) as Json);
  else if (op === 'test') {
    if (!sameJson(read(root, path), operation.value ?? null)) throw misfit(`testing value ${path} failed`);
  } else throw misfit(`Unexpected kind: ${op}`);
}

function misfit(text: string): KubeFailure {
  return new KubeFailure(
    422,
    'Invalid',
    `the server rejected our request due to an error in our request: ${text}`,
    {},
  );
}

/** The keys to a value, under `value`, where the whole document is. */
function pointer(path: string): string[] {
  if (path !== '' && !path.startsWith('/')) throw misfit(`${JSON.stringify(path)} is no JSON pointer`);
  const keys = path.split('/').slice(1);
  return ['value', ...keys.map(key => key.replaceAll('~1', '/').replaceAll('~0', '~'))];
}

function parentOf(root: { [key: string]: Json }, path: string): { parent: Mutable; key: string } {
  const keys = pointer(path);
  const key = keys.pop()!;
  let parent: Mutable = root;
  for (const each of keys) {
    const next: Json | undefined = childOf(parent, each);
    if (typeof next !== 'object' || next === null) throw misfit(`Missing key in path: ${path}`);
    parent = next as Mutable;
  }
  return { parent, key };
}

function childOf(parent: Mutable, key: string): Json | undefined {
  if (Array.isArray(parent)) return /^\d+$/.test(key) ? parent[Number(key)] : undefined;
  return Object.hasOwn(parent, key) ? parent[key] : undefined;
}

function read(root: { [key: string]: Json }, path: string): Json {
  const { parent, key } = parentOf(root, path);
  const value = childOf(parent, key);
  if (value === undefined) throw misfit(`Missing key: ${path}`);
  return value;
}

function add(root: { [key: string]: Json }, path: string, value: Json): void {
  const { parent, key } = parentOf(root, path);
  if (!Array.isArray(parent)) {
    setOwn(parent, key, value);
    return;
  }
  const index = key === '-' ? parent.length : /^\d+$/.test(key) ? Number(key) : Number.NaN;
  if (!(index <= parent.length)) throw misfit(`Unable to access invalid index: ${key}`);
  parent.splice(index, 0, value);
}

function remove(root: { [key: string]: Json }, path: string): Json {
  const value = read(root, path);
  const { parent, key } = parentOf(root, path);
  if (Array.isArray(parent)) parent.splice(Number(key), 1);
  else delete parent[key];
  return value;
}
