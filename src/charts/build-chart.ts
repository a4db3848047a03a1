import { loadChart } from './archive/load-chart.ts';
import { type ArchiveLimits, NeedsThread, UnpackBudget } from './archive/unpack.ts';
import { type ChartFile, encodeChart } from './chart/chart.ts';
import { mayExpand, withSource } from './chart/chart-yaml.ts';
import { prepareChart } from './requirements/prepare-chart.ts';
import { runInThread } from './thread/run-in-thread.ts';
import { type GivenValues, mergeValues } from './values/merge-values.ts';

/** A chart as it was fetched: packed, or the files of a folder. */
export interface FetchedChart {
  /** How messages name it. */
  readonly name: string;
  readonly content: Uint8Array | readonly ChartFile[];
}

/** All that is needed to make Tiller's messages of a chart and of values; a thread can be given it. */
export interface ChartTask {
  /** Undefined where the request has its chart ready-made. */
  readonly fetched: FetchedChart | undefined;
  readonly given: GivenValues;
  readonly limits: ArchiveLimits;
  readonly maxMessageBytes: number;
}

export interface BuiltChart {
  /** hapi.chart.Chart in wire format; undefined where nothing was fetched. */
  readonly chart: Uint8Array | undefined;
  /** hapi.chart.Config in wire format. */
  readonly values: Uint8Array;
  readonly warnings: readonly string[];
}

/** Characters of a request's values up to which they are read right here: some ten milliseconds. */
const maxHere = 64 * 1024;

/**
 * Makes the messages; in a thread of its own where that could take a tenth of a second, in which nothing else is answered.
 * @throws GatewayError INVALID_ARGUMENT with the source, when the chart or the values cannot be read; as runInThread
 */
export async function buildWhereItFits(task: ChartTask, signal: AbortSignal): Promise<BuiltChart> {
  if (isSmall(task)) {
    try {
      return await build(task, new UnpackBudget(task.limits, true));
    } catch (error) {
      if (!(error instanceof NeedsThread)) throw error;
    }
  }
  const { maxUnpackedBytes, maxEntries, maxNestedArchives } = task.limits;
  // options hold functions as well, which cannot be cloned
  const input = { ...task, limits: { maxUnpackedBytes, maxEntries, maxNestedArchives } };
  return runInThread({ kind: 'chart', input }, task.fetched?.name ?? 'values', signal);
}

export function buildChart(task: ChartTask): Promise<BuiltChart> {
  return build(task, new UnpackBudget(task.limits));
}

async function build(
  { fetched, given, limits, maxMessageBytes }: ChartTask,
  budget: UnpackBudget,
): Promise<BuiltChart> {
  const { wire: values, parse } = mergeValues(given);
  if (!fetched) return { chart: undefined, values, warnings: [] };
  const { name, content } = fetched;
  const warnings: string[] = [];
  try {
    const chart = await loadChart(content, limits, budget);
    prepareChart(chart, parse, message => warnings.push(`${name}: ${message}`));
    return { chart: encodeChart(chart, maxMessageBytes), values, warnings };
  } catch (error) {
    throw withSource(error, name);
  }
}

/** Whether the values of a request are few; anchors could make any number of a few bytes, and so can an index. */
function isSmall({ fetched, given }: ChartTask): boolean {
  const { values = new Uint8Array(), valuesJson, set, setString } = given;
  const lines = [...set, ...setString];
  if (!fetched && !valuesJson && lines.length === 0) return true;
  if (values.length > maxHere || mayExpand(values) || lines.some(line => /\[\d{4}/.test(line))) return false;
  const length = lines.reduce((sum, line) => sum + line.length, values.length);
  return weigh(valuesJson, maxHere - length) >= 0;
}

/** What is left of `room` behind a JSON value, whose scalars weigh as much as short texts; looks no further than it reaches. */
function weigh(value: unknown, room: number): number {
  let left = room - 8;
  if (typeof value === 'string') return left - value.length;
  if (typeof value !== 'object' || value === null) return left;
  for (const key in value) {
    if (left < 0) break;
    left = weigh((value as Record<string, unknown>)[key], left - key.length);
  }
  return left;
}
