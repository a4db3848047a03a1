import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { unavailable } from '../protocol/index.ts';
import { Breaker } from './breaker.ts';

const down = unavailable('finding Tiller: refused');

describe('the breaker', () => {
  test('opens with the third failure in a row, and tells that once', () => {
    const breaker = new Breaker();
    assert.deepEqual(
      [1, 2, 3, 4].map(now => breaker.failed(down, now)),
      [false, false, true, false],
    );
    assert.ok(breaker.isOpen);
    assert.equal(breaker.failure, down);
    assert.ok(breaker.since);
  });

  test('opens with the first failure that took long', () => {
    const breaker = new Breaker();
    breaker.started(0);
    breaker.started(4_000); // one more caller of the same attempt
    assert.equal(breaker.failed(down, 6_000), true);
  });

  test('forgets failures when something works', () => {
    const breaker = new Breaker();
    breaker.failed(down, 1);
    breaker.failed(down, 2);
    breaker.succeeded();
    assert.equal(breaker.failure, undefined);
    assert.equal(breaker.failed(down, 3), false);
  });

  test('waits longer for each probe, up to half a minute', () => {
    const breaker = new Breaker();
    for (let now = 0; now < 3; now++) breaker.failed(down, now);
    const pauses = Array.from({ length: 8 }, () => {
      const { pauseMs } = breaker;
      breaker.probeFailed();
      return pauseMs;
    });
    assert.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  test('at rest lets one call try, whose failure opens it again', () => {
    const breaker = new Breaker();
    for (let now = 0; now < 3; now++) breaker.failed(down, now);
    const { since } = breaker;
    breaker.rest();
    assert.equal(breaker.isOpen, false);
    assert.equal(breaker.failed(down, 9), true);
    assert.equal(breaker.since, since);
  });
});
