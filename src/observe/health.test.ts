import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { unavailable } from '../protocol/index.ts';
import { createHealth } from './health.ts';

describe('health', () => {
  test('is ready while Tiller can be reached, and says why when not', async () => {
    let failure: Error | undefined;
    const health = createHealth({
      check: async () => {
        if (failure) throw failure;
        return 'Tiller v2.17.0';
      },
      timeoutMs: 1000,
      maxAgeMs: 0,
    });
    assert.equal(health.serving(), false);
    assert.deepEqual(await health.ready(), { ok: true, reason: 'Tiller v2.17.0' });
    failure = unavailable('connecting to tiller:44134: connection refused');
    assert.deepEqual(await health.ready(), { ok: false, reason: failure.message });
    failure = new Error('password hunter2 in some library');
    assert.deepEqual(await health.ready(), { ok: false, reason: 'internal error' });
    assert.equal(health.live().ok, true);
  });

  test('asks Tiller once for many probes, and not again before the answer is old', async () => {
    let checks = 0;
    const health = createHealth({ check: async () => String(++checks), timeoutMs: 1000, maxAgeMs: 60_000 });
    await Promise.all(Array.from({ length: 100 }, () => health.ready()));
    await health.ready();
    assert.equal(checks, 1);
  });

  test('gives up on a check that does not end, whether it heeds its signal or not', async () => {
    const health = createHealth({ check: () => new Promise(() => {}), timeoutMs: 20, maxAgeMs: 0 });
    assert.deepEqual(await health.ready(), { ok: false, reason: 'no answer within 20 ms' });
    const heeding = createHealth({
      check: signal =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      lastFailure: () => 'connection refused',
      timeoutMs: 20,
      maxAgeMs: 0,
    });
    assert.deepEqual(await heeding.ready(), { ok: false, reason: 'connection refused' });
  });

  test('tells of changes only, and is not ready once it stops', async () => {
    let ok = true;
    const health = createHealth({
      check: async () => (ok ? 'fine' : Promise.reject(unavailable('gone'))),
      timeoutMs: 1000,
      maxAgeMs: 0,
    });
    const seen: boolean[] = [];
    const forget = health.onChange(() => seen.push(health.serving()));
    await health.ready();
    await health.ready();
    ok = false;
    await health.ready();
    ok = true;
    await health.ready();
    health.stop();
    assert.deepEqual(seen, [true, false, true, false]);
    assert.deepEqual(await health.ready(), { ok: false, reason: 'shutting down' });
    assert.equal(health.live().ok, true);
    forget();
  });
});
