/** The life of releases in the sandbox Tiller, beyond what the recording shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SandboxClient } from './support/sandbox-client.ts';
import { chartOf, configMap } from './support/tiller-messages.ts';

const bounded = { timeout: 20_000 };
const plain = (name: string) => chartOf('plain', { 'cm.yaml': configMap(name) });

async function install(tiller: SandboxClient, name: string, given: object = {}) {
  const request = { name, namespace: 'default', chart: plain(`${name}-cm`), values: {}, ...given };
  return (await tiller.call('InstallRelease', request)).release!;
}

async function statuses(tiller: SandboxClient, name: string): Promise<string[]> {
  const { releases } = await tiller.call('GetHistory', { name, max: 256 });
  return releases.map(({ version, info }) => `${version} ${info?.status?.code} ${info?.Description}`);
}

test('without a name Tiller makes one up, each time another', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const first = await install(tiller, '', { chart: plain('one') });
  const second = await install(tiller, '', { chart: plain('two') });
  assert.match(first.name, /^[a-z]+-[a-z]+$/);
  assert.notEqual(first.name, second.name);
  assert.equal((await tiller.call('GetReleaseContent', { name: first.name })).release?.version, 1);
});

test('descriptions are taken where they are given', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const description = 'by hand';
  await install(tiller, 'r', { description });
  await tiller.call('UpdateRelease', { name: 'r', chart: plain('r-cm'), values: {}, description });
  await tiller.call('RollbackRelease', { name: 'r', version: 1, description });
  await tiller.call('UninstallRelease', { name: 'r', description });
  assert.deepEqual(await statuses(tiller, 'r'), [
    '3 DELETED by hand',
    '2 SUPERSEDED by hand',
    '1 SUPERSEDED by hand',
  ]);
});

test('a name is reused only when it is not in use', bounded, async () => {
  await using tiller = await SandboxClient.start();
  await install(tiller, 'r');
  const again = { name: 'r', namespace: 'default', chart: plain('r-cm'), values: {}, reuse_name: true };
  assert.equal(
    await tiller.failure('InstallRelease', again),
    '2 a release named r is in use, cannot re-use a name that is still in use',
  );
  await tiller.call('UninstallRelease', { name: 'r' });
  const { release } = await tiller.call('InstallRelease', again);
  assert.equal(release?.version, 2);
  assert.deepEqual(await statuses(tiller, 'r'), [
    '2 DEPLOYED Install complete',
    '1 SUPERSEDED Deletion complete',
  ]);
});

test(
  'a deleted release comes back by rollback, not by an upgrade, unless it is forced',
  bounded,
  async () => {
    await using tiller = await SandboxClient.start();
    await install(tiller, 'r');
    await tiller.call('UninstallRelease', { name: 'r' });
    const upgrade = { name: 'r', chart: plain('r-cm'), values: {} };
    assert.equal(await tiller.failure('UpdateRelease', upgrade), '2 "r" has no deployed releases');
    await tiller.call('RollbackRelease', { name: 'r', version: 1 });
    await tiller.call('UninstallRelease', { name: 'r' });
    const { release } = await tiller.call('UpdateRelease', { ...upgrade, force: true });
    assert.equal(release?.version, 3);
    assert.deepEqual(await statuses(tiller, 'r'), [
      '3 DEPLOYED Upgrade complete',
      '2 DELETED Deletion complete',
      '1 SUPERSEDED Deletion complete',
    ]);
  },
);

test('a deleted release can still be purged', bounded, async () => {
  await using tiller = await SandboxClient.start();
  await install(tiller, 'r');
  await tiller.call('UninstallRelease', { name: 'r' });
  assert.equal((await tiller.call('UninstallRelease', { name: 'r', purge: true })).release?.name, 'r');
  assert.equal(await tiller.failure('GetHistory', { name: 'r', max: 1 }), '2 release: "r" not found');
});

test('requests that cannot be right', bounded, async () => {
  await using tiller = await SandboxClient.start();
  await install(tiller, 'r');
  assert.equal(await tiller.failure('InstallRelease', { name: 'x' }), '2 no chart provided');
  assert.match(await tiller.failure('InstallRelease', { name: 'x', chart: {} }), /^14 /);
  assert.equal(tiller.sandbox.crashes, 1);
  assert.equal(await tiller.failure('UpdateRelease', { name: 'r' }), '2 no chart provided');
  assert.equal(await tiller.failure('UpdateRelease', {}), '2 no release provided');
  assert.match(await tiller.failure('GetReleaseStatus', { name: '-' }), /^2 invalid release name/);
  assert.equal(
    await tiller.failure('RollbackRelease', { name: 'r', version: -1 }),
    '2 invalid release revision',
  );
  assert.equal(await tiller.failure('RollbackRelease', { name: 'r' }), '2 release: "r.v0" not found');
});

test('what an upgrade does with values', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const chart = chartOf('plain', { 'cm.yaml': configMap('values') }, 'a: 1\nb: {c: 2, d: 3}\n');
  const config = async (given: object): Promise<string | undefined> => {
    const { release } = await tiller.call('UpdateRelease', { name: 'r', chart, ...given });
    return release?.config?.raw;
  };
  await install(tiller, 'r', { chart, values: { raw: 'b: {c: 20}\n' } });
  assert.equal(await config({ values: {} }), 'b: {c: 20}\n', 'none given: kept');
  assert.equal(await config({ values: { raw: '{}\n' } }), 'b: {c: 20}\n', 'as the Helm client sends none');
  assert.equal(await config({ values: { raw: 'a: 5' }, reuse_values: true }), 'a: 5\nb:\n  c: 20\n');
  assert.equal(
    await config({ values: { raw: 'b: {d: 30}' }, reuse_values: true }),
    'a: 5\nb:\n  c: 20\n  d: 30\n',
  );
  const { release } = await tiller.call('GetReleaseContent', { name: 'r' });
  assert.equal(release?.chart?.values?.raw, 'a: 5\nb:\n  c: 20\n  d: 3\n', 'old values became defaults');
  assert.equal(await config({ values: { raw: 'z: 1' } }), 'z: 1', 'given: used alone');
  assert.equal(await config({ values: {}, reset_values: true }), '');
  assert.match(await tiller.failure('UpdateRelease', { name: 'r', chart, reuse_values: true }), /^14 /);
  assert.equal(tiller.sandbox.crashes, 1);
  assert.match(
    await tiller.failure('UpdateRelease', { name: 'r', chart, values: { raw: '[1]' }, reuse_values: true }),
    /^2 error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array/,
  );
});

test('objects collide as they do in a cluster', bounded, async () => {
  await using tiller = await SandboxClient.start();
  await install(tiller, 'one', { chart: plain('shared') });
  const second = { name: 'two', namespace: 'default', chart: plain('shared'), values: {} };
  assert.equal(
    await tiller.failure('InstallRelease', second),
    '2 release two failed: configmaps "shared" already exists',
  );
  assert.deepEqual(await statuses(tiller, 'two'), [
    '1 FAILED Release "two" failed: configmaps "shared" already exists',
  ]);
  await install(tiller, 'three', { chart: plain('shared'), namespace: 'other' });
  await install(tiller, 'four', { chart: plain('own') });
  assert.match(
    await tiller.failure('UpdateRelease', { name: 'four', chart: plain('shared'), values: {} }),
    /^2 kind ConfigMap with the name "shared" in "default" already exists in the cluster and wasn't defined in the previous release/,
  );
  assert.equal((await statuses(tiller, 'four'))[1], '1 DEPLOYED Install complete');
  await tiller.call('UninstallRelease', { name: 'one' });
  const { release } = await tiller.call('InstallRelease', { ...second, reuse_name: true });
  assert.equal(release?.version, 2);
});

test('a namespace must be a name', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const request = { chart: plain('r-cm'), values: {} };
  assert.equal(
    await tiller.failure('InstallRelease', { ...request, name: 'a' }),
    '2 release a failed: resource name may not be empty',
  );
  assert.match(
    await tiller.failure('InstallRelease', { ...request, name: 'b', namespace: 'Team A' }),
    /^2 release b failed: Namespace "Team A" is invalid: metadata.name: Invalid value/,
  );
  assert.match((await statuses(tiller, 'a'))[0]!, /^1 FAILED Release "a" failed: resource name may not/);
});

test('kept objects are listed and stay', bounded, async () => {
  await using tiller = await SandboxClient.start();
  const annotation = '  annotations:\n    helm.sh/resource-policy: keep\n';
  await install(tiller, 'r', { chart: chartOf('c', { 'cm.yaml': configMap('precious', annotation) }) });
  const { info } = await tiller.call('UninstallRelease', { name: 'r', purge: true });
  assert.equal(info, 'These resources were kept due to the resource policy:\n[ConfigMap] precious\n');
  const again = { name: 'r', namespace: 'default', chart: plain('precious'), values: {} };
  assert.match(await tiller.failure('InstallRelease', again), /"precious" already exists/);
});
