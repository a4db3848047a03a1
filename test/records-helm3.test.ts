/** Records of Helm 3.17.3 and 4.1.4 beside what those programs printed of them (test/conformance/helm3). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { load } from 'js-yaml';
import type { RecordObject } from '../src/backends/records/decode-record.ts';
import { decodeRecord } from '../src/backends/records/decode-record.ts';
import { helm3ToRelease } from '../src/backends/records/helm3-release.ts';
import { decodeMessage, type Release, type Timestamp } from '../src/codec/index.ts';
import { conformanceFolder, readLines } from './support/recording.ts';

interface Step {
  readonly id: string;
  readonly stdout: string;
}

/** Helm's names of the states. */
const states: Readonly<Record<string, string>> = {
  DEPLOYED: 'deployed',
  SUPERSEDED: 'superseded',
  DELETED: 'uninstalled',
};

async function releasesOf(file: string): Promise<Release[]> {
  const { items } = JSON.parse(readFileSync(join(conformanceFolder, 'helm3', file), 'utf8')) as {
    items: RecordObject[];
  };
  const resource = file.includes('configmap') ? 'configmaps' : 'secrets';
  const { signal } = new AbortController();
  return Promise.all(
    items.map(async item =>
      decodeMessage(
        'hapi.release.Release',
        (await decodeRecord(item, { resource, storage: 'helm3', watch: '' }, signal)).whole,
      ),
    ),
  );
}

function text(time: Timestamp | null | undefined): string {
  if (!time) return '';
  const nanos = String(time.nanos).padStart(9, '0').replace(/0+$/, '');
  return `${new Date(time.seconds * 1000).toISOString().slice(0, 19)}${nanos && `.${nanos}`}Z`;
}

/** What Helm prints of a release, made of ours. */
function shown({ version, info, chart }: Release) {
  return {
    revision: version,
    updated: text(info?.last_deployed),
    status: states[info?.status?.code ?? ''],
    chart: `${chart?.metadata?.name}-${chart?.metadata?.version}`,
    app_version: chart?.metadata?.appVersion ?? '',
    description: info?.Description,
  };
}

for (const [cli, file] of [
  ['cli-3.17.jsonl', 'storage-secrets-3.17.json'],
  ['cli-4.1.jsonl', 'storage-secrets-4.1.json'],
] as const) {
  test(`${file} says what the commands of ${cli} printed`, async () => {
    const steps = new Map((readLines(`helm3/${cli}`) as Step[]).map(step => [step.id, step.stdout]));
    const printed = (id: string) => JSON.parse(steps.get(id) || '[]');
    const releases = await releasesOf(file);
    const of = (name: string, version: number) =>
      releases.find(release => release.name === name && release.version === version)!;

    const history = releases.filter(({ name }) => name === 'alpha').sort((a, b) => a.version - b.version);
    // times are compared as such: Helm 4 prints them with the zone in words
    const plain = (entry: { updated: string }) => ({ ...entry, updated: normalTime(entry.updated) });
    assert.deepEqual(history.map(shown).map(plain), printed('history').map(plain));

    // `list` names all of 3's releases here, and Helm 4 has no `-a`
    const list = printed('list') as {
      name: string;
      revision: string;
      namespace: string;
      updated: string;
    }[];
    const kept = list.filter(({ name, revision }) => name !== 'described' && of(name, Number(revision)));
    assert.equal(kept.length, 5);
    for (const entry of kept) {
      const release = of(entry.name, Number(entry.revision));
      const { description: _, ...rest } = shown(release);
      const ours = {
        name: release.name,
        namespace: release.namespace,
        ...rest,
        revision: String(rest.revision),
      };
      assert.deepEqual(plain(ours), plain(entry), entry.name);
    }

    const second = of('alpha', 2);
    const status = printed('status-revision');
    assert.equal(second.manifest, status.manifest);
    assert.equal(second.info?.status?.notes, status.info.notes);
    assert.deepEqual(load(second.config?.raw ?? ''), printed('get-values'));
    assert.deepEqual(load(second.config?.raw ?? ''), status.config);
    const last = of('alpha', 5);
    assert.equal(last.config?.raw, '');
    assert.deepEqual(load(last.chart?.values?.raw ?? ''), printed('get-values-all'));
    assert.equal(`${last.manifest}\n`.trim(), steps.get('get-manifest')?.trim());
    assert.equal(`NOTES:\n${last.info?.status?.notes}`.trim(), steps.get('get-notes')?.trim());

    const hooked = of('hooked', 1);
    const hooks = hooked.hooks.map(({ path, manifest }) => `---\n# Source: ${path}\n${manifest}\n`).join('');
    assert.equal(hooks.trim(), steps.get('get-hooks')?.trim());
    assert.deepEqual(
      hooked.hooks.map(({ name, kind, weight, events, delete_policies: policies }) => [
        name,
        kind,
        weight,
        events,
        policies,
      ]),
      [
        ['hooked-after', 'ConfigMap', 0, ['POST_INSTALL', 'POST_UPGRADE', 'POST_ROLLBACK'], ['SUCCEEDED']],
        ['hooked-before', 'ConfigMap', 5, ['PRE_INSTALL', 'PRE_UPGRADE'], ['BEFORE_HOOK_CREATION']],
        ['hooked-check', 'Pod', 0, ['RELEASE_TEST_SUCCESS'], []],
      ],
    );
    const gone = of('described', 1);
    assert.equal(gone.info?.status?.code, 'DELETED');
    assert.equal(text(gone.info?.deleted), normalTime(printed('status-uninstalled').info.deleted));
  });
}

