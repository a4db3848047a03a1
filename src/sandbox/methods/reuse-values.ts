import {
  coalesceValues,
  parseYaml,
  writeYaml,
  type YamlMap,
  type YamlValue,
} from '@tiller-gateway/helm-render';
import type { Chart, Config, Release, UpdateReleaseRequest } from '../../codec/index.ts';
import { TillerCrash, tillerError, withPrefix } from '../state/tiller-error.ts';

/** The chart and the values with which an upgrade goes on. */
export interface UpgradeInput {
  readonly chart: Chart;
  readonly values: Config | null;
}

/**
 * The chart and values of an upgrade. With `reset_values` the old values are ignored. With `reuse_values` the new values
 * are merged over the old ones, and the old chart's values merged with them become the chart's defaults. With neither,
 * new values are used alone; without new values the old ones stay.
 * @throws GatewayError when values are no YAML map
 */
export function reuseValues(request: UpdateReleaseRequest, chart: Chart, current: Release): UpgradeInput {
  const { values } = request;
  if (request.reset_values) return { chart, values };
  const old = current.config;
  if (request.reuse_values) {
    if (!values) throw new TillerCrash('reuse_values without values');
    const defaults = withPrefix('failed to rebuild old values: ', () => {
      return current.chart
        ? coalesceValues(current.chart, { raw: old?.raw ?? '' })
        : readTable(old?.raw ?? '');
    });
    const merged = mergeTables(readTable(old?.raw ?? ''), readTable(values.raw));
    return {
      chart: { ...chart, values: { raw: writeYaml(defaults), values: {} } },
      values: { raw: writeYaml(merged), values: values.values },
    };
  }
  const keepsOld = isEmpty(values) && !isEmpty(old);
  return { chart, values: keepsOld ? old : values };
}

/** What the Helm client sends for no values is `{}` and a line break. */
function isEmpty(config: Config | null): boolean {
  return !config || config.raw === '' || config.raw === '{}\n';
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
