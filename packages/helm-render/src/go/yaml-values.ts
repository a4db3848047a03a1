import { HelmRenderError } from '../chart/helm-render-error.ts';
import { parseYaml, utf8Fault, type YamlValue } from '../yaml/index.ts';
import { bytesToBuffer, bytesToUtf8, utf8ToBytes } from './bytes.ts';
import type { GoMap, GoValue } from './value.ts';

/**
 * `parseYaml` of a byte string.
 * @throws HelmRenderError also for bytes that are not UTF-8
 */
export function parseYamlBytes(bytes: string): YamlValue {
  const fault = utf8Fault(bytesToBuffer(bytes));
  if (fault !== undefined) throw new HelmRenderError(`error converting YAML to JSON: yaml: ${fault}`);
  return parseYaml(bytesToUtf8(bytes));
}

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
