import {
  coalesceValues,
  parseYaml,
  writeYaml,
  type YamlMap,
  type YamlValue,
} from '@tiller-gateway/helm-render';
import type { Chart } from '../../codec/index.ts';
import { tillerError, withPrefix } from './tiller-error.ts';

/** What an upgrade with `reuse_values` goes on with, as YAML. */
export interface MergedValues {
  /** The old values over the old chart's own: they become the new chart's defaults. */
  readonly defaults: string;
  /** The new values over the old ones. */
  readonly values: string;
}

/**
 * Merges values as `reuse_values` asks for.
 * @param chart the old one
 * @throws GatewayError UNKNOWN, HelmRenderError when values are no YAML map
 */
export function mergeValues(chart: Chart | null, old: string, given: string): MergedValues {
  const defaults = withPrefix('failed to rebuild old values: ', () =>
    chart ? coalesceValues(chart, { raw: old }) : readTable(old),
  );
  const over = readTable(given);
  return { defaults: writeYaml(defaults), values: writeYaml(mergeTables(readTable(old), over)) };
}

function readTable(raw: string): YamlMap {
  const value = parseYaml(raw);
  if (value === null) return new Map();
  if (value instanceof Map) return value;
  throw tillerError(
    `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${jsonKind(value)} into Go value of type chartutil.Values`,
  );
}

function jsonKind(value: YamlValue): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'number';
}

/** Merges `over` into `base` as Helm merges values: tables are merged, everything else is replaced. */
function mergeTables(base: YamlMap, over: YamlMap): YamlMap {
  for (const [key, value] of over) {
    const present = base.get(key);
    base.set(key, present instanceof Map && value instanceof Map ? mergeTables(present, value) : value);
  }
  return base;
}
