import type { Chart, Config } from './chart/chart.ts';
import { HelmRenderError } from './chart/helm-render-error.ts';
import { bytesToUtf8, utf8ToBytes } from './go/bytes.ts';
import { uncounted } from './go/limits.ts';
import { sprintf } from './go/printf.ts';
import { type GoMap, type GoValue, TypedMap } from './go/value.ts';
import { yamlMapToGo } from './go/yaml-values.ts';
import { parseYaml, type YamlValue } from './yaml/index.ts';

/** The key of values that go to every subchart. */
const globalKey = 'global';

const isTable = (value: GoValue | undefined): value is GoMap =>
  value instanceof Map && !(value instanceof TypedMap);

function jsonKind(value: YamlValue): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'bigint') return 'number';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

/** Values from their YAML text. @throws HelmRenderError with Tiller's text */
function readValues(raw: string): GoMap {
  let value: YamlValue;
  try {
    value = parseYaml(raw);
  } catch (error) {
    if (error instanceof HelmRenderError) throw new HelmRenderError(error.message, { cause: error });
    throw error;
  }
  if (value === null) return new Map();
  if (value instanceof Map) return yamlMapToGo(value);
  const problem = `json: cannot unmarshal ${jsonKind(value)} into Go value of type chartutil.Values`;
  throw new HelmRenderError(`error unmarshaling JSON: while decoding JSON: ${problem}`);
}

/** `source` under `destination`, which wins; a null in it removes the key. Tables are merged, all else replaced. */
function coalesceTables(destination: GoMap, source: GoMap): GoMap {
  const merged: GoMap = new Map();
  for (const [key, value] of source) {
    const own = destination.get(key);
    if (own === undefined) merged.set(key, value);
    else if (isTable(own) && isTable(value)) merged.set(key, coalesceTables(own, value));
    else if (own !== null) merged.set(key, own);
  }
  for (const [key, value] of destination) {
    if (value !== null && !merged.has(key)) merged.set(key, value);
  }
  return merged;
}

/** A subchart's values with its parent's globals over its own. */
function coalesceGlobals(destination: GoMap, source: GoMap): GoMap {
  const own = destination.get(globalKey) ?? (destination.has(globalKey) ? null : new Map());
  const parents = source.get(globalKey) ?? (source.has(globalKey) ? null : new Map());
  // A `global` that is no table loses the subchart all its values: that is what Tiller's code does.
  if (!isTable(own)) return new Map();
  if (!isTable(parents)) return own;
  return new Map(destination).set(globalKey, coalesceTables(parents, own));
}

function coalesceChart(chart: Chart, values: GoMap): GoMap {
  return coalesceDependencies(chart, coalesceDefaults(chart, values));
}

function coalesceDefaults(chart: Chart, values: GoMap): GoMap {
  const raw = chart.values?.raw ?? '';
  if (raw === '') return values;
  try {
    return coalesceTables(values, readValues(raw));
  } catch (error) {
    if (!(error instanceof HelmRenderError)) throw error;
    const text = `Error: Reading chart '${chart.metadata?.name ?? ''}' default values (${raw}): ${error.message}`;
    throw new HelmRenderError(text, { cause: error });
  }
}

function coalesceDependencies(chart: Chart, values: GoMap): GoMap {
  for (const subchart of chart.dependencies) {
    const name = utf8ToBytes(subchart.metadata?.name ?? '');
    const given = values.get(name) ?? (values.has(name) ? null : new Map());
    if (!isTable(given)) {
      const text = sprintf('type mismatch on %s: %t', [name, given], uncounted);
      throw new HelmRenderError(bytesToUtf8(text));
    }
    values.set(name, coalesceChart(subchart, coalesceGlobals(given, values)));
  }
  return values;
}

/**
 * The values a chart is rendered with: those given over the chart's own, and under each subchart's name that subchart's,
 * with the globals. Without any given (null, not merely empty) Tiller leaves out the chart's own.
 * Rules: https://v2.helm.sh/docs/chart_template_guide/#subcharts-and-global-values
 * @throws HelmRenderError with Tiller's text
 */
export function coalesceToGo(chart: Chart, given: Config | null): GoMap {
  if (given === null) return coalesceDependencies(chart, new Map());
  return coalesceChart(chart, readValues(given.raw));
}
