import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type GatewayError, unavailable } from '../protocol/index.ts';
import { Registry, type RegistryOptions } from './registry.ts';
import type { UpstreamEvents } from './upstreams/upstream.ts';

const signal = new AbortController().signal;
const down = unavailable('finding Tiller: none', { step: 'finding Tiller' });
const many = { defaultCluster: undefined, adhoc: undefined, maxOpen: 2, maxCalls: 2, idleMs: 60_000 };

/** A registry whose upstreams do nothing, and the events of those that were opened, by the cluster's name. */
function createRegistry(options: Partial<RegistryOptions> = {}) {
  const opened = new Map<string, UpstreamEvents>();
  const closed: string[] = [];
  const registry = new Registry({
    own: { name: 'own', upstream: 'service' },
    open: async ({ name, upstream = 'tunnel' }, events) => {
      opened.set(name, events);
      return {
        kind: upstream,
        description: name,
        backend: { kind: 'tiller', tiller: {} as never },
        connect: async () => events.connected('v2.17.0', name),
        version: async () => 'v2.17.0',
        close: reason => void closed.push(`${name}: ${reason}`),
        destroy: () => {},
      };
    },
    connectTimeoutMs: 1_000,
    log: () => {},
    ...options,
  });
  return { registry, opened, closed };
}

describe('a gateway for its own cluster', () => {
  test('picks that, and refuses every request that names one', () => {
    const { registry } = createRegistry();
    assert.equal(registry.pick({}), registry.own);
    assert.equal(registry.labelOf(registry.own), undefined);
    for (const selection of [{ name: 'own' }, { name: '' }, { adhoc: { server: 'https://h', token: 't' } }]) {
      assert.throws(() => registry.pick(selection), { code: 3, message: /^this gateway serves one cluster/ });
    }
  });

  test('reports it as any other, and keeps it open', async () => {
    const { registry } = createRegistry();
    const { own } = registry;
    assert.deepEqual(own.report(), { name: 'own', upstream: 'service', state: 'idle', calls: 0 });
    assert.equal(await own.connect(signal), 'v2.17.0');
    const ready = { name: 'own', upstream: 'service', state: 'ready', tiller: 'v2.17.0', calls: 0 };
    assert.deepEqual(own.report(), ready);
  });

  test('waits for it longer than for others before its calls fail at once', async () => {
    const { registry, opened, closed } = createRegistry();
    const { own } = registry;
    await own.open(signal);
    for (let failure = 1; failure < 10; failure++) opened.get('own')?.failed(down);
    assert.equal(own.state, 'failing');
    assert.equal(await own.use(signal, async () => 'a call'), 'a call');
    opened.get('own')?.failed(down);
    await assert.rejects(
      own.use(signal, async () => 'a call'),
      down,
    );
    assert.equal((own.failure as GatewayError).step, 'finding Tiller');
    assert.deepEqual(own.report().failing?.step, 'finding Tiller');
    assert.deepEqual(closed, ['own: finding Tiller: none']);
    registry.destroy();
  });
});

describe('a gateway for many clusters', () => {
  const entries = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];

  test('picks by name, else the default one, else its own', () => {
    const { registry } = createRegistry({ many });
    registry.update(entries);
    assert.equal(registry.pick({ name: 'b' }).name, 'b');
    assert.equal(registry.pick({}), registry.own);
    assert.throws(() => registry.pick({ name: 'own' }), { code: 5, reason: 'CLUSTER_NOT_FOUND' });
    assert.throws(() => registry.pick({ adhoc: { server: 'https://h', token: 't' } }), { code: 7 });
    const other = createRegistry({ many: { ...many, defaultCluster: 'c' } }).registry;
    assert.throws(() => other.pick({}), { code: 5 });
    other.update(entries);
    assert.equal(other.pick({}).name, 'c');
  });

  test('keeps as many open as it may, beside its own', async () => {
    const { registry, closed } = createRegistry({ many });
    registry.update(entries);
    for (const name of ['a', 'b', 'c']) await registry.get(name).use(signal, async () => {});
    await registry.own.use(signal, async () => {});
    assert.deepEqual(closed, ['a: it was not used']);
    assert.deepEqual(registry.states(), { idle: 1, connecting: 2, ready: 0, failing: 0 });
    const busy = ['b', 'c'].map(name => registry.get(name).use(signal, () => new Promise(() => {})));
    await assert.rejects(
      registry.get('a').use(signal, async () => {}),
      { code: 8, reason: 'OVERLOADED' },
    );
    assert.equal(busy.length, 2);
    registry.destroy();
  });

  test('keeps a cluster whose entry stays the same, and ends one that is gone', async () => {
    const { registry, closed } = createRegistry({ many });
    registry.update(entries);
    const [a, b] = [registry.get('a'), registry.get('b')];
    await a.use(signal, async () => {});
    await b.use(signal, async () => {});
    registry.update([{ name: 'a' }, { name: 'b', context: 'other' } as never]);
    assert.equal(registry.get('a'), a);
    assert.notEqual(registry.get('b'), b);
    await assert.rejects(
      b.use(signal, async () => {}),
      { code: 14 },
    );
    assert.deepEqual(closed, ['b: cluster b is not served any more']);
    registry.destroy();
  });
});
