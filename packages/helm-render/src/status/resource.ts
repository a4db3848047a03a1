import type { YamlMap, YamlValue } from '../yaml/index.ts';

/** A resource of a manifest. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly body: YamlMap;
}

/** What lies at a path of keys; undefined where there is nothing. */
export function valueAt(value: YamlValue | undefined, path: readonly string[]): YamlValue | undefined {
  let current = value;
  for (const key of path) {
    if (!(current instanceof Map)) return undefined;
    current = current.get(key);
  }
  return current;
}

export function textAt(resource: Resource, ...path: string[]): string {
  const value = valueAt(resource.body, path) ?? '';
  return Array.isArray(value) || value instanceof Map ? '' : String(value);
}

export function listAt(resource: Resource, ...path: string[]): YamlValue[] {
  const value = valueAt(resource.body, path);
  return Array.isArray(value) ? value : [];
}

/** How many entries the map at a path has. */
export function sizeAt(resource: Resource, ...path: string[]): number {
  const value = valueAt(resource.body, path);
  return value instanceof Map ? value.size : 0;
}

/** A whole number that the resource asks for. */
export function countAt(resource: Resource, otherwise: number, ...path: string[]): number {
  const value = Number(valueAt(resource.body, path) ?? otherwise);
  return Number.isSafeInteger(value) && value >= 0 ? value : otherwise;
}

/** @returns undefined for a document that is no resource */
export function toResource(document: YamlValue): Resource | undefined {
  if (!(document instanceof Map)) return undefined;
  const [apiVersion, kind, name] = [
    document.get('apiVersion'),
    document.get('kind'),
    valueAt(document, ['metadata', 'name']),
  ];
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined;
  return { apiVersion, kind, name: typeof name === 'string' ? name : '', body: document };
}
