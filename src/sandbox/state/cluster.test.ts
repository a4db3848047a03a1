import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap } from '../../../test/support/tiller-messages.ts';
import { isKept, SimulatedCluster, validateNamespace } from './cluster.ts';
import { type ManifestObject, readManifestObjects } from './manifest-objects.ts';

const now = new Date(1_000);
const keep = '  annotations:\n    helm.sh/resource-policy: " Keep "\n';
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
  const before = [...objects('stays', 'goes'), ...readManifestObjects(configMap('kept', keep), 'default')];
  cluster.create(before, now);
  cluster.update(before, objects('stays', 'new'), new Date(2_000));
  const at = (name: string) => cluster.createdAt(objects(name)[0]!)?.getTime();
  assert.deepEqual(['stays', 'goes', 'kept', 'new'].map(at), [1_000, undefined, 1_000, 2_000]);
  assert.equal(isKept(before[2]!), true);
});

test('an update does not take over what another made', () => {
  const cluster = new SimulatedCluster();
  cluster.create(objects('theirs'), now);
  assert.throws(() => cluster.update([], objects('theirs'), now), {
    message: /^kind ConfigMap with the name "theirs" already exists in the cluster and wasn't defined/,
  });
  assert.throws(() => cluster.update([], objects('Bad'), now), {
    message: /^failed to create resource: ConfigMap "Bad" is invalid/,
  });
});

test('namespaces are names', () => {
  validateNamespace('team-a');
  assert.throws(() => validateNamespace(''), { message: 'resource name may not be empty' });
  assert.throws(() => validateNamespace('a.b'), { message: /^Namespace "a.b" is invalid/ });
});
