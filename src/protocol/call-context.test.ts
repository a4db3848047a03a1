import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minTimeoutMs } from './call-context.ts';

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
