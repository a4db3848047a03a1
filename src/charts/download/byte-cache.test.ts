import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteCache } from './byte-cache.ts';

const entry = (size: number) => ({ bytes: Buffer.alloc(size), etag: '"1"', lastModified: undefined });

test('what was not used for longest goes first', () => {
  const cache = new ByteCache(30);
  for (const key of ['a', 'b', 'c']) cache.set(key, entry(10));
  assert.ok(cache.get('a'));
  cache.set('d', entry(10));
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].filter(key => cache.get(key)),
    ['a', 'c', 'd'],
  );
});

test('what takes the place of another counts once', () => {
  const cache = new ByteCache(30);
  for (let round = 0; round < 5; round++) cache.set('a', entry(20));
  cache.set('b', entry(10));
  assert.ok(cache.get('a') && cache.get('b'));
});

test('what alone is too large is not kept, and drives nothing out', () => {
  const cache = new ByteCache(30);
  cache.set('a', entry(30));
  cache.set('b', entry(31));
  assert.ok(cache.get('a'));
  assert.equal(cache.get('b'), undefined);
});

test('what was deleted leaves room', () => {
  const cache = new ByteCache(10);
  cache.set('a', entry(10));
  cache.delete('a');
  cache.delete('a');
  cache.set('b', entry(10));
  assert.ok(cache.get('b'));
  cache.clear();
  assert.equal(cache.get('b'), undefined);
});
