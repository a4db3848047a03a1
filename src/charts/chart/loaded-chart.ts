import type { Metadata } from '../../codec/index.ts';
import { encodeMessage, type Partially } from '../../codec/index.ts';
import { invalidArgument } from '../../protocol/index.ts';

/** What Chart.yaml says; only what it does say is present, but there is always a name. */
export type ChartMetadata = Partially<Metadata> & { name: string };

export interface ChartFile {
  /** Path below the chart's folder, with `/`. */
  readonly name: string;
  readonly data: Uint8Array;
}

/** A chart in memory. Dependencies and values change while requirements are worked through; contents never do. */
export interface LoadedChart {
  readonly metadata: ChartMetadata;
  readonly templates: readonly ChartFile[];
  dependencies: LoadedChart[];
  /** The text of values.yaml; undefined where there is no such file, which Tiller can tell from an empty one. */
  values: string | undefined;
  readonly files: readonly ChartFile[];
}

/**
 * The chart as `hapi.chart.Chart` in wire format.
 * @throws GatewayError INVALID_ARGUMENT when it is too large, before anything that large is made
 */
export function encodeChart(chart: LoadedChart, maxBytes: number): Buffer {
  const tooLarge = () =>
    invalidArgument(`the chart is larger than ${maxBytes} bytes, the most that Tiller takes`);
  if (contentBytes(chart) > maxBytes) throw tooLarge();
  const wire = encodeMessage('hapi.chart.Chart', chartToMessage(chart));
  if (wire.length > maxBytes) throw tooLarge();
  return wire;
}

/** What a chart's contents come to at least; one chart under many aliases counts as often. */
function contentBytes(chart: LoadedChart): number {
  let bytes = chart.values?.length ?? 0;
  for (const { data } of chart.templates) bytes += data.length;
  for (const { data } of chart.files) bytes += data.length;
  for (const dependency of chart.dependencies) bytes += contentBytes(dependency);
  return bytes;
}

type ChartMessage = Parameters<typeof encodeMessage<'hapi.chart.Chart'>>[1];

function chartToMessage(chart: LoadedChart): ChartMessage {
  return {
    metadata: chart.metadata,
    templates: [...chart.templates],
    dependencies: chart.dependencies.map(chartToMessage),
    ...(chart.values === undefined ? {} : { values: { raw: chart.values } }),
    files: chart.files.map(file => ({ type_url: file.name, value: file.data })),
  };
}
