import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonPatch, mergeDiff, mergePatch } from './json-patch.ts';
import type { Json } from './kube-object.ts';
import { strategicMergePatch } from './strategic-merge.ts';

/** JSON without null, which a merge patch cannot set. */
const withoutNull = fc
  .jsonValue({ maxDepth: 3 })
  .map(value => JSON.parse(JSON.stringify(value), (_key, item) => item ?? 0) as Json);

test('the difference of two values makes the one of the other', () => {
  fc.assert(
    fc.property(withoutNull, withoutNull, (before, after) => {
      assert.deepEqual(mergePatch(before, mergeDiff(before, after)), after);
    }),
    { numRuns: 500 },
  );
});

test('JSON patches: RFC 6902’s operations, and what does not fit', () => {
  const target = { a: [1, 2], b: { c: 'd' } };
  const patched = (...operations: object[]) => jsonPatch(target, operations as unknown as Json);
  assert.deepEqual(patched({ op: 'add', path: '/a/1', value: 9 }), { a: [1, 9, 2], b: { c: 'd' } });
  assert.deepEqual(patched({ op: 'add', path: '/a/-', value: 9 }), { a: [1, 2, 9], b: { c: 'd' } });
  assert.deepEqual(patched({ op: 'remove', path: '/a/0' }), { a: [2], b: { c: 'd' } });
  assert.deepEqual(patched({ op: 'replace', path: '/a/0', value: 7 }), { a: [7, 2], b: { c: 'd' } });
  assert.deepEqual(patched({ op: 'replace', path: '', value: { x: 1 } }), { x: 1 });
  assert.deepEqual(patched({ op: 'copy', from: '/b/c', path: '/e' }), { ...target, e: 'd' });
  assert.deepEqual(patched({ op: 'move', from: '/b', path: '/e' }), { a: [1, 2], e: { c: 'd' } });
  for (const operation of [
    { op: 'add', path: '/a/5', value: 1 },
    { op: 'remove', path: '/none' },
    { op: 'test', path: '/b/c', value: 'e' },
    { op: 'add', path: 'b', value: 1 },
    { op: 'nosuch', path: '/b' },
  ]) {
    assert.throws(() => patched(operation), { status: 422 }, JSON.stringify(operation));
  }
  assert.deepEqual(target, { a: [1, 2], b: { c: 'd' } }, 'the target stays');
});

test('no patch reaches a prototype, and none breaks the server', () => {
  const hostile = JSON.parse('{"__proto__": {"polluted": true}}');
  mergePatch({}, hostile);
  strategicMergePatch('Deployment', {}, hostile);
  assert.throws(() => jsonPatch({}, [{ op: 'add', path: '/__proto__/polluted', value: true }]), {
    status: 422,
  });
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  const keys = fc.constantFrom(
    'containers',
    'env',
    'ports',
    'name',
    '$patch',
    '$setElementOrder/env',
    'finalizers',
    'a',
  );
  const patch = fc.letrec(tie => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string({ maxLength: 3 }),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
    ),
  })).value;
  fc.assert(
    fc.property(patch, patch, (target, change) => {
      try {
        strategicMergePatch('Deployment', target as Json, change as Json);
      } catch (error) {
        assert.equal((error as { status?: number }).status, 400, String(error));
      }
    }),
    { numRuns: 1_000 },
  );
});
