import {
  type Chart,
  encodeMessage,
  limits,
  MalformedMessage,
  type Metadata,
  messageType,
  type Partially,
  WireType,
  wireFields,
} from '../../codec/index.ts';
import { invalidArgument, limitExceeded } from '../../protocol/index.ts';
import {
  readBoolean,
  readFields,
  readList,
  readTextMap,
  readTexts,
  readYamlMap,
  textFields,
} from './chart-yaml.ts';

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
  /** `application` or `library`, which Helm 3 knows and Helm 2 does not. */
  readonly type?: string | undefined;
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

/** A chart that is a message already, for a look at its values and schemas. */
export function messageToChart({ metadata, values, files, dependencies }: Chart): LoadedChart {
  return {
    metadata: { ...metadata, name: metadata?.name ?? '' } as ChartMetadata,
    templates: [],
    dependencies: dependencies.map(messageToChart),
    values: values?.raw,
    files: files.map(({ type_url: name, value: data }) => ({ name, data })),
  };
}

const maintainerFields = textFields('name', 'email', 'url');
const fields = {
  ...textFields(
    'name',
    'home',
    'version',
    'description',
    'engine',
    'icon',
    'apiVersion',
    'condition',
    'tags',
  ),
  ...textFields('appVersion', 'tillerVersion', 'kubeVersion'),
  sources: readTexts,
  keywords: readTexts,
  maintainers: readList((value, where) => readFields(value, maintainerFields, where)),
  deprecated: readBoolean,
  annotations: readTextMap,
};

/**
 * Reads Chart.yaml (chartutil.UnmarshalChartfile of Helm 2.17), and the chart's type.
 * @throws GatewayError INVALID_ARGUMENT when it is no YAML map, a field has the wrong type, there is no name, or an apiVersion not of Helm 2
 */
export function parseChartFile(data: Uint8Array): {
  readonly metadata: ChartMetadata;
  readonly type: string | undefined;
} {
  const map = readYamlMap(data, 'Chart.yaml');
  const metadata = readFields(map, fields, 'Chart.yaml');
  const { name } = metadata;
  if (!name) throw invalidArgument('invalid chart (Chart.yaml): name must not be empty');
  const type = map.get('type');
  // before the apiVersion, which a library never has as Helm 2 takes it
  if (type === 'library' && metadata.apiVersion === 'v2')
    throw invalidArgument('library charts are not installable');
  checkApiVersion(metadata.apiVersion);
  return { metadata: { ...metadata, name }, type: typeof type === 'string' ? type : undefined };
}

/**
 * Helm 2 takes no apiVersion but its own: a chart of Helm 3 would lose its dependencies without a word.
 * @throws GatewayError INVALID_ARGUMENT
 */
export function checkApiVersion(apiVersion: string | undefined): void {
  if (!apiVersion || apiVersion === 'v1') return;
  throw invalidArgument(`apiVersion '${apiVersion}' is not valid. The value must be "v1"`);
}

/**
 * The same for a chart that a request has ready-made (hapi.chart.Chart in wire format), and all charts in it. Templates
 * and files, which may be large, are passed over unread.
 * @throws GatewayError INVALID_ARGUMENT, and RESOURCE_EXHAUSTED for a chart of too many fields
 */
export function checkApiVersions(chart: Uint8Array): void {
  try {
    checkChart(chart, 0, chart.length, { nodes: 0, depth: 0 });
  } catch (cause) {
    throw cause instanceof MalformedMessage ? invalidArgument(cause.message, { cause }) : cause;
  }
}

function checkChart(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: { nodes: number; depth: number },
): void {
  const { byName } = messageType('hapi.chart.Chart');
  const apiVersionNumber = messageType('hapi.chart.Metadata').byName.get('apiVersion')?.number;
  if (++count.depth > limits.maxDepth)
    throw invalidArgument(`charts nest deeper than ${limits.maxDepth} in one another`);
  let apiVersion: string | undefined;
  for (const field of wireFields(bytes, start, end)) {
    countField(count);
    if (field.wireType !== WireType.BYTES) continue;
    if (field.number === byName.get('dependencies')?.number)
      checkChart(bytes, field.valueStart, field.end, count);
    if (field.number !== byName.get('metadata')?.number) continue;
    for (const part of wireFields(bytes, field.valueStart, field.end)) {
      countField(count);
      if (part.number === apiVersionNumber)
        apiVersion = Buffer.from(bytes.subarray(part.valueStart, part.end)).toString();
    }
  }
  checkApiVersion(apiVersion);
  count.depth--;
}

function countField(count: { nodes: number }): void {
  if (++count.nodes > limits.maxNodes)
    throw limitExceeded(`the chart has more than ${limits.maxNodes} fields`);
}
