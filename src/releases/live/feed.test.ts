import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { FakeRecords } from '../../../test/support/fake-records.ts';
import { createMatcher } from '../../backends/index.ts';
import { decodeMessage, enumType, type StatusCode } from '../../codec/index.ts';
import { type CallScope, Code, callScope, GatewayError, unavailable } from '../../protocol/index.ts';
import { Feed, type FeedOptions, type WatchWish } from './feed.ts';

const bounds = { maxChanges: 10_000, maxBytes: 64 * 1024 * 1024, heartbeatMs: 3_600_000 };
interface TestFilter {
  readonly filter?: string;
  readonly namespace?: string;
  readonly all?: boolean;
}

const allCodes = [...enumType('hapi.release.Status.Code').numbers.keys()] as StatusCode[];

function createFilter({ filter = '', namespace = '', all = true }: TestFilter) {
  return createMatcher({ filter, namespace, status_codes: all ? allCodes : [] });
}

interface Seen {
  readonly type: string;
  readonly id: string;
  /** `a.v1 DEPLOYED` */
  readonly release: string;
}

function toSeen(wire: Uint8Array): Seen {
  const { type, id, release } = decodeMessage('appscode.swift.v2.WatchReleasesResponse', wire);
  const shown = release ? `${release.name}.v${release.version} ${release.info?.status?.code}` : '';
  return { type, id, release: shown };
}

/** A client of a feed that takes events when it is told to. */
class Client {
  readonly scope: CallScope = callScope({});
  readonly #events: AsyncGenerator<Buffer, void, undefined>;

  constructor(feed: Feed, wish: Partial<WatchWish> & { filter?: TestFilter } = {}) {
    const { signal, abort } = this.scope;
    const matches = createFilter(wish.filter ?? {});
    const all = { snapshot: false, resumeAfter: '', matches, ...wish };
    this.#events = feed.watch(all, { signal, deadline: undefined, abort });
  }

  async next(): Promise<Seen> {
    const { value } = await this.#events.next();
    assert.ok(value, 'the stream ended');
    return toSeen(value);
  }

  /** The next events as `ADDED a.v1 DEPLOYED`, heartbeats left out. */
  async take(count: number): Promise<string[]> {
    const taken: string[] = [];
    while (taken.length < count) {
      const { type, release } = await this.next();
      if (type !== 'HEARTBEAT') taken.push(`${type} ${release}`.trim());
    }
    return taken;
  }

  async failure(): Promise<GatewayError> {
    try {
      for (;;) await this.next();
    } catch (error) {
      assert.ok(error instanceof GatewayError, String(error));
      return error;
    }
  }

  leave(): void {
    this.scope.abort(new GatewayError(Code.CANCELLED, 'the client has gone'));
  }
}

function openFeed(records: FakeRecords, options: Partial<FeedOptions> = {}): Feed {
  return new Feed(records, { ...bounds, ...options });
}

