/** A hundred clusters in this process, reached by all three kinds of upstream through one gateway. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type SandboxKubernetes, startSandboxTiller } from '../src/sandbox/index.ts';
import { eventually } from './support/eventually.ts';
import { startTestGateway } from './support/gateway.ts';
import { createFolder, type HubStage, startCluster, startHub } from './support/hub-stage.ts';

const count = 100;
const kinds = ['tunnel', 'gateway', 'direct'] as const;
const kindOf = (index: number) => kinds[index % kinds.length] ?? 'direct';
const nameOf = (index: number) => `c${String(index).padStart(2, '0')}`;
const indexes = Array.from({ length: count }, (_, index) => index);

const cleanups: (() => unknown)[] = [];
const owner = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };
const tunnelled: SandboxKubernetes[] = [];
let hub: HubStage;

/** Starts a cluster and gives its entry in the clusters file. */
async function startOne(index: number, folder: string): Promise<string> {
  const upstream = kindOf(index);
  const tiller = await startSandboxTiller();
  owner.after(() => tiller.stop());
  if (upstream === 'direct')
    return `- {name: ${nameOf(index)}, upstream: direct, endpoint: "${tiller.address}"}`;
  const kubernetes = await startCluster(owner, Number(tiller.address.split(':')[1]), {
    gatewayService: upstream === 'gateway',
  });
  if (upstream === 'tunnel') tunnelled.push(kubernetes);
  else {
    const member = await startTestGateway(tiller.address);
    owner.after(() => member[Symbol.asyncDispose]());
    kubernetes.setGateway({ host: '127.0.0.1', port: Number(new URL(member.url).port) });
  }
  await kubernetes.writeKubeconfig(`${folder}/${nameOf(index)}.kubeconfig`);
  // every other one is left to be found
  const named = index % 2 === 0 ? `, upstream: ${upstream}` : '';
  return `- {name: ${nameOf(index)}${named}, kubeconfig: ${nameOf(index)}.kubeconfig}`;
}

before(async () => {
  const folder = createFolder(owner);
  const entries = await Promise.all(indexes.map(index => startOne(index, folder.folder)));
  hub = await startHub(owner, folder, `clusters:\n${entries.join('\n')}\n`, ['--cluster-timeout=30s']);
});

after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

interface Listed {
  count?: string;
  total?: string;
  releases?: { cluster?: string; name: string; namespace: string }[];
  clusters?: { cluster: string; ok: boolean; count?: string; error?: { message: string } }[];
}

async function get<T = Listed>(path: string, headers: Record<string, string> = {}): Promise<T> {
  const response = await fetch(hub.url + path, { headers });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as T;
}

function install(cluster: string, release: string): Promise<Response> {
  const manifest = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n';
  return fetch(`${hub.url}/clusters/${cluster}/tiller/v2/releases/${release}/json`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      namespace: cluster,
      chart: {
        metadata: { name: 'one', version: '1.0.0' },
        templates: [{ name: 'templates/map.yaml', data: Buffer.from(manifest).toString('base64') }],
      },
    }),
  });
}

