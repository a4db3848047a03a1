import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObjectStore, type ObjectStoreOptions } from './object-store.ts';

const table = '/configmaps';

function open(options: ObjectStoreOptions = {}) {
  const store = new ObjectStore({ firstVersion: 100, ...options });
  return {
    store,
    put: (name: string, data: string, namespace = 'a') =>
      store.put({ table, namespace, name }, { metadata: { name, namespace }, data }),
    remove: (name: string, namespace = 'a') => store.delete({ table, namespace, name }),
    names: (version?: number, namespace?: string) => {
      const objects =
        version === undefined ? store.list(table, namespace) : store.listAt(table, namespace, version);
      return objects?.map(({ metadata, data }) => `${metadata.namespace}/${metadata.name}=${data}`);
    },
  };
}

test('each change has a version of its own, and lists are in the order of etcd’s keys', () => {
  const { store, put, names } = open();
  assert.equal(put('b', '1').metadata.resourceVersion, '101');
  assert.equal(put('a', '1', 'a-b').metadata.resourceVersion, '102');
  assert.equal(put('a', '1').metadata.resourceVersion, '103');
  assert.equal(store.version, 103);
  assert.deepEqual(names(), ['a-b/a=1', 'a/a=1', 'a/b=1']);
  assert.deepEqual(names(undefined, 'a'), ['a/a=1', 'a/b=1']);
});

test('earlier states are known until they are forgotten', () => {
  const { store, put, remove, names } = open();
  put('a', '1');
  put('b', '1');
  put('a', '2');
  remove('b');
  put('c', '1');
  assert.deepEqual(names(100), []);
  assert.deepEqual(names(102), ['a/a=1', 'a/b=1']);
  assert.deepEqual(names(103), ['a/a=2', 'a/b=1']);
  assert.deepEqual(names(105), names());
  assert.deepEqual(
    store.since(103)?.map(({ type, version }) => `${type} ${version}`),
    ['DELETED 104', 'ADDED 105'],
  );
  store.compact();
  assert.equal(names(105), undefined);
  assert.deepEqual(names(store.version), ['a/a=2', 'a/c=1']);
  assert.equal(store.since(104), undefined);
});

test('the bounds: objects, bytes, changes', () => {
  const few = open({ maxObjects: 2, maxEvents: 4 });
  few.put('a', '1');
  few.put('b', '1');
  assert.throws(() => few.put('c', '1'), { status: 507, code: 8 });
  few.put('a', '2');
  few.remove('b');
  few.put('c', '1');
  assert.ok(few.store.oldestVersion > 100);
  assert.equal(few.store.since(few.store.oldestVersion)?.length, few.store.version - few.store.oldestVersion);
  const small = open({ maxBytes: 1_000 });
  small.put('a', 'x'.repeat(800));
  assert.throws(() => small.put('b', 'x'.repeat(300)), { status: 507 });
  small.put('a', 'x');
  small.put('b', 'x'.repeat(300));
  const large = open({ maxEventBytes: 1_000 });
  for (let index = 0; index < 10; index++) large.put('a', 'x'.repeat(300));
  assert.ok(large.store.oldestVersion >= 106);
});

test('listeners hear of changes in their order, also of those that a listener makes', () => {
  const { store, put } = open();
  const heard: string[] = [];
  store.subscribe(({ object }) => {
    if (object.metadata.name === 'a') put('b', '1');
  });
  const end = store.subscribe(({ version, object }) => heard.push(`${version} ${object.metadata.name}`));
  put('a', '1');
  assert.deepEqual(heard, ['101 a', '102 b']);
  end();
  put('c', '1');
  assert.equal(heard.length, 2);
});
