/** REST answers from release records beside those through Tiller, of the whole program against the sandbox. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { decodeMessage } from '../src/codec/index.ts';
import { createSandboxKubernetes, type SandboxKubernetes, startSandboxTiller } from '../src/sandbox/index.ts';
import { sharedCertificate } from './support/certificates.ts';
import { eventually } from './support/eventually.ts';
import { askKube } from './support/kube-client.ts';
import { conformanceFolder, readLines } from './support/recording.ts';
import { startGatewayWith, type WholeGateway } from './support/whole-gateway.ts';

interface RecordedRead {
  readonly id: string;
  readonly method: string;
  readonly request: string;
}

const { items } = JSON.parse(readFileSync(join(conformanceFolder, 'records', 'configmaps.json'), 'utf8')) as {
  items: { metadata: { name: string; labels: Record<string, string> }; data: object }[];
};

/** A Tiller that holds the recorded releases, and an API server that holds their records. */
async function stage(t: TestContext): Promise<{ kubernetes: SandboxKubernetes; kubeconfig: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'records-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const item of items)
    await writeFile(join(folder, `${item.metadata.name}.json`), JSON.stringify(item), { mode: 0o600 });
  const tiller = await startSandboxTiller({ folder, report: problem => assert.fail(problem) });
  t.after(() => tiller.stop());
  const [host = '', port] = tiller.address.split(':');
  const kubernetes = await createSandboxKubernetes({
    tillerTarget: { host, port: Number(port) },
    certificate: await sharedCertificate(),
    keepsRecords: true,
  });
  t.after(() => kubernetes.close());
  for (const { metadata, data } of items) {
    const body = { metadata: { name: metadata.name, labels: metadata.labels }, data };
    const path = '/api/v1/namespaces/kube-system/configmaps';
    const { status } = await askKube(kubernetes, { method: 'POST', path, body });
    assert.equal(status, 201);
  }
  const kubeconfig = join(folder, 'kubeconfig');
  await kubernetes.writeKubeconfig(kubeconfig);
  return { kubernetes, kubeconfig };
}

async function ask({ url }: WholeGateway, path: string) {
  const response = await fetch(url + path);
  const reads = response.headers.get('tiller-gateway-reads');
  return { status: response.status, body: await response.text(), reads };
}

/** Waits until reads come from records. */
const fromRecords = (gateway: WholeGateway) =>
  eventually(async () => /; reads from release records/.test((await ask(gateway, '/readyz')).body), {
    everyMs: 100,
  });

function pathOf({ method, request }: RecordedRead): string {
  const bytes = Buffer.from(request, 'base64');
  if (method === 'ListReleases') {
    const { status_codes, ...rest } = decodeMessage('hapi.services.tiller.ListReleasesRequest', bytes);
    const query = new URLSearchParams(
      Object.entries(rest).map(([name, value]): [string, string] => [name, String(value)]),
    );
    for (const code of status_codes) query.append('status_codes', code);
    return `/tiller/v2/releases/json?${query}`;
  }
  if (method === 'GetHistory') {
    const { name, max } = decodeMessage('hapi.services.tiller.GetHistoryRequest', bytes);
    return `/tiller/v2/releases/${encodeURIComponent(name)}/json?max=${max}`;
  }
  const { name, version } = decodeMessage('hapi.services.tiller.GetReleaseContentRequest', bytes);
  return `/tiller/v2/releases/${encodeURIComponent(name)}/content/json?version=${version}`;
}

test('answers from records equal those through Tiller, byte for byte', { timeout: 60_000 }, async t => {
  const { kubeconfig } = await stage(t);
  const flags = ['--connector=kubeconfig', `--kubeconfig=${kubeconfig}`];
  const records = await startGatewayWith(t, [...flags, '--reads=records']);
  const tiller = await startGatewayWith(t, [...flags, '--reads=tiller']);
  await fromRecords(records);
  const paths = (readLines('records/reads.jsonl') as RecordedRead[]).map(pathOf);
  assert.equal(paths.length, 91);
  paths.push('/tiller/v2/releases/json?all=true&limit=-1', '/tiller/v2/releases/json?status_codes=NONE');
  for (const name of ['alpha', 'hotel', 'juliett', 'nope', 'not%20a%20name']) {
    paths.push(`/tiller/v2/releases/${name}/content/json?format_values_as_json=true`);
    for (const version of [0, 1, 99])
      paths.push(`/tiller/v2/releases/${name}/status/json?skip_resources=true&version=${version}`);
  }
  for (const namespace of ['store-a', 'nowhere']) {
    paths.push(`/tiller/v2/releases/alpha/content/json?namespace=${namespace}`);
    paths.push(`/tiller/v2/releases/alpha/json?namespace=${namespace}`);
    paths.push(`/tiller/v2/releases/alpha/status/json?skip_resources=true&namespace=${namespace}`);
  }
  for (const path of paths) {
    const [left, right] = [await ask(records, path), await ask(tiller, path)];
    assert.deepEqual([left.status, left.body], [right.status, right.body], path);
    if (left.status === 400 || path.includes('//')) continue; // refused before anybody is asked
    assert.match(left.reads ?? '', /^records; age=\d+ms$/, path);
    assert.equal(right.reads, 'tiller', path);
  }
});

test('auto reads records where it may, and says why where it does not', { timeout: 60_000 }, async t => {
  const { kubernetes, kubeconfig } = await stage(t);
  const gateway = await startGatewayWith(t, ['--connector=kubeconfig', `--kubeconfig=${kubeconfig}`]);
  await fromRecords(gateway);
  const list = '/tiller/v2/releases/json?limit=1';
  assert.match((await ask(gateway, list)).reads ?? '', /^records; age=\d+ms$/);
  const status = await ask(gateway, '/tiller/v2/releases/alpha/status/json');
  assert.equal(status.reads, 'tiller; reason="the table of resources is made by Tiller (skip_resources)"');
  assert.match(status.body, /"resources":/);
  const short = await ask(gateway, '/tiller/v2/releases/alpha/status/json?skip_resources=true');
  assert.match(short.reads ?? '', /^records/);
  assert.doesNotMatch(short.body, /"resources":/);
  await kubernetes.stop();
  assert.match(
    (await ask(gateway, list)).reads ?? '',
    /^records; age=\d+ms$/,
    'while the API server is away',
  );
});
