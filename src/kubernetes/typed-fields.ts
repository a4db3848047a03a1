import type { YamlMap, YamlValue } from '../yaml/index.ts';

/**
 * What a field may hold, as Go's encoding/json sees it: a missing field and null are the type's zero value (an empty
 * text, false, an empty list), a value of another type is an error, unknown fields are ignored, and names are compared
 * with their case. `named` is a list of entries, each with a name and one value, that is kept by name.
 */
export type Shape =
  | 'text'
  | 'boolean'
  | 'base64'
  | 'anything'
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly named: Named }
  | { readonly optional: Shape }
  | { readonly fields: Readonly<Record<string, Shape>> };

/** The value that a shape gives. */
export type Value<S> = S extends 'text'
  ? string
  : S extends 'boolean'
    ? boolean
    : S extends 'base64'
      ? Buffer
      : S extends { readonly list: infer Item }
        ? readonly Value<Item>[]
        : S extends { readonly map: infer Item } | { readonly named: readonly [string, infer Item] }
          ? ReadonlyMap<string, Value<Item>>
          : S extends { readonly optional: infer Inner }
            ? Value<Inner> | undefined
            : S extends { readonly fields: infer Fields }
              ? { readonly [Name in keyof Fields]: Value<Fields[Name]> }
              : YamlValue;

/** Where a value stands: `users.user.token`, and the nearest entry around it that has a name. */
interface Place {
  readonly path: string;
  readonly entry: string;
  readonly refuse: (problem: string) => never;
}

/**
 * Reads a value of YAML or JSON by its shape.
 * @param refuse gets what is wrong and where, without the value, which may be a secret
 */
export function readFields<S extends Shape>(
  value: YamlValue,
  shape: S,
  refuse: (problem: string) => never,
): Value<S> {
  return read(value, shape, { path: '', entry: '', refuse }) as Value<S>;
}

/** `apiVersion` and `kind` count in any case, unlike the other fields: Kubernetes looks for them by another decoder. */
export function withTypeNames(value: YamlValue): YamlValue {
  if (!(value instanceof Map)) return value;
  const result = new Map(value);
  for (const name of ['apiVersion', 'kind']) {
    const given = [...value.keys()].find(key => key.toLowerCase() === name.toLowerCase());
    if (given !== undefined && !value.has(name)) result.set(name, value.get(given)!);
  }
  return result;
}

function read(value: YamlValue | undefined, shape: Shape, place: Place): unknown {
  const given = value ?? undefined;
  if (shape === 'anything') return given ?? null;
  if (shape === 'text') return scalarOf(given, 'string', 'text', place) ?? '';
  if (shape === 'boolean') return scalarOf(given, 'boolean', 'true or false', place) ?? false;
  if (shape === 'base64') {
    const text = (scalarOf(given, 'string', 'text', place) ?? '') as string;
    return decodeBase64(text) ?? fail(place, 'is not base64');
  }
  if ('optional' in shape) return given === undefined ? undefined : read(given, shape.optional, place);
  if ('list' in shape) return listOf(given, place).map(item => read(item, shape.list, place));
  if ('named' in shape) return namedOf(given, shape.named, place);
  const map = mapOf(given, place);
  if ('map' in shape) return new Map([...map].map(([key, item]) => [key, read(item, shape.map, place)]));
  const fields = Object.entries(shape.fields);
  return Object.fromEntries(
    fields.map(([name, inner]) => [name, read(map.get(name), inner, at(place, name))]),
  );
}

type Named = readonly [key: string, value: Shape];

function namedOf(value: YamlValue | undefined, [key, shape]: Named, place: Place): Map<string, unknown> {
  const result = new Map<string, unknown>();
  for (const item of listOf(value, place)) {
    const entry = mapOf(item ?? undefined, place);
    const name = read(entry.get('name'), 'text', at(place, 'name')) as string;
    if (result.has(name)) place.refuse(`${place.path} has two entries named ${JSON.stringify(name)}`);
    result.set(name, read(entry.get(key), shape, { ...at(place, key), entry: name }));
  }
  return result;
}

function scalarOf(value: YamlValue | undefined, type: string, expected: string, place: Place): unknown {
  return value === undefined || typeof value === type ? value : mismatch(value, expected, place);
}

function listOf(value: YamlValue = [], place: Place): readonly YamlValue[] {
  return Array.isArray(value) ? value : mismatch(value, 'a list', place);
}

function mapOf(value: YamlValue = new Map(), place: Place): YamlMap {
  return value instanceof Map ? value : mismatch(value, 'a mapping', place);
}

function mismatch(value: YamlValue, expected: string, place: Place): never {
  return fail(place, `is ${typeName(value)} instead of ${expected}`);
}

function fail({ path, entry, refuse }: Place, problem: string): never {
  const where = path === '' ? 'the document' : path + (entry && ` of ${JSON.stringify(entry)}`);
  return refuse(`${where} ${problem}`);
}

function at(place: Place, name: string): Place {
  return { ...place, path: place.path === '' ? name : `${place.path}.${name}` };
}

function typeName(value: YamlValue): string {
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Map) return 'a mapping';
  if (typeof value === 'string') return 'text';
  return typeof value === 'boolean' ? 'true or false' : 'a number';
}

/** As Go's base64.StdEncoding: padded, line breaks ignored, nothing else. @returns undefined for anything else */
export function decodeBase64(text: string): Buffer | undefined {
  const compact = text.replace(/[\r\n]/g, '');
  const isBase64 = compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact);
  return isBase64 ? Buffer.from(compact, 'base64') : undefined;
}
