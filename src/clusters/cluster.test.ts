import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unavailable } from '../protocol/index.ts';
import { Cluster } from './cluster.ts';

test('a cluster that is down is probed after pauses that double, from a second to half a minute', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let attempts = 0;
  const cluster = new Cluster(
    { name: 'a' },
    {
      open: async () => {
        attempts++;
        throw unavailable('refused');
      },
      admit: () => {},
      idleMs: Number.POSITIVE_INFINITY,
      maxCalls: 10,
      connectTimeoutMs: 60_000,
      log: () => {},
    },
  );
  t.after(() => cluster.destroy());
  for (let call = 0; call < 3; call++) {
    await assert.rejects(
      cluster.use(t.signal, async () => {}),
      { message: 'refused' },
    );
  }
  assert.equal(attempts, 3);
  for (const [index, pauseMs] of [1, 2, 4, 8, 16, 30, 30].map(seconds => seconds * 1_000).entries()) {
    t.mock.timers.tick(pauseMs - 1);
    await new Promise(setImmediate);
    assert.equal(attempts, 3 + index, `${pauseMs} ms`);
    t.mock.timers.tick(1);
    await new Promise(setImmediate);
    assert.equal(attempts, 4 + index, `${pauseMs} ms`);
  }
});
