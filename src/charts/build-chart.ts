import { MalformedMessage, readStruct } from '../codec/index.ts';
import { invalidArgument } from '../protocol/index.ts';
import { loadChart, readChartFiles } from './archive/load-chart.ts';
import { type ArchiveLimits, type Caller, hereOrInThread, UnpackBudget } from './archive/unpack.ts';
import { type ChartFile, encodeChart } from './chart/chart.ts';
import { inSource } from './chart/chart-yaml.ts';
import { prepareChart } from './requirements/prepare-chart.ts';
import {
  listSchemaChecks,
  type PreviousRelease,
  readChart,
  type SchemaCheck,
} from './schema/schema-checks.ts';
import {
  type GivenValues,
  mayTakeLong,
  mergeValues,
  type RequestValues,
  sizeOfValues,
} from './values/merge-values.ts';

/** A chart as it was fetched: packed, or the files of a folder. */
export interface FetchedChart {
  /** How messages name it. */
  readonly name: string;
  readonly content: Uint8Array | readonly ChartFile[];
  /** Packed charts to be put beside those that it brings along, as files below charts/. */
  readonly charts?: readonly ChartFile[];
}

/** All that is needed to make Tiller's messages of a chart and of values; a thread can be given it. */
export interface ChartTask {
  /** Undefined where the request has its chart ready-made. */
  readonly fetched: FetchedChart | undefined;
  /** The ready-made chart (hapi.chart.Chart in wire format), where it has schemas that its values have to meet. */
  readonly inline?: Uint8Array | undefined;
  /** The release that is upgraded, where its values count as well. */
  readonly previous?: PreviousRelease | undefined;
  readonly given: RequestValues;
  readonly limits: ArchiveLimits;
  readonly maxMessageBytes: number;
}

export interface BuiltChart {
  /** hapi.chart.Chart in wire format; undefined where nothing was fetched. */
  readonly chart: Uint8Array | undefined;
  /** hapi.chart.Config in wire format. */
  readonly values: Uint8Array;
  readonly warnings: readonly string[];
  /** What the values have to meet before the messages are sent. */
  readonly checks: readonly SchemaCheck[];
}

/**
 * Makes the messages; in a thread of its own where that could take a tenth of a second, in which nothing else is answered.
 * @throws GatewayError INVALID_ARGUMENT with the source, when the chart or the values cannot be read; as ThreadPool.run
 */
export function buildWhereItFits(task: ChartTask, caller: Caller): Promise<BuiltChart> {
  const { given, fetched, inline } = task;
  const charts = [fetched?.content, ...(fetched?.charts ?? []).map(({ data }) => data), inline];
  const packed = charts.filter(chart => chart instanceof Uint8Array);
  const bytes = packed.reduce((sum, { length }) => sum + length, sizeOfValues(given));
  return build({ what: fetched?.name ?? 'values', bytes, ...caller }, task, isSmall(task));
}

const build = hereOrInThread(import.meta.url, buildChart);

export async function buildChart(
  { fetched, inline, given, previous, limits, maxMessageBytes }: ChartTask,
  budget = new UnpackBudget(limits),
): Promise<BuiltChart> {
  const { wire: values, parse } = mergeValues({ ...given, valuesJson: readValues(given.valuesJson) });
  if (!fetched) {
    const checks = inline ? listSchemaChecks(readChart(inline), parse, previous) : [];
    return { chart: undefined, values, warnings: [], checks };
  }
  const { name, content, charts } = fetched;
  return inSource(name, async () => {
    const files = charts?.length
      ? [...(content instanceof Uint8Array ? await readChartFiles(content, budget) : content), ...charts]
      : content;
    const chart = await loadChart(files, limits, budget);
    if (chart.type === 'library') throw invalidArgument('library charts are not installable');
    const warnings: string[] = [];
    prepareChart(chart, parse, message => warnings.push(`${name}: ${message}`));
    const checks = listSchemaChecks(chart, parse, previous);
    return { chart: encodeChart(chart, maxMessageBytes), values, warnings, checks };
  });
}

/** @throws GatewayError INVALID_ARGUMENT when the bytes are no Struct, or too many values */
function readValues(struct: Uint8Array | undefined): GivenValues['valuesJson'] {
  try {
    return struct && readStruct(struct);
  } catch (cause) {
    throw cause instanceof MalformedMessage ? invalidArgument(cause.message, { cause }) : cause;
  }
}

/** Whether what a request brings itself is read in no time. */
function isSmall({ fetched, inline, given, previous }: ChartTask): boolean {
  const { valuesJson, set, setString } = given;
  // values alone are passed on unread
  if (inline || previous) return false;
  if (!fetched && !valuesJson && set.length + setString.length === 0) return true;
  return !mayTakeLong(given);
}
