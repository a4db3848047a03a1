/** A stub Tiller in a process of its own, told by its parent how large its releases are. */
import { encodeMessage } from '../../src/codec/schema.ts';
import { startStubTiller } from '../../test/support/stub-tiller.ts';

/** One release whose chart is about that large, made of templates of 10 KiB that look like templates. */
function releaseOf(name: string, bytes: number) {
  const line = '        - name: {{ .Values.name | quote }}   # a line of a template, 64 bytes\n';
  const template = Buffer.from(line.repeat(Math.ceil(10_240 / line.length)));
  const count = Math.max(1, Math.round((bytes * 0.8) / template.length));
  return {
    name,
    namespace: 'default',
    version: 3,
    info: {
      status: { code: 'DEPLOYED' as const, notes: 'ready' },
      Description: 'Install complete',
      last_deployed: { seconds: 1_600_000_000, nanos: 5 },
    },
    chart: {
      metadata: { name: 'web', version: '1.4.2', description: 'A web server', keywords: ['web'] },
      templates: Array.from({ length: count }, (_, index) => ({
        name: `templates/part-${index}.yaml`,
        data: template,
      })),
      values: { raw: 'replicaCount: 1\n' },
    },
    config: { raw: 'replicaCount: 2\n' },
    manifest: '---\nkind: ConfigMap\nmetadata:\n  name: "x"\n'.repeat(Math.ceil((bytes * 0.2) / 42)),
  };
}

const mebibyte = 1024 * 1024;
const content = encodeMessage('hapi.services.tiller.GetReleaseContentResponse', {
  release: releaseOf('large', mebibyte),
});
const one = releaseOf('release-000', 100 * 1024);

/** A list of that many releases in chunks of 20, as Tiller sends them below its bound on messages. */
function* chunksOf(count: number): Generator<Buffer> {
  for (let start = 0; start < count; start += 20) {
    const releases = Array.from({ length: Math.min(20, count - start) }, (_, index) => ({
      ...one,
      name: `release-${start + index}`,
    }));
    yield encodeMessage('hapi.services.tiller.ListReleasesResponse', { count, total: count, releases });
  }
}

const twoHundred = [...chunksOf(200)];
const stub = await startStubTiller({
  record: false,
  replies: {
    GetReleaseContent: { responses: [content] },
    ListReleases: call => ({ responses: call.request.includes('thousand') ? chunksOf(1000) : twoHundred }),
  },
});
process.send?.({ address: stub.address });
process.once('disconnect', () => process.exit(0));
