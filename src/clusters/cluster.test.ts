import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TillerCalls } from '../backends/index.ts';
import { unavailable } from '../protocol/index.ts';
import { Cluster } from './cluster.ts';
import type { Upstream } from './upstreams/upstream.ts';

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

/** Opens upstreams whose Tiller answers `call`. */
function createOpening(call: () => Promise<Buffer>) {
  const closed: string[] = [];
  let opened = 0;
  const open = async () => {
    const name = `upstream ${++opened}`;
    let isClosed = false;
    const unary = () => (isClosed ? Promise.reject(unavailable('closed')) : call());
    return {
      kind: 'direct',
      description: name,
      backend: { kind: 'tiller', tiller: { unary } as unknown as TillerCalls },
      close: () => {
        isClosed = true;
        closed.push(name);
      },
      destroy: () => {},
    } as unknown as Upstream;
  };
  return { open, closed };
}

const settings = { admit: () => {}, maxCalls: 1, connectTimeoutMs: 60_000, log: () => {} };

for (const upstream of [undefined, 'direct'] as const) {
  const which = upstream ? `declared as ${upstream}` : 'without a declared upstream';
  test(`a cluster ${which} stays open for what goes on without its client`, async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    const { open, closed } = createOpening(() => promise);
    const cluster = new Cluster(
      { name: 'a', ...(upstream && { upstream }) },
      { ...settings, open, idleMs: 1_000 },
    );
    t.after(() => cluster.destroy());
    const tiller = await cluster.withBackend(t.signal, async backend => {
      assert.ok(backend.kind === 'tiller');
      return backend.tiller;
    });
    const call = () =>
      tiller.unary('UpdateRelease', Buffer.alloc(0), { signal: t.signal, deadline: undefined });
    const change = call();
    await new Promise(setImmediate);
    t.mock.timers.tick(5_000);
    assert.deepEqual(closed, []);
    resolve(Buffer.from('done'));
    assert.equal(String(await change), 'done');
    t.mock.timers.tick(1_000);
    assert.deepEqual(closed, ['upstream 1']);
    assert.equal(String(await call()), 'done');
  });
}

test('a request that opens a cluster takes one call of it', async t => {
  const { open } = createOpening(async () => Buffer.from('done'));
  const records = () => undefined;
  const cluster = new Cluster(
    { name: 'a', upstream: 'service' },
    { ...settings, open, records, idleMs: Number.POSITIVE_INFINITY },
  );
  t.after(() => cluster.destroy());
  const reply = await cluster.withBackend(t.signal, async backend => {
    assert.ok(backend.kind === 'tiller');
    return backend.tiller.unary('GetVersion', Buffer.alloc(0), { signal: t.signal, deadline: undefined });
  });
  assert.equal(String(reply), 'done');
});