describe('a stream of changes', () => {
  test('tells of what comes, changes and goes, with a heartbeat first', async () => {
    const records = new FakeRecords();
    records.put({ name: 'old' });
    const client = new Client(openFeed(records));
    assert.equal((await client.next()).type, 'HEARTBEAT');
    records.put({ name: 'a', status: 'PENDING_INSTALL' });
    records.put({ name: 'a' });
    records.delete('old');
    assert.deepEqual(await client.take(3), [
      'ADDED a.v1 PENDING_INSTALL',
      'MODIFIED a.v1 DEPLOYED',
      'DELETED old.v1 DEPLOYED',
    ]);
  });

  test('says in snapshots and changes that Helm 3 keeps a release', async () => {
    const records = new FakeRecords();
    records.put({ name: 'old', storage: 'helm3' });
    const { signal } = new AbortController();
    const wish = { snapshot: true, resumeAfter: '', matches: createFilter({}) };
    const events = openFeed(records).watch(wish, { signal, deadline: undefined });
    const kept: string[] = [];
    for await (const event of events) {
      const { type, release } = decodeMessage('appscode.swift.v2.WatchReleasesResponse', event);
      if (type === 'SNAPSHOT_END') {
        records.put({ name: 'two' });
        records.put({ name: 'three', storage: 'helm3' });
      } else if (release) kept.push(`${type} ${release.name} ${release.storage}`);
      if (kept.length === 3) break;
    }
    assert.deepEqual(kept, ['SNAPSHOT old HELM_3', 'ADDED two HELM_2', 'ADDED three HELM_3']);
  });

  test('a snapshot comes first where it is asked for, with a mark at its end, and changes follow', async () => {
    const records = new FakeRecords();
    records.put({ name: 'b' });
    records.put({ name: 'a', status: 'FAILED' });
    const client = new Client(openFeed(records), { snapshot: true });
    assert.deepEqual(await client.take(1), ['SNAPSHOT a.v1 FAILED']);
    records.put({ name: 'c' });
    records.delete('b');
    assert.deepEqual(await client.take(4), [
      'SNAPSHOT b.v1 DEPLOYED',
      'SNAPSHOT_END',
      'ADDED c.v1 DEPLOYED',
      'DELETED b.v1 DEPLOYED',
    ]);
  });

  test('what comes to match is added, what no longer does is deleted', async () => {
    const records = new FakeRecords();
    records.put({ name: 'a' });
    const client = new Client(openFeed(records), {
      filter: { all: false, filter: '^a', namespace: 'default' },
    });
    await client.next();
    records.put({ name: 'b' });
    records.put({ name: 'a', version: 2, namespace: 'other' });
    records.put({ name: 'a', version: 3, status: 'PENDING_UPGRADE' });
    records.put({ name: 'a', status: 'SUPERSEDED' });
    records.put({ name: 'a', version: 3 });
    assert.deepEqual(await client.take(2), ['DELETED a.v1 SUPERSEDED', 'ADDED a.v3 DEPLOYED']);
  });

  test('all streams share the bytes of a change', async () => {
    const records = new FakeRecords();
    const feed = openFeed(records);
    const streams = [1, 2].map(() => feed.watch(wish(), openContext()));
    for (const stream of streams) await stream.next();
    records.put({ name: 'a' });
    const [first, second] = await Promise.all(streams.map(stream => stream.next()));
    assert.equal(first?.value, second?.value);
  });

  test('a heartbeat comes to streams that had no event, with an id to go on from', async t => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const records = new FakeRecords();
    const feed = openFeed(records, { heartbeatMs: 1000 });
    const client = new Client(feed, { filter: { filter: '^never$' } });
    const start = await client.next();
    records.put({ name: 'a' });
    t.mock.timers.tick(2000); // the first beat finds the heartbeat at the start
    const beat = await client.next();
    assert.equal(beat.type, 'HEARTBEAT');
    assert.notEqual(beat.id, start.id);
    const later = new Client(feed, { resumeAfter: beat.id });
    assert.equal((await later.next()).type, 'HEARTBEAT');
    const before = new Client(feed, { resumeAfter: start.id });
    assert.deepEqual(await before.take(1), ['ADDED a.v1 DEPLOYED']);
  });
});

function wish(more: Partial<WatchWish> = {}): WatchWish {
  return { matches: () => true, snapshot: false, resumeAfter: '', ...more };
}

function openContext() {
  const { signal, abort } = callScope({});
  return { signal, abort, deadline: undefined };
}

describe('the end of a stream', () => {
  test('a client that falls behind the log is cut with a reason, the others go on', async () => {
    const records = new FakeRecords();
    let cut = 0;
    const feed = openFeed(records, { maxChanges: 10, onCut: () => void cut++ });
    const slow = new Client(feed);
    await slow.next();
    const fast = new Client(feed);
    await fast.next();
    for (let version = 1; version <= 11; version++) {
      records.put({ name: 'a', version });
      await fast.take(1);
    }
    assert.equal(cut, 1);
    assert.equal(slow.scope.signal.aborted, true, 'a write that waits for the client ends');
    const { code, reason } = await slow.failure();
    assert.deepEqual([code, reason], [Code.RESOURCE_EXHAUSTED, 'SLOW_CLIENT']);
    records.put({ name: 'b' });
    assert.deepEqual(await fast.take(1), ['ADDED b.v1 DEPLOYED']);
  });

  test('the log is bounded in bytes too', async () => {
    const records = new FakeRecords();
    const feed = openFeed(records, { maxBytes: 100_000 });
    const slow = new Client(feed);
    await slow.next();
    records.put({ name: 'a', values: 'x'.repeat(50_000) });
    records.put({ name: 'b', values: 'x'.repeat(50_000) });
    assert.equal((await slow.failure()).reason, 'SLOW_CLIENT');
  });

  test('a client that leaves, and a feed that is closed', async () => {
    const records = new FakeRecords();
    const feed = openFeed(records);
    const [leaving, staying] = [new Client(feed), new Client(feed)];
    await leaving.next();
    await staying.next();
    leaving.leave();
    assert.equal((await leaving.failure()).code, Code.CANCELLED);
    feed.close(unavailable('the gateway is stopping'));
    for (const client of [staying, new Client(feed)])
      assert.equal((await client.failure()).message, 'the gateway is stopping');
  });
});

