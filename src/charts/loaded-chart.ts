import type { Metadata } from '../codec/messages.gen.ts';
import { encodeMessage, type Partially } from '../codec/messages.ts';

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

/** The chart as `hapi.chart.Chart` in wire format. */
export function encodeChart(chart: LoadedChart): Buffer {
  return encodeMessage('hapi.chart.Chart', chartToMessage(chart));
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
