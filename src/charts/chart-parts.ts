import {
  encodeMessage,
  jsonToWire,
  messageType,
  type Partially,
  type SwiftChartFile,
  WireWriter,
} from '../codec/index.ts';
import { GatewayError, invalidArgument, limitExceeded } from '../protocol/index.ts';
import { goJson } from '../yaml/index.ts';
import { readChartFiles } from './archive/load-chart.ts';
import { type ArchiveLimits, type Caller, hereOrInThread, UnpackBudget } from './archive/unpack.ts';
import type { FetchedChart } from './build-chart.ts';
import type { ChartFile } from './chart/chart.ts';
import { decodeUtf8, readYamlMap, withSource } from './chart/chart-yaml.ts';

/** What can be asked for of a chart; the picture alone is not in it. */
export const partNames = ['readme', 'values', 'schema', 'chart', 'files', 'icon'] as const;

export type PartName = (typeof partNames)[number];

/** All that is needed to read the parts; a thread can be given it. */
export interface PartsTask {
  readonly fetched: FetchedChart;
  readonly parts: readonly PartName[];
  readonly limits: ArchiveLimits;
  /** The most bytes of the answer. */
  readonly maxBytes: number;
}

export interface ChartParts {
  /** The parts but for the icon, as appscode.swift.v2.GetChartResponse in wire format. */
  readonly message: Uint8Array;
  /** What Chart.yaml says of its icon: a URL, or the path of a file in the chart. */
  readonly icon: string;
  /** The file that `icon` names, where the icon is wanted and is one. */
  readonly iconFile: Uint8Array | undefined;
}

/**
 * Reads parts of a chart, of Helm 3 too; in a thread where that could keep others waiting.
 * @throws GatewayError INVALID_ARGUMENT with reason CHART_INVALID when the chart cannot be read; RESOURCE_EXHAUSTED when the
 * parts are larger than the bound; as ThreadPool.run
 */
export function readPartsWhereItFits(task: PartsTask, caller: Caller): Promise<ChartParts> {
  const { fetched, parts } = task;
  const bytes = fetched.content instanceof Uint8Array ? fetched.content.length : 0;
  const job = { what: fetched.name, bytes, ...caller };
  // what is unpacked here is bounded; files are copied and written once more
  return readParts(job, task, !parts.includes('files'));
}

const readParts = hereOrInThread(import.meta.url, readChartParts);

export async function readChartParts(
  task: PartsTask,
  budget = new UnpackBudget(task.limits),
): Promise<ChartParts> {
  const { name, content } = task.fetched;
  try {
    const files = content instanceof Uint8Array ? await readChartFiles(content, budget) : content;
    return writeParts(files, task, budget);
  } catch (error) {
    throw withSource(asInvalid(error), name);
  }
}

/** What the caller cannot mend: the chart is at fault. */
function asInvalid(error: unknown): unknown {
  if (!(error instanceof GatewayError) || error.reason !== 'INVALID_REQUEST') return error;
  return invalidArgument(error.message, { cause: error, reason: 'CHART_INVALID' });
}

function writeParts(files: readonly ChartFile[], task: PartsTask, budget: UnpackBudget): ChartParts {
  const { parts, maxBytes } = task;
  const metadata = fileNamed(files, 'Chart.yaml');
  if (!metadata) throw invalidArgument('chart metadata (Chart.yaml) missing');
  budget.takeYaml(metadata);
  const map = readYamlMap(metadata, 'Chart.yaml');
  const text = (part: PartName, data: Uint8Array | undefined) =>
    parts.includes(part) && data ? { [part]: Buffer.from(data).toString() } : {};
  const all = parts.includes('files') ? files : [];
  const wanted = {
    ...text('readme', files.find(({ name }) => /^readme(?:\.md|\.txt)?$/i.test(name))?.data),
    ...text('values', fileNamed(files, 'values.yaml')),
    ...text('schema', fileNamed(files, 'values.schema.json')),
  };
  const bytes = [...Object.values(wanted), ...all.map(({ data }) => data)];
  if (bytes.reduce((sum, { length }) => sum + length, 0) > maxBytes) {
    throw limitExceeded(`the parts of the chart are larger than ${maxBytes} bytes: ask for fewer of them`);
  }
  const message = encodeMessage('appscode.swift.v2.GetChartResponse', { ...wanted, files: all.map(toFile) });
  const icon = map.get('icon');
  const iconName = typeof icon === 'string' ? icon : '';
  return {
    message: parts.includes('chart') ? Buffer.concat([message, chartField(goJson(map))]) : message,
    icon: iconName,
    iconFile: parts.includes('icon') ? fileNamed(files, iconName.replace(/^\.\//, '')) : undefined,
  };
}

/** Where an archive has a file twice the later one counts, as it does where it is unpacked. */
function fileNamed(files: readonly ChartFile[], wanted: string): Uint8Array | undefined {
  return files.findLast(({ name }) => name === wanted)?.data;
}

function toFile({ name, data }: ChartFile): Partially<SwiftChartFile> {
  const text = data.includes(0) ? undefined : decodeUtf8(data);
  return text === undefined ? { name, data } : { name, text };
}

const chartNumber = messageType('appscode.swift.v2.GetChartResponse').byName.get('chart')!.number;

function chartField(json: string): Buffer {
  const struct = jsonToWire(messageType('google.protobuf.Struct'), Buffer.from(json));
  return new WireWriter(struct.length + 16).bytesField(chartNumber, struct).finish();
}