describe('going on where a stream was', () => {
  const names = ['a', 'b', 'c'];
  const statuses = ['DEPLOYED', 'FAILED', 'SUPERSEDED', 'PENDING_UPGRADE'] as const;
  const step = fc.record({
    name: fc.constantFrom(...names),
    version: fc.integer({ min: 1, max: 2 }),
    status: fc.option(fc.constantFrom(...statuses), { nil: undefined }),
  });
  const steps = fc.array(step, { minLength: 1, maxLength: 25 });
  const filters = fc.record({ filter: fc.constantFrom('', '^[ab]'), all: fc.boolean() });

  function run(
    records: FakeRecords,
    {
      name,
      version,
      status,
    }: { name: string; version: number; status: (typeof statuses)[number] | undefined },
  ) {
    if (status) records.put({ name, version, status });
    else records.delete(name, version);
  }

  /** All events up to now; whatever is there comes within one turn. */
  async function readAll(feed: Feed, more: ConstructorParameters<typeof Client>[1]): Promise<Seen[]> {
    const client = new Client(feed, more);
    const events: Seen[] = [];
    for (;;) {
      const next = client.next().catch(() => undefined);
      const event = await Promise.race([next, setImmediate()]);
      if (!event) break;
      if (event.type !== 'HEARTBEAT') events.push(event);
    }
    client.leave();
    return events;
  }

  test('at every position: nothing lost, nothing twice, and the events add up to the list', async () => {
    await fc.assert(
      fc.asyncProperty(steps, steps, filters, async (earlier, later, filter) => {
        const records = new FakeRecords();
        for (const one of earlier) run(records, one);
        const feed = openFeed(records);
        const client = new Client(feed, { filter, snapshot: true });
        const events: Seen[] = [];
        while (events.at(-1)?.type !== 'SNAPSHOT_END') events.push(await client.next());
        const start = events.length - 1;
        for (const one of later) run(records, one);
        events.push(...(await readAll(feed, { filter, resumeAfter: events[start]!.id })));
        for (let at = start; at < events.length; at++) {
          const rest = await readAll(feed, { filter, resumeAfter: events[at]!.id });
          assert.deepEqual(rest, events.slice(at + 1));
        }
        const list = new Map<string, string>();
        for (const { type, release } of events) {
          const [key = '', status = ''] = release.split(' ');
          if (type === 'DELETED') assert.ok(list.delete(key), `${key} was not there`);
          else if (release !== '') {
            assert.equal(list.has(key), type === 'MODIFIED');
            list.set(key, status);
          }
        }
        const matches = createFilter(filter);
        const there = records.all().filter(matches);
        assert.deepEqual(
          [...list].sort(),
          there.map(one => [`${one.name}.v${one.version}`, one.status] as [string, string]).sort(),
        );
      }),
      { numRuns: 200 },
    );
  });

  test('at another replica: nothing lost, and nothing twice but a deletion', async () => {
    await fc.assert(
      fc.asyncProperty(steps, filters, async (changes, filter) => {
        const replicas = [1, 2].map(() => new FakeRecords());
        const feeds = replicas.map(records => openFeed(records));
        const [own, other] = feeds as [Feed, Feed];
        const start = await new Client(own).next();
        for (const records of replicas) {
          records.put({ name: 'first' });
          for (const one of changes) run(records, one);
        }
        const events = await readAll(own, { filter, resumeAfter: start.id });
        for (const [at, event] of events.entries()) {
          const rest = (await readAll(other, { filter, resumeAfter: event.id })).map(withoutId);
          const expected = events.slice(at + 1).map(withoutId);
          while (rest.length > expected.length) assert.match(rest.shift() ?? '', /^DELETED/);
          assert.deepEqual(rest, expected);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('at another replica that hears of two watches in another order: nothing lost', async () => {
    const replicas = [new FakeRecords(), new FakeRecords()];
    const [feed, other] = replicas.map(records => openFeed(records)) as [Feed, Feed];
    const client = new Client(feed);
    await client.next();
    const [here, there] = replicas as [FakeRecords, FakeRecords];
    const old = (records: FakeRecords, name: string, at: number) => records.put({ name }, at);
    const moved = (records: FakeRecords, name: string, at: number) =>
      records.put({ name, storage: 'helm3', watch: 'helm3-configmaps-team-1' }, at);
    for (const records of replicas) {
      old(records, 'a', 101);
      moved(records, 'b', 102);
    }
    moved(there, 'c', 103);
    old(there, 'd', 104);
    old(here, 'd', 104);
    await client.take(2);
    const { id, release } = await client.next();
    assert.equal(release, 'd.v1 DEPLOYED');
    moved(here, 'c', 103);
    assert.deepEqual(await client.take(1), ['ADDED c.v1 DEPLOYED']);
    assert.deepEqual(await new Client(other, { resumeAfter: id }).take(1), ['ADDED c.v1 DEPLOYED']);
  });

  test('of very many watches an id tells nothing, and goes on where it was made', async () => {
    const replicas = [new FakeRecords(), new FakeRecords()];
    const [feed, other] = replicas.map(records => openFeed(records)) as [Feed, Feed];
    const client = new Client(feed);
    await client.next();
    for (const records of replicas)
      for (let index = 1; index <= 20; index++)
        records.put({ name: `a${index}`, watch: `helm3-secrets-${index}` });
    await client.take(18);
    const { id } = await client.next();
    assert.deepEqual(await new Client(feed, { resumeAfter: id }).take(1), ['ADDED a20.v1 DEPLOYED']);
    assert.equal((await new Client(other, { resumeAfter: id }).next()).type, 'RESET');
  });

  test('what cannot be resumed: a reset with the reason, then a snapshot', async () => {
    const records = new FakeRecords();
    records.put({ name: 'a' });
    const feed = openFeed(records, { maxChanges: 2 });
    const first = await new Client(feed).next();
    for (const name of ['b', 'c', 'd']) records.put({ name });
    const restarted = openFeed(records);
    const latest = await new Client(feed).next();
    for (const [on, resumeAfter] of [
      [feed, first.id],
      [feed, 'nonsense'],
      [feed, latest.id.replace(/^(\w+)\.\d+/, '$1.999')],
      [restarted, latest.id],
      [restarted, 'unknown'],
    ] as const) {
      const client = new Client(on, { resumeAfter });
      const reset = await client.next();
      assert.deepEqual([reset.type, reset.id], ['RESET', 'unknown'], resumeAfter);
      assert.deepEqual(
        (await client.take(5)).map(event => event.split(' ')[0]),
        ['SNAPSHOT', 'SNAPSHOT', 'SNAPSHOT', 'SNAPSHOT', 'SNAPSHOT_END'],
      );
    }
  });

  test('behind a new list another replica goes on only from what came after it', async () => {
    const [own, other] = [new FakeRecords(), new FakeRecords()];
    const [feed, relisted] = [openFeed(own), openFeed(other)];
    const seen: string[] = [];
    const client = new Client(feed);
    await client.next();
    for (const version of [1, 2, 3]) {
      own.put({ name: 'a', version });
      seen.push((await client.next()).id);
    }
    for (const version of [1, 2, 3]) other.put({ name: 'a', version });
    other.relisted();
    other.put({ name: 'b' });
    own.put({ name: 'b' });
    const after = (await client.next()).id;
    assert.equal((await new Client(relisted, { resumeAfter: seen[1]! }).next()).type, 'RESET');
    assert.equal((await new Client(relisted, { resumeAfter: after }).next()).type, 'HEARTBEAT');
  });
});

function withoutId({ type, release }: Seen): string {
  return `${type} ${release}`;
}
