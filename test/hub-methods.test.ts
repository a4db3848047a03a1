/** Every method over gRPC, by each upstream, beside the same calls to a gateway that has no hub. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeMessage, encodeMessage, servicesOf } from '../src/codec/index.ts';
import type { MessageTypes } from '../src/codec/messages.gen.ts';
import { startSandboxTiller } from '../src/sandbox/index.ts';
import { startTestGateway } from './support/gateway.ts';
import { createFolder, startCluster, startHub } from './support/hub-stage.ts';
import { callTiller, openTiller, type TillerClient } from './support/tiller-client.ts';

const methods = servicesOf('appscode.swift.v2').flatMap(({ methods }) => methods);

const chart = (text: string) => ({
  metadata: { name: 'one', version: '1.0.0' },
  templates: [
    {
      name: 'templates/map.yaml',
      data: Buffer.from(
        `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  a: "${text}"\n`,
      ),
    },
    {
      name: 'templates/test.yaml',
      data: Buffer.from(
        'apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}-test\n  annotations:\n    helm.sh/hook: test-success\nspec:\n  containers: []\n',
      ),
    },
  ],
  values: { raw: 'a: 1\n' },
  files: [{ type_url: 'files/b.bin', value: Buffer.from([0, 255, 1]) }],
});

/** A life of a release, failures among it. */
const calls: readonly (readonly [string, Record<string, unknown>])[] = [
  ['GetVersion', {}],
  ['InstallRelease', { name: 'a', namespace: 'n', chart: chart('x'), values: { raw: 'b: ü\n' } }],
  ['InstallRelease', { name: 'a', chart: chart('x') }],
  ['InstallRelease', { name: 'b', namespace: 'm' }],
  ['UpdateRelease', { name: 'a', chart: chart('y'), description: 'second' }],
  ['UpdateRelease', { name: 'nope', chart: chart('y') }],
  ['GetReleaseStatus', { name: 'a' }],
  ['GetReleaseStatus', { name: 'a/b?c' }],
  ['GetReleaseContent', { name: 'a', version: 1, format_values_as_json: true }],
  ['GetHistory', { name: 'a', max: 1 }],
  ['GetReleaseManifest', { name: 'a', version: 1 }],
  ['GetReleaseHooks', { name: 'a', namespace: 'n' }],
  ['GetReleaseNotes', { name: 'a' }],
  ['GetReleaseValues', { name: 'a', all: true }],
  ['SummarizeReleases', { status_codes: ['DEPLOYED', 'FAILED'], namespace: 'n' }],
  ['SummarizeReleases', { filter: '(' }],
  ['DiffRevisions', { name: 'a' }],
  ['DiffRelease', { name: 'a', chart: chart('z') }],
  ['GetEnvironment', {}],
  ['RollbackRelease', { name: 'a', version: 1, description: 'back' }],
  ['RunReleaseTest', { name: 'a', cleanup: true }],
  ['RunReleaseTest', { name: 'nope' }],
  ['SearchCharts', {}],
  ['ListChartVersions', { repository: 'nope', name: 'web' }],
  ['GetChartIcon', { repository: 'nope', name: 'web', version: '1.0.0+a' }],
  ['GetChart', { repository: 'nope', name: 'web', version: '1.0.0', parts: ['readme'] }],
  ['ListRepositories', {}],
  ['AddRepository', { name: 'a/b', url: 'https://charts.example' }],
  ['RefreshRepositories', {}],
  ['RefreshRepository', { name: 'nope' }],
  ['ValidateRepository', { name: 'nope' }],
  ['RemoveRepository', { name: 'nope' }],
  ['UploadChart', { archive: Buffer.from('x') }],
  ['ListUploads', {}],
  ['DeleteUpload', { name: 'web', version: '1.0.0' }],
  ['UninstallRelease', { name: 'a', purge: true }],
  ['UninstallRelease', { name: 'a' }],
  ['SummarizeReleases', { all: true }],
  // one that ends; test/watch-*.test.ts have the others
  ['WatchReleases', { filter: '(' }],
];

const cleanups: (() => unknown)[] = [];
const owner = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };
const answers = new Map<string, unknown[]>();

async function startTiller(): Promise<string> {
  const now = () => new Date('2026-01-01T00:00:00.25Z');
  const tiller = await startSandboxTiller({ now });
  owner.after(() => tiller.stop());
  return tiller.address;
}

async function play(client: TillerClient, metadata: Record<string, string>): Promise<unknown[]> {
  const told: unknown[] = [];
  for (const [name, fields] of calls) {
    const method = methods.find(candidate => candidate.name === name)!;
    const request = encodeMessage(method.request.name as keyof MessageTypes, fields as never);
    const answer = await callTiller(client, method.path, request, { metadata });
    const type = method.response.name as keyof MessageTypes;
    told.push({
      name,
      status: answer.status,
      message: answer.message,
      responses: answer.responses.map(response => decodeMessage(type, response)),
    });
  }
  return told;
}

before(async () => {
  const folder = createFolder(owner);
  const tunnel = await startCluster(owner, Number((await startTiller()).split(':')[1]), {
    gatewayService: false,
  });
  await tunnel.writeKubeconfig(`${folder.folder}/tunnel`);
  const member = await startTestGateway(await startTiller());
  owner.after(() => member[Symbol.asyncDispose]());
  const proxy = await startCluster(owner, 9);
  proxy.setGateway({ host: '127.0.0.1', port: Number(new URL(member.url).port) });
  await proxy.writeKubeconfig(`${folder.folder}/proxy`);
  const text = `clusters:
- {name: tunnel, kubeconfig: tunnel}
- {name: proxy, kubeconfig: proxy}
- {name: direct, upstream: direct, endpoint: "${await startTiller()}"}
`;
  const hub = await startHub(owner, folder, text);
  using client = openTiller(`127.0.0.1:${hub.port}`);
  for (const cluster of ['tunnel', 'proxy', 'direct'])
    answers.set(cluster, await play(client, { 'x-cluster': cluster }));
  const alone = await startHub(owner, createFolder(owner), undefined, [
    `--tiller-endpoint=${await startTiller()}`,
  ]);
  using other = openTiller(`127.0.0.1:${alone.port}`);
  answers.set('alone', await play(other, {}));
});

after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

test('every method of the contract is called, and most succeed', () => {
  assert.deepEqual([...new Set(calls.map(([name]) => name))].sort(), methods.map(({ name }) => name).sort());
  const statuses = answers.get('alone')!.map(answer => (answer as { status: number }).status);
  assert.deepEqual(
    statuses,
    [
      0, 0, 6, 3, 0, 5, 0, 3, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 5, 0, 5, 5, 5, 0, 3, 0, 5, 5, 5, 12, 12,
      12, 0, 5, 0, 3,
    ],
  );
});

for (const cluster of ['tunnel', 'proxy', 'direct']) {
  for (const [index, [name]] of calls.entries()) {
    test(`${cluster}: ${name} (${index}) answers as without the hub`, () => {
      const [there, alone] = [cluster, 'alone'].map(place => answers.get(place)?.[index]);
      // where reads come from differs, and is part of this one
      if (name === 'GetEnvironment') assert.equal((there as { status: number }).status, 0);
      else assert.deepEqual(there, alone);
    });
  }
}
