import { invalidArgument } from '../../protocol/index.ts';
import type { YamlMap, YamlValue } from '../../yaml/index.ts';
import { formatFloatG, shortestFloat32 } from '../../yaml/index.ts';

/*
 * Chart.yaml and requirements.yaml as ghodss/yaml puts them into Go structs: names of fields match in any case, numbers and
 * booleans become text where text is wanted, null leaves a field empty, unknown fields are dropped.
 */

/** Reads one field's value; `where` names it in errors. Undefined leaves the field out. */
export type FieldReader = (value: YamlValue, where: string) => unknown;

/** Text; numbers and booleans are written out. */
export function readText(value: YamlValue, where: string): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'number':
      // ghodss/yaml formats floats as 32-bit ones
      return formatFloatG(shortestFloat32(value));
  }
  if (value === null) return undefined;
  throw invalidArgument(`${where} must be text`);
}

export function readBoolean(value: YamlValue, where: string): boolean | undefined {
  if (value === null) return undefined;
  if (typeof value !== 'boolean') throw invalidArgument(`${where} must be true or false`);
  return value;
}

/** A list whose items are all read by `readItem`. */
export function readList<T>(readItem: (value: YamlValue, where: string) => T) {
  return (value: YamlValue, where: string): T[] | undefined => {
    if (value === null) return undefined;
    if (!Array.isArray(value)) throw invalidArgument(`${where} must be a list`);
    return value.map((item, index) => readItem(item, `${where}[${index}]`));
  };
}

/** A list of text; null stands for empty text. */
export const readTexts = readList((value, where) => readText(value, where) ?? '');

/** A map of text to text. */
export function readTextMap(value: YamlValue, where: string): Record<string, string> | undefined {
  if (value === null) return undefined;
  if (!(value instanceof Map)) throw invalidArgument(`${where} must be a map`);
  const entries = [...value].map(([key, item]) => [key, readText(item, `${where}.${key}`) ?? ''] as const);
  // a null prototype, so that no key means anything but itself
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

/**
 * The fields of a struct. Where two keys differ in case alone, the later in byte order wins, as it does in Go, which
 * goes through sorted JSON.
 */
export function readFields(map: YamlMap, fields: Readonly<Record<string, FieldReader>>, where: string) {
  const names = new Map(Object.keys(fields).map(name => [name.toLowerCase(), name]));
  const result: Record<string, unknown> = {};
  for (const key of [...map.keys()].sort()) {
    const name = names.get(key.toLowerCase());
    const read = name === undefined ? undefined : fields[name];
    if (name === undefined || read === undefined) continue;
    const value = read(map.get(key) ?? null, `${where}: ${key}`);
    if (value !== undefined) result[name] = value;
  }
  return result;
}
