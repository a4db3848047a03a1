import type { Chart } from '../../codec/index.ts';
import { invalidArgument } from '../../protocol/index.ts';
import type { YamlValue } from '../../yaml/index.ts';
import { readBoolean, readFields, readList, readText, readTextMap, readTexts } from './chart-fields.ts';
import { readText as readFileText, readYamlMap } from './chart-text.ts';
import type { ChartMetadata } from './loaded-chart.ts';

const fields = {
  name: readText,
  home: readText,
  sources: readTexts,
  version: readText,
  description: readText,
  keywords: readTexts,
  maintainers: readList(readMaintainer),
  engine: readText,
  icon: readText,
  apiVersion: readText,
  condition: readText,
  tags: readText,
  appVersion: readText,
  deprecated: readBoolean,
  tillerVersion: readText,
  annotations: readTextMap,
  kubeVersion: readText,
};

const maintainerFields = { name: readText, email: readText, url: readText };

/**
 * Reads Chart.yaml (chartutil.UnmarshalChartfile of Helm 2.17).
 * @throws GatewayError INVALID_ARGUMENT when it is no YAML map, a field has the wrong type, there is no name, or the apiVersion is not Helm
 * 2's
 */
export function parseChartMetadata(data: Uint8Array): ChartMetadata {
  const map = readYamlMap(readFileText(data, 'Chart.yaml'), 'Chart.yaml');
  const metadata: Partial<ChartMetadata> = readFields(map, fields, 'Chart.yaml');
  const { name } = metadata;
  if (!name) throw invalidArgument('invalid chart (Chart.yaml): name must not be empty');
  checkApiVersion(metadata.apiVersion);
  return { ...metadata, name };
}

/**
 * Helm 2 takes no apiVersion but its own: a chart of Helm 3 would lose its dependencies without a word.
 * @throws GatewayError INVALID_ARGUMENT
 */
export function checkApiVersion(apiVersion: string | undefined): void {
  if (!apiVersion || apiVersion === 'v1') return;
  throw invalidArgument(`apiVersion '${apiVersion}' is not valid. The value must be "v1"`);
}

/** The same for a chart that a request has ready-made, and all charts in it. */
export function checkApiVersions({ metadata, dependencies }: Chart): void {
  checkApiVersion(metadata?.apiVersion);
  for (const dependency of dependencies) checkApiVersions(dependency);
}

function readMaintainer(value: YamlValue, where: string) {
  if (!(value instanceof Map)) throw invalidArgument(`${where} must be a map`);
  return readFields(value, maintainerFields, where);
}
