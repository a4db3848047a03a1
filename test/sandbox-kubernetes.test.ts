/** The recorded exchanges with a real API server (1.18.20), played to the sandbox's: it must answer the same. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createSandboxKubernetes } from '../src/sandbox/index.ts';
import { sharedCertificate } from './support/certificates.ts';
import {
  askKube,
  type KubeAddress,
  type KubeAnswer,
  KubeWatch,
  type WatchEvent,
} from './support/kube-client.ts';

interface Exchange {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly type?: string;
  readonly accept?: string;
  readonly body?: unknown;
  readonly response: KubeAnswer;
}

const exchanges: Exchange[] = readFileSync(
  new URL('./conformance/kubernetes/api-1.18.jsonl', import.meta.url),
  'utf8',
)
  .split('\n')
  .filter(line => line !== '')
  .map(line => JSON.parse(line));

const configMaps = '/api/v1/namespaces/rec/configmaps';

function configMap(name: string, labels: object, data: object = { a: '1' }) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data };
}

/** What was done between the recorded exchanges, by the exchange that comes after it. */
const before: Record<string, (address: KubeAddress) => Promise<void>> = {
  async apis(address) {
    await create(address, '/api/v1/namespaces', { metadata: { name: 'rec' } });
    await create(address, '/apis/apiextensions.k8s.io/v1beta1/customresourcedefinitions', {
      metadata: { name: 'apprepositories.kubeapps.com' },
      spec: {
        group: 'kubeapps.com',
        version: 'v1alpha1',
        names: { kind: 'AppRepository', plural: 'apprepositories' },
        scope: 'Namespaced',
      },
    });
  },
  async list(address) {
    await create(address, configMaps, configMap('b1', { app: 'y' }));
    await create(address, configMaps, configMap('b2', { app: 'y' }));
    await create(address, configMaps, configMap('b3', { app: 'y', tier: 'b' }));
    await create(address, configMaps, configMap('b4', { app: 'z' }));
  },
};

async function create(address: KubeAddress, path: string, body: unknown): Promise<void> {
  const { status, body: answer } = await askKube(address, { method: 'POST', path, body });
  assert.equal(status, 201, answer.message);
}

/** What another client did while the recorded watch was open. */
async function changesDuringWatch(address: KubeAddress): Promise<void> {
  const path = `${configMaps}/w1`;
  const type = 'application/merge-patch+json';
  await create(address, configMaps, configMap('w1', { app: 'w' }));
  for (const body of [
    { data: { a: '2' } },
    { metadata: { labels: { app: 'other' } } },
    { metadata: { labels: { app: 'w' } } },
  ]) {
    assert.equal((await askKube(address, { method: 'PATCH', path, type, body })).status, 200);
  }
  assert.equal((await askKube(address, { method: 'DELETE', path })).status, 200);
}

/** Versions and tokens of the recording, and what they are here. */
type Substitutions = Map<string, string>;

function learn(known: Substitutions, recorded: unknown, here: unknown): void {
  if (typeof recorded !== 'object' || typeof here !== 'object' || !recorded || !here) return;
  for (const [key, value] of Object.entries(recorded)) {
    const own: unknown = (here as Record<string, unknown>)[key];
    if ((key === 'resourceVersion' || key === 'continue') && typeof own === 'string') known.set(value, own);
    else learn(known, value, own);
  }
}

function substitute(known: Substitutions, text: string): string {
  return [...known].reduce((changed, [recorded, here]) => changed.replaceAll(recorded, here), text);
}

/** Without what differs from run to run. */
function comparable({ id }: Exchange, { status, type, body }: KubeAnswer): unknown {
  const plain = JSON.parse(JSON.stringify(body), (key, value) => {
    if (key === 'uid' || key === 'selfLink' || key === 'managedFields') return undefined;
    if (key === 'resourceVersion' && typeof value === 'string') return 'a version';
    if (key === 'continue') return 'a token';
    if (key === 'serverAddress') return 'an address';
    if (typeof value !== 'string') return value;
    if (/^\d{4}-\d\d-\d\dT[\d:]+Z$/.test(value)) return 'a time';
    if (/^\d{1,3}s$/.test(value)) return 'an age';
    if (/^gen-[a-z0-9]{5}$/.test(value)) return 'a generated name';
    return value.replace(/\b\d{4,}\b/g, 'N');
  });
  const isInAnyOrder = id === 'watch-from-0'; // a map's order
  return { status, type, body: isInAnyOrder ? plain.toSorted(byObjectName) : plain };
}

function byObjectName(a: WatchEvent, b: WatchEvent): number {
  return a.object.metadata.name < b.object.metadata.name ? -1 : 1;
}

async function play(address: KubeAddress, exchange: Exchange, known: Substitutions): Promise<KubeAnswer> {
  const { method, type, accept, id, response } = exchange;
  const path = substitute(known, exchange.path);
  // versions are learned from the answers; the identity is this object's own
  const text = substitute(known, JSON.stringify(exchange.body ?? null)).replace(/"uid":"[^"]*",/, '');
  const body = exchange.body === undefined ? undefined : JSON.parse(text);
  if (id !== 'watch' && id !== 'watch-from-0') return askKube(address, { method, path, type, accept, body });
  await using watch = await KubeWatch.open(address, path);
  if (id === 'watch') await changesDuringWatch(address);
  return { status: 200, type: 'application/json', body: await watch.take(response.body.length) };
}

test('all recorded exchanges', { timeout: 60_000 }, async t => {
  const kubernetes = await createSandboxKubernetes({
    tillerTarget: { path: '/none' },
    certificate: await sharedCertificate(),
  });
  t.after(() => kubernetes.close());
  const known: Substitutions = new Map();
  assert.equal(exchanges.length, 59);
  for (const exchange of exchanges) {
    await before[exchange.id]?.(kubernetes);
    const answer = await play(kubernetes, exchange, known);
    await t.test(exchange.id, () => {
      assert.deepEqual(comparable(exchange, answer), comparable(exchange, exchange.response));
    });
    learn(known, exchange.response.body, answer.body);
  }
});
