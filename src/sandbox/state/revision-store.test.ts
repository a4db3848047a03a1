import assert from 'node:assert/strict';
import { test } from 'node:test';
import { releaseOf } from '../../../test/support/tiller-messages.ts';
import { setStatus } from './revision.ts';
import { RevisionStore, type StoreBounds } from './revision-store.ts';

const noBounds: StoreBounds = { maxRevisions: 100, maxBytes: 1_000_000 };
const openStore = (bounds = noBounds) =>
  RevisionStore.open({ bounds, now: () => new Date(5_000), report: problem => assert.fail(problem) });

test('what is given are copies', async () => {
  const store = await openStore();
  const release = releaseOf('a');
  await store.create(release);
  release.namespace = 'changed';
  store.last('a').namespace = 'changed';
  assert.equal(store.last('a').namespace, 'default');
});

test('newest first, deployed apart, in the order of Kubernetes’ keys', async () => {
  const store = await openStore();
  for (const [name, version] of [
    ['b', 1],
    ['a', 1],
    ['a', 2],
    ['a', 10],
    ['a0', 1],
  ] as const)
    await store.create(releaseOf(name, version));
  assert.deepEqual(
    store.history('a').map(({ version }) => version),
    [10, 2, 1],
  );
  assert.deepEqual(
    store.all().map(({ key }) => key),
    ['a.v1', 'a.v10', 'a.v2', 'a0.v1', 'b.v1'],
  );
  const failed = store.last('a');
  setStatus(failed, 'FAILED', 'why');
  await store.update(failed);
  assert.equal(store.deployed('a').version, 2);
  assert.deepEqual(
    store
      .all()
      .filter(({ status }) => status === 'FAILED')
      .map(({ key, modifiedAt }) => [key, modifiedAt]),
    [['a.v10', 5]],
  );
});

test('Tiller’s words for what is not there, or there already', async () => {
  const store = await openStore();
  await store.create(releaseOf('a'));
  assert.throws(() => store.last('b'), { code: 2, message: 'release: "b" not found' });
  assert.throws(() => store.get('a', 2), { code: 2, message: 'release: "a.v2" not found' });
  assert.throws(() => store.deployed('b'), { code: 2, message: '"b" has no deployed releases' });
  await assert.rejects(store.create(releaseOf('a')), { message: 'release: "a.v1" already exists' });
  await assert.rejects(store.update(releaseOf('a', 3)), { message: 'release: "a.v3" not found' });
  await assert.rejects(store.create(releaseOf('A')), { message: /^ConfigMap "A.v1" is invalid/ });
});

test('both bounds hold, and purging makes room', async () => {
  const size = (await openStore().then(async store => {
    await store.create(releaseOf('a'));
    return store.revision('a', 1).wire.length;
  })) as number;
  for (const bounds of [
    { maxRevisions: 2, maxBytes: 1_000_000 },
    { maxRevisions: 100, maxBytes: size * 2 },
  ]) {
    const store = await openStore(bounds);
    await store.create(releaseOf('a'));
    await store.create(releaseOf('b'));
    await assert.rejects(store.create(releaseOf('c')), { code: 8, message: /purge some releases/ });
    assert.equal(store.has('c'), false);
    await store.delete('a', 1);
    await store.create(releaseOf('c'));
    await assert.rejects(store.delete('a', 1), { message: 'release: "a.v1" not found' });
  }
});
