/** Short functions that write Tiller's messages in tests. */
import type { Chart, MessageTypes, Release } from '../../src/codec/messages.gen.ts';
import { decodeMessage, encodeMessage, type Partially } from '../../src/codec/schema.ts';

/** A whole message of what is given; everything else is at its default. */
export function message<Name extends keyof MessageTypes>(
  name: Name,
  given: Partially<MessageTypes[Name]>,
): MessageTypes[Name] {
  return decodeMessage(name, encodeMessage(name, given));
}

/** A chart of these templates, by file name below `templates/`; `values` is its values.yaml. */
export function chartOf(name: string, templates: Record<string, string>, values = ''): Chart {
  return message('hapi.chart.Chart', {
    metadata: { name, version: '1.0.0' },
    templates: Object.entries(templates).map(([file, text]) => ({
      name: `templates/${file}`,
      data: Buffer.from(text),
    })),
    values: { raw: values },
  });
}

/** A ConfigMap's YAML. */
export function configMap(name: string, metadata = ''): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${metadata}`;
}

/** A deployed release of a chart with one ConfigMap of its name. */
export function releaseOf(name: string, version = 1, given: Partially<Release> = {}): Release {
  return message('hapi.release.Release', {
    name,
    version,
    namespace: 'default',
    chart: { metadata: { name: 'c', version: '1.0.0' } },
    manifest: `\n---\n${configMap(name)}`,
    info: {
      status: { code: 'DEPLOYED' },
      first_deployed: { seconds: 1_000 },
      last_deployed: { seconds: 1_000 + version },
    },
    ...given,
  });
}
