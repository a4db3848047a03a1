/**
 * What clients of records build on, held to by the sandbox's API and, where KUBEBUILDER_ASSETS names a folder with etcd
 * and kube-apiserver, by a real one.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { ObjectWatch } from '../src/kubernetes/index.ts';
import { createSandboxKubernetes } from '../src/sandbox/index.ts';
import { sharedCertificate } from './support/certificates.ts';
import { startEnvKubernetes, withoutEnvKubernetes } from './support/env-kubernetes.ts';
import { eventually } from './support/eventually.ts';
import {
  askKube,
  type KubeAddress,
  type KubeAnswer,
  type KubeRequest,
  KubeWatch,
} from './support/kube-client.ts';

interface Server extends KubeAddress, AsyncDisposable {
  /** Lets it forget all versions but the last. */
  forgetHistory(): void | Promise<void>;
}

async function startSandbox(): Promise<Server> {
  const kubernetes = await createSandboxKubernetes({
    tillerTarget: { path: '/none' },
    certificate: await sharedCertificate(),
  });
  const { url, caPem, token } = kubernetes;
  const forgetHistory = () => kubernetes.misbehave.forgetHistory();
  return { url, caPem, token, forgetHistory, [Symbol.asyncDispose]: () => kubernetes.close() };
}

for (const [title, start, skip] of [
  ["the sandbox's API server", startSandbox, false],
  ['a real API server', startEnvKubernetes, withoutEnvKubernetes],
] as const) {
  describe(title, { skip, timeout: 120_000 }, () => {
    let server: Server;
    before(async () => {
      server = await start();
    });
    after(() => server?.[Symbol.asyncDispose]());
    defineCases(() => server);
  });
}

/** A namespace of its own, with a few requests to its ConfigMaps. */
async function stage(server: KubeAddress) {
  const namespace = `ns-${randomBytes(4).toString('hex')}`;
  const expect = async (status: number, asked: KubeRequest): Promise<KubeAnswer['body']> => {
    const answer = await askKube(server, asked);
    assert.equal(answer.status, status, JSON.stringify(answer.body).slice(0, 500));
    return answer.body;
  };
  await expect(201, { method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } });
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  return {
    path,
    expect,
    create: (name: string, labels: object = {}, data: object = { a: '1' }) =>
      expect(201, { method: 'POST', path, body: { metadata: { name, labels }, data } }),
    remove: (name: string) => expect(200, { method: 'DELETE', path: `${path}/${name}` }),
    patch: (name: string, type: string, body: unknown, status = 200) =>
      expect(status, { method: 'PATCH', path: `${path}/${name}`, type: `application/${type}+json`, body }),
    list: (query = '') => expect(200, { path: `${path}?${query}` }),
    watch: (query: string) => KubeWatch.open(server, `${path}?watch=true&${query}`),
  };
}

/** Names in a list, but for what a real cluster puts into each namespace. */
function namesOf(list: KubeAnswer['body']): string[] {
  const names: string[] = list.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);
  return names.filter(name => name !== 'kube-root-ca.crt');
}

