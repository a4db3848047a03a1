import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap } from '../../../test/support/tiller-messages.ts';
import { type ManifestObject, readManifestObjects } from '../work/manifest-objects.ts';
import { isKept, SimulatedCluster } from './cluster.ts';

const now = new Date(1_000);
const policy = (value: string) => `  annotations:\n    helm.sh/resource-policy: "${value}"\n`;
const objects = (...names: string[]): ManifestObject[] =>
  readManifestObjects(names.map(name => `\n---\n${configMap(name)}`).join(''), 'default');

test('objects before a failing one stay', () => {
  const cluster = new SimulatedCluster();
  assert.throws(() => cluster.create(objects('a', 'B', 'c'), now), {
    code: 2,
    message: /^ConfigMap "B" is invalid/,
  });
  assert.deepEqual(
    objects('a', 'c').map(object => cluster.has(object)),
    [true, false],
  );
  assert.throws(() => cluster.create(objects('a'), now), { message: 'configmaps "a" already exists' });
});

test('nothing to create is an error, nothing to update is none', () => {
  const cluster = new SimulatedCluster();
  assert.throws(() => cluster.create([], now), { message: 'no objects visited' });
  cluster.update([], [], now);
});

test('an update creates, leaves alone and deletes, and keeps what is to be kept', () => {
  const cluster = new SimulatedCluster();
  const before = [
    ...objects('stays', 'goes'),
    ...readManifestObjects(configMap('kept', policy('keep')), 'default'),
  ];
  cluster.create(before, now);
  cluster.update(before, objects('stays', 'new'), new Date(2_000));
  const at = (name: string) => cluster.createdAt(objects(name)[0]!)?.getTime();
  assert.deepEqual(['stays', 'goes', 'kept', 'new'].map(at), [1_000, undefined, 1_000, 2_000]);
  assert.equal(isKept(before[2]!.annotations), true);
});

test('an update does not take over what another made', () => {
  const cluster = new SimulatedCluster();
  cluster.create(objects('theirs'), now);
  assert.throws(() => cluster.update([], objects('theirs'), now), {
    message:
      /^kind ConfigMap with the name "theirs" in "default" already exists in the cluster and wasn't defined/,
  });
  assert.throws(() => cluster.update([], objects('Bad'), now), {
    message: /^failed to create resource: ConfigMap "Bad" is invalid/,
  });
});

test('every policy but `delete` keeps an object', () => {
  const kept = (value: string) =>
    isKept(readManifestObjects(configMap('k', policy(value)), 'default')[0]!.annotations);
  assert.deepEqual(['', 'keep', ' Keep ', 'retain', 'delete', 'Delete'].map(kept), [
    true,
    true,
    true,
    true,
    false,
    true,
  ]);
  assert.equal(isKept(objects('k')[0]!.annotations), false);
});

test('namespaces are objects like others, made where they are missing', () => {
  const cluster = new SimulatedCluster();
  const inside = readManifestObjects(configMap('a'), 'team-a');
  const namespace = readManifestObjects('apiVersion: v1\nkind: Namespace\nmetadata: {name: team-a}', 'x');
  assert.throws(() => cluster.create(inside, now), { message: 'namespaces "team-a" not found' });
  assert.throws(() => cluster.update([], inside, now), {
    message: 'failed to create resource: namespaces "team-a" not found',
  });
  cluster.ensureNamespace('team-a', now);
  cluster.ensureNamespace('team-a', now);
  cluster.create(inside, now);
  assert.throws(() => cluster.create(namespace, now), { message: 'namespaces "team-a" already exists' });
  cluster.delete(namespace);
  assert.equal(cluster.has(inside[0]!), false, 'what was in it goes with it');
  cluster.create([...namespace, ...inside], now);
  assert.throws(() => cluster.ensureNamespace('', now), { message: 'resource name may not be empty' });
  assert.throws(() => cluster.ensureNamespace('a.b', now), { message: /^Namespace "a.b" is invalid/ });
  for (const name of ['default', 'kube-system', 'kube-public']) {
    const [first] = readManifestObjects(`apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}`, 'x');
    assert.equal(cluster.has(first!), true);
    assert.throws(() => cluster.delete([first!]), {
      message: `namespaces "${name}" is forbidden: this namespace may not be deleted`,
    });
  }
});

test('an object whose name Kubernetes makes up cannot be addressed again', () => {
  const cluster = new SimulatedCluster();
  const object = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: gen-}';
  const generated = readManifestObjects(object, 'default');
  cluster.create(generated, now);
  cluster.create(generated, now);
  const text = 'resource name may not be empty';
  assert.throws(() => cluster.update(generated, generated, now), {
    message: `Could not get information about the resource: ${text}`,
  });
  cluster.create(objects('also'), now);
  assert.throws(() => cluster.delete([...generated, ...objects('also')]), { message: text });
  assert.equal(cluster.has(objects('also')[0]!), false, 'the others are deleted');
});
