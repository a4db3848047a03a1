import { invalidArgument } from '../../protocol/index.ts';
import { decodeUtf8 } from '../chart/chart-yaml.ts';
import { digestPattern } from './reference.ts';

/** A blob of a registry, as a manifest names it. */
export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:…` */
  readonly digest: string;
  readonly size: number;
}

export interface ChartManifest {
  /** Chart.yaml as JSON. */
  readonly config: Descriptor;
  /** The packed chart. */
  readonly chart: Descriptor;
  readonly provenance: Descriptor | undefined;
}

/** Charts have manifests of a kilobyte; a registry takes up to 4 MiB. */
export const maxManifestBytes = 1024 * 1024;
const maxDescriptors = 100;

export const manifestTypes = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
] as const;
const configType = 'application/vnd.cncf.helm.config.v1+json';
const chartType = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
/** What Helm wrote before it had a type of its own (3.0 to 3.6). */
const oldChartType = 'application/tar+gzip';
const provenanceType = 'application/vnd.cncf.helm.chart.provenance.v1.prov';

/**
 * Reads a manifest, or an index of manifests.
 * @returns the chart's parts, or the manifest of the index that is the chart's
 * @throws GatewayError INVALID_ARGUMENT for what is no manifest of a chart; `where` is put in front
 */
export function parseManifest(bytes: Uint8Array, where: string): ChartManifest | Descriptor {
  const json = parseJson(bytes, where);
  if (Array.isArray(json.layers)) return readManifest(json, where);
  if (Array.isArray(json.manifests)) return chooseManifest(json.manifests, where);
  throw invalidArgument(`${where}: is neither a manifest nor an index of manifests`);
}

type Json = Readonly<Record<string, unknown>>;

/** @throws GatewayError INVALID_ARGUMENT when it is no JSON object; the text is not repeated */
export function parseJson(bytes: Uint8Array, where: string): Json {
  try {
    const value: unknown = JSON.parse(decodeUtf8(bytes) ?? '');
    if (isObject(value)) return value;
  } catch {
    // nothing of an answer is shown
  }
  throw invalidArgument(`${where}: the registry answered what is no JSON object`);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readManifest({ config: given, layers }: Json, where: string): ChartManifest {
  const config = readDescriptor(given, where);
  if (config.mediaType !== configType)
    throw invalidArgument(`${where}: is no Helm chart, but another artifact`);
  const descriptors = readDescriptors(layers as unknown[], where);
  const charts = descriptors.filter(({ mediaType }) => mediaType === chartType || mediaType === oldChartType);
  const [chart, another] = charts;
  if (!chart || another) {
    throw invalidArgument(`${where}: has ${charts.length} layers that are a packed chart, not one`);
  }
  return { config, chart, provenance: descriptors.find(({ mediaType }) => mediaType === provenanceType) };
}

/** Of several manifests the one that says it is a chart; the only one may say nothing. */
function chooseManifest(manifests: readonly unknown[], where: string): Descriptor {
  const descriptors = readDescriptors(manifests, where);
  const chart = descriptors.find((_, index) => (manifests[index] as Json).artifactType === configType);
  const chosen = chart ?? (descriptors.length === 1 ? descriptors[0] : undefined);
  if (!chosen) throw invalidArgument(`${where}: is an index in which no manifest is a Helm chart`);
  return chosen;
}

function readDescriptors(values: readonly unknown[], where: string): Descriptor[] {
  if (values.length > maxDescriptors) {
    throw invalidArgument(`${where}: names more than ${maxDescriptors} layers or manifests`);
  }
  return values.map(value => readDescriptor(value, where));
}

function readDescriptor(value: unknown, where: string): Descriptor {
  const { mediaType, digest, size } = isObject(value) ? value : {};
  if (typeof digest !== 'string' || !digestPattern.test(digest)) {
    throw invalidArgument(`${where}: names a digest that is not sha256: and 64 hexadecimal digits`);
  }
  if (!Number.isSafeInteger(size) || Number(size) < 0)
    throw invalidArgument(`${where}: names a size that is none`);
  return { mediaType: String(mediaType), digest, size: Number(size) };
}
