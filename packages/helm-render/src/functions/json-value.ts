import { bytesToUtf8 } from '../go/bytes.ts';
import { isNil } from '../go/nil.ts';
import { GoComplex, GoInteger, type GoValue, kindOf } from '../go/value.ts';
import type { YamlValue } from '../yaml/index.ts';

const maxDepth = 900;
/** The copy of a node takes some hundred bytes; of values that share their parts there can be very many. */
const nodeWork = 20;

/** A value that encoding/json refuses; the callers in Helm and Sprig turn that into an empty text. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/**
 * A value as encoding/json sees it: text in UTF-8, bytes as base64, integers exact, structs by their JSON names.
 * @throws JsonError on what JSON cannot hold: NaN, infinities, complex numbers, values nested too deep
 */
export function goToJsonValue(value: GoValue, charge: (amount: number) => void, depth = 0): YamlValue {
  charge(nodeWork);
  if (depth > maxDepth) throw new JsonError('value is nested too deep');
  if (typeof value === 'string') return bytesToUtf8(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new JsonError('json: unsupported value');
    return value;
  }
  if (typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (value === null || isNil(value)) return null;
  const inner = (each: GoValue) => goToJsonValue(each, charge, depth + 1);
  if (value instanceof GoInteger) return value.value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return Array.from(value, inner);
  if (value instanceof Map) {
    return new Map(Array.from(value, ([key, each]) => [bytesToUtf8(key), inner(each)] as const));
  }
  if (value instanceof GoComplex) throw new JsonError('json: unsupported type: complex128');
  return inner(value.json());
}

/** json.Unmarshal's error when a text that is no object is read into a map; undefined for maps and null. */
export function notAMap(value: GoValue): string | undefined {
  if (value === null || value instanceof Map) return undefined;
  const kinds: Record<string, string> = { slice: 'array', float64: 'number' };
  const kind = kindOf(value);
  return `json: cannot unmarshal ${kinds[kind] ?? kind} into Go value of type map[string]interface {}`;
}
