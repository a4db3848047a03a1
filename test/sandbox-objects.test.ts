/** The default run's cluster: releases are ConfigMaps in it, and what they make are objects in it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ClusterObjects, createSandboxKubernetes } from '../src/sandbox/index.ts';
import { configMapToRevision } from '../src/sandbox/state/config-map.ts';
import { sharedCertificate } from './support/certificates.ts';
import { eventually } from './support/eventually.ts';
import { askKube, KubeWatch } from './support/kube-client.ts';
import { SandboxClient } from './support/sandbox-client.ts';
import { chartOf, configMap } from './support/tiller-messages.ts';

const bounded = { timeout: 30_000 };
const records = '/api/v1/namespaces/kube-system/configmaps';
const deployments = '/apis/apps/v1/namespaces/default/deployments';

const web = (replicas: string, image = 'web:1') => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "${image}"}]}
`;

async function startBoth(t: TestContext, folder?: string) {
  const objects = new ClusterObjects();
  const kubernetes = await createSandboxKubernetes({
    objects,
    tillerTarget: { path: '/none' },
    certificate: await sharedCertificate(),
  });
  const problems: string[] = [];
  const tiller = await SandboxClient.start({ objects, folder, report: problem => problems.push(problem) });
  t.after(async () => {
    await tiller[Symbol.asyncDispose]();
    await kubernetes.close();
  });
  return { kubernetes, tiller, problems };
}

const installOf = (name: string, text: string) => ({
  name,
  namespace: 'default',
  chart: chartOf('plain', { 'x.yaml': text }),
  values: {},
});

test('a release is a ConfigMap in each of its states, as Tiller writes it', bounded, async t => {
  const { kubernetes, tiller } = await startBoth(t);
  const { body: empty } = await askKube(kubernetes, { path: records });
  const version = empty.metadata.resourceVersion;
  await using watch = await KubeWatch.open(
    kubernetes,
    `${records}?watch=true&resourceVersion=${version}&labelSelector=OWNER%3DTILLER`,
  );
  await tiller.call('InstallRelease', installOf('one', configMap('one-cm')));
  await tiller.call('UninstallRelease', { name: 'one', purge: true });
  const events = await watch.take(4);
  assert.deepEqual(
    events.map(({ type, object }) => `${type} ${object.metadata.name} ${object.metadata.labels.STATUS}`),
    [
      'ADDED one.v1 PENDING_INSTALL',
      'MODIFIED one.v1 DEPLOYED',
      'MODIFIED one.v1 DELETING',
      'DELETED one.v1 DELETING',
    ],
  );
  const { labels } = events[1]!.object.metadata;
  assert.deepEqual(Object.keys(labels).sort(), ['MODIFIED_AT', 'NAME', 'OWNER', 'STATUS', 'VERSION']);
  assert.deepEqual(Object.keys(events[0]!.object.metadata.labels).sort()[0], 'CREATED_AT');
  assert.equal(configMapToRevision(events[1]!.object).status, 'DEPLOYED');
});

test('an upgrade changes the objects, and leaves others’ changes of them', bounded, async t => {
  const { kubernetes, tiller } = await startBoth(t);
  await tiller.call('InstallRelease', installOf('web', web('2')));
  const path = `${deployments}/web`;
  const first = (await askKube(kubernetes, { path })).body;
  assert.equal(first.status.readyReplicas, 2);
  assert.equal(first.spec.template.spec.containers[0].imagePullPolicy, 'IfNotPresent');
  const type = 'application/merge-patch+json';
  const body = { metadata: { annotations: { mine: 'yes' } } };
  await askKube(kubernetes, { method: 'PATCH', path, type, body });
  await tiller.call('UpdateRelease', { ...installOf('web', web('3', 'web:2')) });
  const second = (await askKube(kubernetes, { path })).body;
  assert.equal(second.metadata.uid, first.metadata.uid);
  assert.equal(second.metadata.generation, 2);
  assert.equal(second.metadata.annotations.mine, 'yes');
  assert.equal(second.spec.template.spec.containers[0].image, 'web:2');
  assert.equal(second.status.readyReplicas, 3);
  await tiller.call('UninstallRelease', { name: 'web' });
  assert.equal((await askKube(kubernetes, { path })).status, 404);
});

test('whoever changes a record changes the release', bounded, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'objects-'));
  t.after(() => rm(folder, { recursive: true }));
  const { kubernetes, tiller, problems } = await startBoth(t, folder);
  await tiller.call('InstallRelease', installOf('one', configMap('one-cm')));
  await tiller.call('InstallRelease', installOf('two', configMap('two-cm')));
  const { body: record } = await askKube(kubernetes, { path: `${records}/one.v1` });
  await askKube(kubernetes, { method: 'DELETE', path: `${records}/one.v1` });
  assert.equal(await tiller.failure('GetReleaseContent', { name: 'one' }), '2 release: "one" not found');
  await eventually(async () => `${await readdir(folder)}` === 'two.v1.json');
  const { metadata, data } = record;
  const back = { metadata: { name: metadata.name, labels: metadata.labels }, data };
  assert.equal((await askKube(kubernetes, { method: 'POST', path: records, body: back })).status, 201);
  assert.equal((await tiller.call('GetReleaseContent', { name: 'one' })).release?.version, 1);
  await eventually(async () => `${(await readdir(folder)).sort()}` === 'one.v1.json,two.v1.json');
  const broken = {
    metadata: { name: 'three.v1', labels: { OWNER: 'TILLER' } },
    data: { release: 'nonsense' },
  };
  assert.equal((await askKube(kubernetes, { method: 'POST', path: records, body: broken })).status, 201);
  assert.match(problems.join('\n'), /the ConfigMap three\.v1 is no release/);
  const [list] = await tiller.all('ListReleases', {});
  assert.deepEqual(
    list?.releases.map(({ name }) => name),
    ['one', 'two'],
  );
});

test('releases and their objects are there again after a restart', bounded, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'objects-'));
  t.after(() => rm(folder, { recursive: true }));
  const before = await startBoth(t, folder);
  await before.tiller.call('InstallRelease', installOf('web', web('2')));
  const { data } = (await askKube(before.kubernetes, { path: `${records}/web.v1` })).body;
  const { kubernetes } = await startBoth(t, folder);
  const { body } = await askKube(kubernetes, { path: `${records}/web.v1` });
  assert.deepEqual(body.data, data);
  assert.equal(body.metadata.labels.STATUS, 'DEPLOYED');
  assert.equal((await askKube(kubernetes, { path: `${deployments}/web` })).body.status.readyReplicas, 2);
});

test('a release above the bound of a ConfigMap is made and not recorded, as in Tiller', bounded, async t => {
  const { tiller, problems } = await startBoth(t);
  const chart = {
    ...chartOf('large', { 'x.yaml': configMap('large-cm') }),
    files: [{ type_url: 'noise', value: randomBytes(1_500_000) }],
  };
  const { release } = await tiller.call('InstallRelease', { ...installOf('large', ''), chart });
  assert.equal(release?.info?.status?.code, 'DEPLOYED');
  assert.equal(await tiller.failure('GetReleaseContent', { name: 'large' }), '2 release: "large" not found');
  assert.match(
    problems[0]!,
    /^warning: Failed to record release large: ConfigMap "large\.v1" is invalid: \[\]: Too long: must have at most 1048576 bytes$/,
  );
});
