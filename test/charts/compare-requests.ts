import type { Chart } from '../../src/codec/messages.gen.ts';
import { parseYaml, writeYaml } from '../../src/yaml/index.ts';

/**
 * A chart in a form that can be compared as test/conformance/README.md says: the order of files and of dependencies does not
 * matter, and values are compared as YAML where the chart has a requirements.yaml, byte for byte otherwise.
 */
export function comparable(chart: Chart | null): unknown {
  if (!chart) return null;
  const hasRequirements = chart.files.some(file => file.type_url === 'requirements.yaml');
  const raw = chart.values?.raw;
  return {
    metadata: chart.metadata,
    templates: sorted(chart.templates.map(({ name, data }) => [name, hex(data)])),
    files: sorted(chart.files.map(({ type_url, value }) => [type_url, hex(value)])),
    values: hasRequirements && raw !== undefined ? writeYaml(parseYaml(raw)) : raw,
    dependencies: sorted(chart.dependencies.map(comparable)),
  };
}

function hex(data: Uint8Array): string {
  return Buffer.from(data).toString('hex');
}

function sorted(items: unknown[]): unknown[] {
  return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
