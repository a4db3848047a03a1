import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { minTimeoutMs, readConsistency, writeConsistency } from './call-context.ts';

function read(headers: Record<string, string | string[]>, query = '') {
  const { consistent, minRevisions } = readConsistency(headers, new URLSearchParams(query));
  return { consistent, minRevisions: Object.fromEntries(minRevisions) };
}

describe('how new an answer has to be', () => {
  test('by default anything will do', () => {
    assert.deepEqual(read({}), { consistent: false, minRevisions: {} });
  });

  test('consistent, in the query or the headers', () => {
    for (const query of ['consistent', 'consistent=true', 'consistent=1'])
      assert.equal(read({}, query).consistent, true, query);
    for (const query of ['consistent=false', 'consistent=0', 'other=1'])
      assert.equal(read({}, query).consistent, false, query);
    assert.equal(read({ consistent: 'true' }).consistent, true);
    assert.equal(read({ consistent: 'true' }, 'consistent=false').consistent, false);
  });

  test('revisions of several releases; of one release the newest', () => {
    const expected = { a: 3, 'b.c-d_e': 1 };
    assert.deepEqual(read({ 'min-revision': 'a=2, b.c-d_e=1,a=3' }).minRevisions, expected);
    assert.deepEqual(read({ 'min-revision': ['a=3', 'b.c-d_e=1'] }).minRevisions, expected);
    assert.deepEqual(read({ 'min-revision': '' }).minRevisions, {});
  });

  test('what is malformed is refused', () => {
    for (const text of ['a', 'a=', '=1', 'a=0', 'a=-1', 'a=1.5', 'a=99999999999', 'a=1,', 'a b=1', 'a=1;b=2'])
      assert.throws(() => read({ 'min-revision': text }), { code: 3 }, text);
    assert.throws(() => read({ 'min-revision': Array.from({ length: 101 }, (_, i) => `a${i}=1`).join() }), {
      code: 3,
    });
    assert.throws(() => read({}, 'consistent=perhaps'), { code: 3 });
  });

  test('what is written for another gateway is read as the same', () => {
    const written = writeConsistency(readConsistency({ 'min-revision': 'a=2,b=1', consistent: 'true' }));
    assert.deepEqual(read(written), { consistent: true, minRevisions: { a: 2, b: 1 } });
    assert.deepEqual(writeConsistency(readConsistency({})), {});
  });
});

test('a write may take half a minute longer than it asks Tiller to wait, and a day at the most', () => {
  assert.equal(minTimeoutMs(1n), 31_000);
  assert.equal(minTimeoutMs(300n), 330_000);
  assert.equal(minTimeoutMs(86_370n), 86_400_000);
  assert.equal(minTimeoutMs(86_371n), 86_400_000);
  assert.equal(minTimeoutMs(2n ** 63n - 1n), 86_400_000);
});

test('one that asks for no time is bound like any other call', () => {
  assert.equal(minTimeoutMs(0n), 0);
  assert.equal(minTimeoutMs(-(2n ** 63n)), 0);
});