describe('a hundred clusters', () => {
  test('are opened by nobody before they are asked for', async () => {
    const { clusters } = await get<{ clusters: { state: string }[] }>('/clusters');
    assert.equal(clusters.length, count);
    assert.ok(clusters.every(({ state }) => state === 'idle'));
  });

  test('are opened by what is asked of them, all at once', async () => {
    const isOpen = async (index: number) => {
      const answer = await fetch(`${hub.url}/clusters/${nameOf(index)}/tiller/v2/version/json`);
      await answer.arrayBuffer();
      return answer.status === 200;
    };
    // again where it failed: on a busy machine opening one may take longer than its 10 s
    await Promise.all(
      indexes.map(index => eventually(() => isOpen(index), { timeoutMs: 90_000, everyMs: 500 })),
    );
  });

  test('each take a release of their own, all at once', async () => {
    const answers = await Promise.all(
      indexes.map(index => install(nameOf(index), `app-${count - 1 - index}`)),
    );
    const failures = answers.filter(({ status }) => status !== 200);
    assert.deepEqual(await Promise.all(failures.map(answer => answer.text())), []);
    await Promise.all(answers.map(answer => answer.arrayBuffer()));
  });

  test('are ready then, by the upstream that was named or chosen', async () => {
    type Report = { name: string; upstream: string; state: string; tiller: string; round_trip_ms: number };
    const { clusters } = await get<{ clusters: Report[] }>('/clusters?check');
    assert.deepEqual(
      clusters.map(({ name, upstream, state, tiller }) => ({ name, upstream, state, tiller })),
      indexes.map(index => ({
        name: nameOf(index),
        upstream: kindOf(index),
        state: 'ready',
        tiller: 'v2.17.0',
      })),
    );
    assert.ok(clusters.every(({ round_trip_ms: roundTripMs }) => roundTripMs > 0));
    assert.ok(tunnelled.every(({ openTunnels }) => openTunnels === 1));
  });

  test('each list their own release and no other', async () => {
    const lists = await Promise.all(
      indexes.map(index => get(`/clusters/${nameOf(index)}/tiller/v2/releases/json`)),
    );
    for (const [index, { releases }] of lists.entries()) {
      assert.deepEqual(
        releases?.map(({ name, namespace }) => [name, namespace]),
        [[`app-${count - 1 - index}`, nameOf(index)]],
      );
    }
  });

  test('are listed together, sorted and limited over all', async () => {
    const all = await get('/clusters/-/tiller/v2/releases/json');
    assert.equal(all.count, String(count));
    assert.equal(all.total, String(count));
    const names = all.releases?.map(({ name }) => name) ?? [];
    assert.deepEqual(names, [...names].sort());
    assert.ok(all.releases?.every(({ cluster, namespace }) => cluster === namespace));
    assert.deepEqual(
      all.clusters?.map(({ cluster, ok, count }) => [cluster, ok, count]),
      indexes.map(index => [nameOf(index), true, '1']),
    );
    const some = await get('/clusters/-/tiller/v2/releases/json?limit=3&sort_order=DESC&filter=^app-1');
    assert.deepEqual(
      some.releases?.map(({ cluster, name }) => [cluster, name]),
      [
        ['c80', 'app-19'],
        ['c81', 'app-18'],
        ['c82', 'app-17'],
      ],
    );
    assert.equal(some.total, '11');
  });

  test('can be narrowed down to some', async () => {
    const some = await get('/clusters/-/tiller/v2/releases/json?cluster=c07&cluster=c02');
    assert.deepEqual(
      some.clusters?.map(({ cluster }) => cluster),
      ['c07', 'c02'],
    );
    assert.deepEqual(
      some.releases?.map(({ cluster, name }) => [cluster, name]),
      [
        ['c07', 'app-92'],
        ['c02', 'app-97'],
      ],
    );
  });

  test('tell their versions together, and a line each where lines are asked for', async () => {
    const versions = await get<{ clusters: { version: { sem_ver: string } }[] }>(
      '/clusters/-/tiller/v2/version/json',
    );
    assert.ok(versions.clusters.every(({ version }) => version.sem_ver === 'v2.17.0'));
    const response = await fetch(`${hub.url}/clusters/-/tiller/v2/releases/json`, {
      headers: { accept: 'application/x-ndjson' },
    });
    assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
    const lines = (await response.text())
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    assert.deepEqual(lines.map(({ cluster }) => cluster).sort(), indexes.map(nameOf));
    assert.ok(lines.every(({ cluster, releases }) => releases[0].cluster === cluster));
  });

  test('count in the metrics by name', async () => {
    const metrics = await (await fetch(`${hub.url}/metrics`)).text();
    // attempts to open one may have failed, which are series of their own
    const series = metrics.match(/^tiller_gateway_cluster_calls_total\{.*code="OK"\}.*$/gm) ?? [];
    assert.equal(series.length, count);
    assert.ok(series.includes('tiller_gateway_cluster_calls_total{cluster="c42",code="OK"} 3'), series[42]);
    assert.match(metrics, /^tiller_gateway_clusters\{state="ready"\} 100$/m);
    assert.doesNotMatch(metrics, /route="[^"]*c42/);
  });
});
