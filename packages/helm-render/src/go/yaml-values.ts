import type { YamlValue } from '../yaml/index.ts';
import { bytesToUtf8, utf8ToBytes } from './bytes.ts';
import type { GoMap, GoValue } from './value.ts';

/** What YAML or JSON holds, as Go's encoding/json decodes it into interface {}: every number is a float64. */
export function yamlToGo(value: YamlValue): GoValue {
  if (typeof value === 'string') return utf8ToBytes(value);
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(yamlToGo);
  return value instanceof Map ? yamlMapToGo(value) : value;
}

export function yamlMapToGo(map: ReadonlyMap<string, YamlValue>): GoMap {
  return new Map(Array.from(map, ([key, value]) => [utf8ToBytes(key), yamlToGo(value)]));
}

/** map[string]string as a YAML value. */
export function stringMapToYaml(map: ReadonlyMap<string, string>): Map<string, YamlValue> {
  return new Map(Array.from(map, ([key, value]) => [bytesToUtf8(key), bytesToUtf8(value)]));
}
