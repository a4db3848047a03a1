import { decodeMessage, messageType, readStruct, wireFields } from '../../codec/index.ts';
import { whereItFits } from '../../protocol/index.ts';

/** What `info` of a chart can be, with the part of our own catalogue that it is made of. */
export const chartInfos = { all: 'files', chart: 'chart', values: 'values', readme: 'readme' } as const;

export type ChartInfo = keyof typeof chartInfos;

const response = 'appscode.swift.v2.GetChartResponse';
const chartNumber = messageType(response).byName.get('chart')?.number;

/**
 * A chart's files as `[{name, data}]`, every one as text; Chart.yaml as an object; or the text of one file, empty where
 * the chart has none. May run in a thread.
 * @param reply GetChartResponse
 */
export function chartToData(reply: Uint8Array, info: ChartInfo): Buffer {
  if (info === 'chart') {
    const part = [...wireFields(reply)].find(({ number }) => number === chartNumber);
    return toJson(part ? readStruct(reply.subarray(part.valueStart, part.end)) : {});
  }
  const { files, values, readme } = decodeMessage(response, reply);
  if (info !== 'all') return toJson(info === 'values' ? values : readme);
  return toJson(files.map(({ name, text, data }) => ({ name, data: text || Buffer.from(data).toString() })));
}

function toJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export const chartWhereItFits = whereItFits(import.meta.url, chartToData);
