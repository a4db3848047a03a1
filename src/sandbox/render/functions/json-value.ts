import type { YamlValue } from '../../../charts/yaml/index.ts';
import { bytesToUtf8, utf8ToBytes } from '../go/bytes.ts';
import { GoComplex, GoInteger, type GoStruct, type GoValue, kindOf } from '../go/value.ts';
import { isEmpty } from './convert.ts';
import { GoTime, timeToJson } from './go-time.ts';

const maxDepth = 900;

/** A value that encoding/json refuses; the callers in Helm and Sprig turn that into an empty text. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/**
 * A value as encoding/json sees it: text in UTF-8, bytes as base64, integers exact, structs by their JSON names.
 * @throws JsonError on what JSON cannot hold: NaN, infinities, complex numbers, values nested too deep
 */
export function goToJsonValue(value: GoValue, charge: (amount: number) => void, depth = 0): YamlValue {
  charge(1);
  if (depth > maxDepth) throw new JsonError('value is nested too deep');
  if (typeof value === 'string') return bytesToUtf8(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new JsonError('json: unsupported value');
    return value;
  }
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return value;
  const inner = (each: GoValue) => goToJsonValue(each, charge, depth + 1);
  if (value instanceof GoInteger) return value.value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return Array.from(value, inner);
  if (value instanceof Map) {
    return new Map(Array.from(value, ([key, each]) => [bytesToUtf8(key), inner(each)] as const));
  }
  if (value instanceof GoComplex) throw new JsonError('json: unsupported type: complex128');
  return structToJson(value, inner);
}

function structToJson(struct: GoStruct, inner: (value: GoValue) => YamlValue): YamlValue {
  if (struct.inner instanceof GoTime) return timeToJson(struct.inner);
  // The messages of Helm's API carry tags: lower case names, and empty fields left out.
  const tagged = struct.type.replace(/^\*/, '').startsWith('chart.');
  const fields: [string, YamlValue][] = [];
  for (const [name, { value }] of struct.fields) {
    if (tagged && isEmpty(value)) continue;
    fields.push([tagged ? name.charAt(0).toLowerCase() + name.slice(1) : name, inner(value)]);
  }
  return new Map(fields);
}

/** A value read from JSON or YAML as json.Unmarshal puts it into an interface {}: every number is a float64. */
export function jsonValueToGo(value: YamlValue): GoValue {
  if (typeof value === 'string') return utf8ToBytes(value);
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(jsonValueToGo);
  if (!(value instanceof Map)) return value;
  return new Map(Array.from(value, ([key, each]) => [utf8ToBytes(key), jsonValueToGo(each)] as const));
}

/** json.Unmarshal's error when a text that is no object is read into a map; undefined for maps and null. */
export function notAMap(value: GoValue): string | undefined {
  if (value === null || value instanceof Map) return undefined;
  const kinds: Record<string, string> = { slice: 'array', float64: 'number' };
  const kind = kindOf(value);
  return `json: cannot unmarshal ${kinds[kind] ?? kind} into Go value of type map[string]interface {}`;
}
