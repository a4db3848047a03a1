import { parseYaml, writeYaml, type YamlMap, type YamlValue } from '@tiller-gateway/helm-render';
import type { LoadedChart } from '../../charts/loaded-chart.ts';
import { Preparation } from '../../charts/requirements/preparation.ts';
import { coalesceValues } from '../../charts/values/coalesce-values.ts';
import { mergeTables } from '../../charts/values/tables.ts';
import type { Chart, Config, Release, UpdateReleaseRequest } from '../../codec/messages.gen.ts';
import { TillerCrash, tillerError, withPrefix } from './tiller-error.ts';

/** The chart and the values with which an upgrade goes on. */
export interface UpgradeInput {
  readonly chart: Chart;
  readonly values: Config | null;
}

/**
 * What an upgrade does with the values of the release it follows: with `reset_values` nothing; with `reuse_values` the new
 * ones are merged over the old ones, and the chart's defaults become what the old chart and the old values came to; with
 * neither, new values stand alone, and only where there are none the old ones stay.
 * @throws GatewayError when values are no YAML map
 */
export function reuseValues(request: UpdateReleaseRequest, chart: Chart, current: Release): UpgradeInput {
  const { values } = request;
  if (request.reset_values) return { chart, values };
  const old = current.config;
  if (request.reuse_values) {
    if (!values) throw new TillerCrash('reuse_values without values');
    const defaults = withPrefix('failed to rebuild old values: ', () => {
      const oldValues = readTable(old?.raw ?? '');
      return current.chart
        ? coalesceValues(toLoadedChart(current.chart), oldValues, new Preparation(() => {}))
        : oldValues;
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

function toLoadedChart(chart: Chart): LoadedChart {
  return {
    metadata: { ...chart.metadata, name: chart.metadata?.name ?? '' },
    templates: chart.templates,
    dependencies: chart.dependencies.map(toLoadedChart),
    values: chart.values?.raw,
    files: chart.files.map(file => ({ name: file.type_url, data: file.value })),
  };
}