/** `2026-11-26 15:20:07.20760071 +0000 UTC` as RFC 3339. */
function normalTime(time: string): string {
  return time.replace(/^(\S+) (\S+) \+0000 UTC$/, '$1T$2Z');
}

test('the ConfigMap driver has base64 once', async () => {
  const [release] = await releasesOf('storage-configmap.json');
  assert.deepEqual([release?.name, release?.namespace, release?.version], ['conf', 'team-a', 1]);
});

test('a record of few bytes that unpacks to millions of values costs itself', async () => {
  const head = '"name":"a","version":1,"namespace":"team","info":{"status":"deployed"}';
  const read = async (json: string) => {
    const data = { release: Buffer.from(gzipSync(json).toString('base64')).toString('base64') };
    const metadata = { name: 'sh.helm.release.v1.a.v1', namespace: 'team' };
    const source = { resource: 'secrets', storage: 'helm3', watch: 'helm3-secrets' } as const;
    return decodeRecord({ metadata, data }, source, new AbortController().signal);
  };
  const many = { code: 3, message: 'data.release has over 250000 values' };
  for (const [json, error] of [
    [`{${head},"chart":{"metadata":{"keywords":[${'"",'.repeat(3e6)}""]}}}`, many],
    [`{${head},"hooks":[${'{},'.repeat(3e6)}{}]}`, many],
    [`{${head},"config":{"a":[${'1,'.repeat(3e6)}1]}}`, many],
    [`{${head},"config":{"a":[${'[[[[]]]],'.repeat(1e5)}1]}}`, many],
    ['{"a":'.repeat(2e6), { code: 3, message: 'data.release nests deeper than 1000' }],
    [
      `{${head},"chart":{"metadata":{"keywords":[${'"aaaaaaa",'.repeat(120_000)}""]}}}`,
      { code: 3, message: 'the notes and the metadata of the chart are over 1 MiB' },
    ],
  ] as const)
    await assert.rejects(read(json), error);
  // signs in a text are no values, and a large record is read in a thread as a small one is here
  const text = String.raw`[{,\\\"`.repeat(100_000);
  const json = `{${head},"chart":{"metadata":{"name":"c"}},"config":{"a":"${text}b"},"manifest":"${text}"}`;
  const { whole, revision } = await read(json);
  assert.deepEqual(whole, helm3ToRelease(Buffer.from(json)));
  assert.equal(revision.chartName, 'c');
});

test('of all that come at once two are read, while those of Helm 2 have no turn to wait for', async () => {
  const { items } = JSON.parse(
    readFileSync(join(conformanceFolder, 'helm3', 'storage-secrets-3.17.json'), 'utf8'),
  ) as { items: RecordObject[] };
  const begun: string[] = [];
  const read = (item: RecordObject, storage: 'helm2' | 'helm3') => {
    const object = {
      metadata: item.metadata,
      get data() {
        begun.push(storage);
        return item.data!;
      },
    };
    const source = { resource: 'secrets', storage, watch: storage } as const;
    return decodeRecord(object, source, new AbortController().signal);
  };
  const all = items.slice(0, 8).map(item => read(item, 'helm3'));
  const other = read(items[0]!, 'helm2');
  assert.deepEqual(begun, ['helm3', 'helm3', 'helm2']);
  await assert.rejects(other);
  assert.equal((await Promise.all(all)).length, 8);
  assert.equal(begun.length, 9);
});

test('values keep their types and their digits; what is no release is refused, or is at its default', () => {
  const toRelease = (record: object | string) => {
    const json = typeof record === 'string' ? record : JSON.stringify(record);
    return decodeMessage('hapi.release.Release', helm3ToRelease(Buffer.from(json)));
  };
  const values = toRelease('{"config":{"b":12345678901234567890,"a":1.0,"c":"yes","d":[1,{"x":null}]}}')
    .config?.raw;
  assert.equal(values, 'a: 1\nb: 12345678901234567890\nc: "yes"\nd:\n- 1\n- x: null\n');
  for (const junk of [
    7,
    [],
    null,
    '"a"',
    { name: {}, info: [], chart: 1, hooks: [1], version: 'x', config: [] },
  ]) {
    const release = toRelease(junk as object);
    assert.deepEqual([release.name, release.version, release.config?.raw], ['', 0, '']);
  }
  assert.throws(() => toRelease('{'), { code: 3, message: 'data.release is not JSON' });
  const deep = `{"config":${'{"a":'.repeat(200)}1${'}'.repeat(200)}}`;
  assert.throws(() => toRelease(deep), { code: 3, message: 'values nest deeper than 100' });
});
