import { extname } from 'node:path';
import { decodeMessage } from '../../codec/index.ts';
import { invalidArgument, type Job, ThreadPool } from '../../protocol/index.ts';
import { goJson, type YamlMap, type YamlValue } from '../../yaml/index.ts';
import { type LoadedChart, messageToChart } from '../chart/chart.ts';
import { readYamlMap } from '../chart/chart-yaml.ts';
import { Preparation } from '../requirements/preparation.ts';
import { coalesceValues, isTable, mergeTables } from '../values/tables.ts';

/** The values that a chart will see, and the schema that it brings for them. */
export interface SchemaCheck {
  readonly chart: string;
  readonly schema: Uint8Array;
  /** JSON */
  readonly values: string;
}

/** The release that is upgraded, whose values count as well. */
export interface PreviousRelease {
  /** hapi.chart.Chart in wire format. */
  readonly chart: Uint8Array;
  /** YAML of the values that it was given. */
  readonly values: string;
  /** `reuse`: the values given are merged over its values and its chart's; `keep`: its values take the place of none. */
  readonly use: 'reuse' | 'keep';
}

export const schemaFile = 'values.schema.json';

/** Real ones have some hundred KiB. */
const maxSchemaBytes = 2 * 1024 * 1024;

/** Text of the values of a chart, those of the charts in it included: an alias may repeat a text many times. */
const maxValueText = 16 * 1024 * 1024;

/**
 * What has to hold before a chart is sent: its values against its schema, and those of each chart in it against that one's,
 * once what is switched off is removed (chartutil.ValidateAgainstSchema of Helm 3). Nothing is checked here.
 * @param given reads the request's values
 * @throws GatewayError INVALID_ARGUMENT when values cannot be read or are too many
 */
export function listSchemaChecks(
  chart: LoadedChart,
  given: () => YamlMap,
  previous?: PreviousRelease,
): SchemaCheck[] {
  if (!hasSchema(chart)) return [];
  const work = new Preparation(() => {});
  const old = previous && readYamlMap(previous.values, 'the values of the release');
  if (previous?.use === 'reuse' && old) {
    const defaults = coalesceValues(readChart(previous.chart), old, work);
    const ownValues = (one: LoadedChart) => (one === chart ? defaults : work.ownValues(one));
    const takeCopies = (copy: YamlMap) => work.takeCopies(copy);
    return collect(chart, coalesceValues(chart, mergeTables(old, given()), { ownValues, takeCopies }));
  }
  return collect(chart, coalesceValues(chart, old ?? given(), work));
}

function collect(chart: LoadedChart, values: YamlMap): SchemaCheck[] {
  if (textOf(values) > maxValueText)
    throw invalidArgument('the values are too large to be checked against a schema');
  const checks: SchemaCheck[] = [];
  const add = (one: LoadedChart, its: YamlMap) => {
    const { name: chart } = one.metadata;
    const schema = one.files.findLast(({ name }) => name === schemaFile)?.data;
    if (schema && schema.length > maxSchemaBytes)
      throw invalidArgument(`${schemaFile} of chart ${chart} is larger than ${maxSchemaBytes} bytes`);
    if (schema) checks.push({ chart, schema, values: goJson(its) });
    for (const dependency of one.dependencies) {
      const below = its.get(dependency.metadata.name);
      if (isTable(below)) add(dependency, below);
    }
  };
  add(chart, values);
  return checks;
}

function hasSchema({ files, dependencies }: LoadedChart): boolean {
  return files.some(({ name }) => name === schemaFile) || dependencies.some(hasSchema);
}

function textOf(value: YamlValue): number {
  if (typeof value === 'string') return value.length;
  let length = 8;
  if (value instanceof Map) for (const [key, item] of value) length += key.length + textOf(item);
  else if (Array.isArray(value)) for (const item of value) length += textOf(item);
  return length;
}

/** One thread, so that schemas that take long delay nothing but other schemas. */
const schemaThread = new ThreadPool({ maxThreads: 1, maxWaiting: 64, maxHeapMiB: 192, maxJobMs: 10_000 });

/** By its name alone: what checks is loaded in the thread, and only there. */
const checker = new URL(`./check-schemas${extname(import.meta.url)}`, import.meta.url).href;

/** @throws GatewayError as `checkSchemas`, and RESOURCE_EXHAUSTED where it takes too long or too much memory */
export async function checkInThread(job: Job, checks: readonly SchemaCheck[]): Promise<void> {
  await schemaThread.run({ module: checker, name: 'checkSchemas', args: [checks] }, job);
}

/** @param wire hapi.chart.Chart in wire format. @throws MalformedMessage */
export function readChart(wire: Uint8Array): LoadedChart {
  return messageToChart(decodeMessage('hapi.chart.Chart', wire));
}