function defineCases(server: () => Server): void {
  test('a watch that begins where a list ended misses nothing and repeats nothing', async () => {
    const { create, remove, patch, list, watch } = await stage(server());
    await create('a', { owner: 'x' });
    const { metadata } = await list();
    await create('b', { owner: 'x' });
    await using events = await watch(`resourceVersion=${metadata.resourceVersion}&labelSelector=owner%3Dx`);
    await patch('a', 'merge-patch', { data: { a: '2' } });
    await patch('b', 'merge-patch', { metadata: { labels: { owner: 'y' } } });
    await remove('a');
    const seen = await events.take(4);
    assert.deepEqual(
      seen.map(({ type, object }) => `${type} ${object.metadata.name}`),
      ['ADDED b', 'MODIFIED a', 'DELETED b', 'DELETED a'],
    );
    const versions = seen.map(({ object }) => Number(object.metadata.resourceVersion));
    assert.deepEqual(
      versions,
      versions.toSorted((a, b) => a - b),
    );
    await using resumed = await watch(`resourceVersion=${versions[1]}&labelSelector=owner%3Dx`);
    assert.deepEqual(await resumed.take(2), seen.slice(2));
  });

  test('a long list as release records are read: those that are needed first, then all, long texts as bytes', async t => {
    const { create, remove, path } = await stage(server());
    const names = Array.from({ length: 45 }, (_, index) => `r${index + 10}`);
    const release = 'H4sI'.repeat(10_000);
    for (const [index, name] of names.entries())
      await create(name, { OWNER: 'x', STATUS: index % 10 === 0 ? 'DEPLOYED' : 'SUPERSEDED' }, { release });
    const { url, caPem, token } = server();
    const settings = {
      server: url,
      headers: { authorization: `Bearer ${token}` },
      tls: { ca: caPem },
      agent: undefined,
    };
    const seen: string[] = [];
    let bytes = 0;
    const watch = new ObjectWatch<{
      metadata: { name: string; namespace: string };
      data: { release: Buffer };
    }>({
      access: { settings: async () => settings, forget: () => {} },
      path,
      labelSelector: 'OWNER=x',
      firstSelector: 'OWNER=x,STATUS!=SUPERSEDED',
      bytesKey: 'release',
      step: 'listing',
      handler: {
        listed: async ({ metadata, data }) => {
          seen.push(metadata.name);
          if (data.release.equals(Buffer.from(release))) bytes++;
        },
        begun: () => void seen.push('begun'),
        complete: all => void seen.push(`complete ${all.size}`),
        changed: async () => {},
        deleted: ({ metadata }) => void seen.push(`deleted ${metadata.name}`),
        failed: error => void seen.push(error.message),
      },
    });
    t.after(() => watch.close());
    await eventually(() => watch.state.isListed);
    await remove('r10');
    await eventually(() => seen.at(-1) === 'deleted r10');
    assert.deepEqual(seen, [
      'r10',
      'r20',
      'r30',
      'r40',
      'r50',
      'begun',
      ...names,
      'complete 45',
      'deleted r10',
    ]);
    assert.equal(bytes, 50);
  });

  test('a watch without a version begins with what is there', async () => {
    const { create, watch } = await stage(server());
    await create('a', { owner: 'x' });
    await create('b', { owner: 'x' });
    await using events = await watch('labelSelector=owner%3Dx');
    const names = (await events.take(2)).map(({ type, object }) => `${type} ${object.metadata.name}`);
    assert.deepEqual(names.sort(), ['ADDED a', 'ADDED b']);
  });

  test('a watch ends after its time', async () => {
    const { create, list, watch } = await stage(server());
    await create('a');
    const { metadata } = await list();
    await using events = await watch(`resourceVersion=${metadata.resourceVersion}&timeoutSeconds=1`);
    assert.equal(await events.next(), undefined);
  });

  test('a version that is forgotten is 410: as an event of a watch, as the answer to a page', async () => {
    const { create, path, list, watch, expect } = await stage(server());
    for (const name of ['a', 'b', 'c']) await create(name, { paged: 'yes' });
    const query = 'limit=2&labelSelector=paged%3Dyes';
    const { metadata } = await list(query);
    await create('d', { paged: 'yes' });
    await create('e', { paged: 'yes' });
    await server().forgetHistory();
    await using events = await watch(`resourceVersion=${metadata.resourceVersion}`);
    const event = await events.next();
    assert.equal(event?.type, 'ERROR');
    assert.deepEqual([event?.object.code, event?.object.reason], [410, 'Expired']);
    assert.equal(await events.next(), undefined);
    const gone = await expect(410, { path: `${path}?${query}&continue=${metadata.continue}` });
    assert.equal(gone.reason, 'Expired');
    assert.match(
      gone.message,
      /^The provided continue parameter is too old to display a consistent list result/,
    );
    const rest = await list(`${query}&continue=${gone.metadata.continue}`);
    assert.deepEqual(namesOf(rest), ['c', 'd']);
  });

  test('pages show one state, whatever changes between them', async () => {
    const { create, remove, list } = await stage(server());
    for (const name of ['a', 'b', 'c', 'd', 'e']) await create(name, { paged: 'yes' });
    const query = 'limit=2&labelSelector=paged%3Dyes';
    const first = await list(query);
    assert.deepEqual(namesOf(first), ['a', 'b']);
    await remove('c');
    await create('cc', { paged: 'yes' });
    const second = await list(`${query}&continue=${first.metadata.continue}`);
    assert.deepEqual(namesOf(second), ['c', 'd']);
    assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
    const third = await list(`${query}&continue=${second.metadata.continue}`);
    assert.deepEqual(namesOf(third), ['e']);
    assert.equal(third.metadata.continue, undefined);
    assert.deepEqual(namesOf(await list('labelSelector=paged%3Dyes')), ['a', 'b', 'cc', 'd', 'e']);
  });

  test('a write for another version than the stored one is 409', async () => {
    const { create, expect, path, patch } = await stage(server());
    const made = await create('a');
    await patch('a', 'merge-patch', { data: { a: '2' } });
    const put = { method: 'PUT', path: `${path}/a`, body: { ...made, data: { a: '3' } } };
    assert.equal((await expect(409, put)).reason, 'Conflict');
    const { resourceVersion: _version, ...metadata } = made.metadata;
    assert.deepEqual((await expect(200, { ...put, body: { ...put.body, metadata } })).data, { a: '3' });
  });

  test('what changes nothing makes no version', async () => {
    const { create, patch } = await stage(server());
    const made = await create('a');
    const same = await patch('a', 'merge-patch', { data: { a: '1' } });
    assert.equal(same.metadata.resourceVersion, made.metadata.resourceVersion);
  });

  test('patches: JSON, merge, strategic', async () => {
    const { create, patch } = await stage(server());
    await create('a', { x: 'y' });
    assert.deepEqual((await patch('a', 'merge-patch', { data: { a: null, b: '2' } })).data, { b: '2' });
    const operations = [
      { op: 'test', path: '/data/b', value: '2' },
      { op: 'move', from: '/data/b', path: '/data/c' },
      { op: 'add', path: '/metadata/labels/k~1l', value: 'v' },
    ];
    const moved = await patch('a', 'json-patch', operations);
    assert.deepEqual(moved.data, { c: '2' });
    assert.deepEqual(moved.metadata.labels, { x: 'y', 'k/l': 'v' });
    const strategic = {
      metadata: { labels: { x: null }, finalizers: [] },
      data: { $patch: 'replace', d: '4' },
    };
    const replaced = await patch('a', 'strategic-merge-patch', strategic);
    assert.deepEqual(replaced.data, { d: '4' });
    assert.deepEqual(replaced.metadata.labels, { 'k/l': 'v' });
    await patch('a', 'json-patch', [{ op: 'test', path: '/data/d', value: '5' }], 422);
    await patch('a', 'json-patch', [{ op: 'remove', path: '/data/none' }], 422);
    await patch('a', 'nosuch-patch', {}, 415);
  });

  test('strategic merge knows the lists of a Deployment', async () => {
    const { path, expect } = await stage(server());
    const deployments = path.replace('/api/v1/', '/apis/apps/v1/').replace('configmaps', 'deployments');
    const container = {
      name: 'a',
      image: 'x:1',
      ports: [{ containerPort: 80 }],
      env: [{ name: 'X', value: '1' }],
    };
    const template = { metadata: { labels: { app: 'w' } }, spec: { containers: [container] } };
    const spec = { selector: { matchLabels: { app: 'w' } }, template };
    await expect(201, { method: 'POST', path: deployments, body: { metadata: { name: 'w' }, spec } });
    const patchTo = async (containers: object, more: object = {}) => {
      const patched = { spec: { template: { spec: { containers, ...more } } } };
      const type = 'application/strategic-merge-patch+json';
      const answer = await expect(200, { method: 'PATCH', path: `${deployments}/w`, type, body: patched });
      return answer.spec.template.spec;
    };
    const added = await patchTo([
      { name: 'b', image: 'y:1' },
      { name: 'a', ports: [{ containerPort: 81 }], env: [{ name: 'Y', value: '2' }] },
    ]);
    const outline = (pod: KubeAnswer['body']) =>
      pod.containers.map(
        ({ name, ports = [], env = [] }: KubeAnswer['body']) =>
          `${name} ${ports.map(({ containerPort }: KubeAnswer['body']) => containerPort)} ${env.map((each: KubeAnswer['body']) => each.name)}`,
      );
    assert.deepEqual(outline(added), ['b  ', 'a 81,80 Y,X']);
    const ordered = await patchTo([{ name: 'a', image: 'x:2' }], {
      '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }],
    });
    assert.deepEqual(outline(ordered), ['a 81,80 Y,X', 'b  ']);
    const removed = await patchTo([{ name: 'b', $patch: 'delete' }]);
    assert.deepEqual(outline(removed), ['a 81,80 Y,X']);
  });

  test('a ConfigMap above 1 MiB is refused, a body above 3 MiB as well', async () => {
    const { path, expect } = await stage(server());
    const body = (bytes: number) => ({ metadata: { name: 'large' }, data: { a: 'x'.repeat(bytes) } });
    const { message } = await expect(422, { method: 'POST', path, body: body(1024 * 1024 + 1) });
    assert.match(
      message,
      /^ConfigMap "large" is invalid: \[\]: Too long: must have at most 1048576 (bytes|characters)$/,
    );
    const large = await expect(413, { method: 'POST', path, body: body(3 * 1024 * 1024) });
    assert.equal(large.message, 'Request entity too large: limit is 3145728');
    await expect(201, { method: 'POST', path, body: body(1024 * 1024) });
  });
}
