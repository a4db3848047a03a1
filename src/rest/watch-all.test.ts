import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { eventually } from '../../test/support/eventually.ts';
import { FakeRecords } from '../../test/support/fake-records.ts';
import { createTestCharts } from '../../test/support/test-charts.ts';
import type { Backend } from '../backends/index.ts';
import type { Cluster } from '../clusters/index.ts';
import { encodeMessage } from '../codec/index.ts';
import { type CallScope, Code, callScope, GatewayError, unavailable } from '../protocol/index.ts';
import { createReleaseService, LiveReleases } from '../releases/index.ts';
import { type LiveEvent, resumeAfter } from './answer-stream.ts';
import { type WatchAllOptions, watchAll } from './watch-all.ts';

interface Stage {
  readonly records: ReadonlyMap<string, FakeRecords>;
  /** Clusters that cannot be reached, with the reason. */
  readonly down: Map<string, GatewayError>;
  readonly stopping: AbortController;
  readonly live: LiveReleases;
  watch(more?: Partial<WatchAllOptions>): Client;
}

/** A stream over all clusters, whose events are taken one by one. */
class Client {
  readonly scope: CallScope = callScope({});
  readonly #events: AsyncGenerator<LiveEvent, void, undefined>;

  constructor(clusters: readonly Cluster[], options: WatchAllOptions) {
    const { signal, abort } = this.scope;
    this.#events = watchAll(clusters, options, { signal, abort, deadline: undefined });
  }

  async next(): Promise<{ text: string; id: string }> {
    const { value } = await this.#events.next();
    assert.ok(value);
    const { type, cluster, release, error } = JSON.parse(value.json.toString());
    const about = [release?.name, error?.message].filter(Boolean).join(' ');
    return { text: `${cluster ?? '-'}: ${type} ${about}`.trim(), id: value.id };
  }

  /** Takes no more events, as for a HEAD request. */
  async end(): Promise<void> {
    await this.#events.return();
  }

  /** As `next`, without heartbeats. */
  async take(count: number): Promise<string[]> {
    const taken: string[] = [];
    while (taken.length < count) {
      const { text } = await this.next();
      if (!text.endsWith('HEARTBEAT')) taken.push(text);
    }
    return taken;
  }
}

function startStage(t: TestContext, names = ['east', 'west']): Stage {
  const live = new LiveReleases({ maxStreams: 1000, heartbeatMs: 20, backlogBytes: 1024 * 1024 });
  const method = createReleaseService(createTestCharts(), live).methods.find(
    ({ contract }) => contract.name === 'WatchReleases',
  )!;
  assert.ok(method.kind === 'streaming');
  const records = new Map(names.map(name => [name, new FakeRecords()]));
  const down = new Map<string, GatewayError>();
  const clusters = names.map(name => ({
    name,
    async withBackend<T>(_signal: AbortSignal, work: (backend: Backend) => Promise<T>) {
      const error = down.get(name);
      if (error) throw error;
      return work({ kind: 'tiller', records: records.get(name) } as unknown as Backend);
    },
  })) as unknown as Cluster[];
  const stopping = new AbortController();
  const message = encodeMessage('appscode.swift.v2.WatchReleasesRequest', { snapshot: true });
  const defaults = { method, lastId: '', heartbeatMs: 20, stopping: stopping.signal };
  const clients: Client[] = [];
  t.after(() => {
    for (const { scope } of clients) scope.abort(new GatewayError(Code.CANCELLED, 'the test is over'));
  });
  return {
    records,
    down,
    stopping,
    live,
    watch(more = {}) {
      const requestAfter = (id: string) => resumeAfter(message, id);
      const client = new Client(clusters, { ...defaults, requestAfter, ...more });
      clients.push(client);
      return client;
    },
  };
}

describe('a stream over many clusters', () => {
  test('each event names its cluster, and the id of all resumes all', async t => {
    const { records, watch } = startStage(t);
    records.get('east')!.put({ name: 'a' });
    const client = watch();
    const start = (await client.take(3)).sort();
    assert.deepEqual(start, ['east: SNAPSHOT a', 'east: SNAPSHOT_END', 'west: SNAPSHOT_END']);
    records.get('west')!.put({ name: 'b' });
    const { text, id } = await client.next();
    assert.equal(text, 'west: ADDED b');
    records.get('east')!.put({ name: 'c' });
    assert.deepEqual(await client.take(1), ['east: ADDED c']);
    records.get('west')!.put({ name: 'd' });
    assert.deepEqual((await watch({ lastId: id }).take(2)).sort(), ['east: ADDED c', 'west: ADDED d']);
  });

  test('a cluster that fails is named, the others go on, and it goes on where it was', async t => {
    const { records, down, watch } = startStage(t);
    const client = watch();
    await client.take(2);
    down.set('east', unavailable('no answer'));
    records.get('east')!.end(unavailable('the watch broke'));
    assert.deepEqual(await client.take(1), ['east: FAILED the watch broke']);
    records.get('west')!.put({ name: 'b' });
    assert.deepEqual(await client.take(1), ['west: ADDED b']);
    assert.deepEqual(await client.take(1), ['east: FAILED no answer']);
    down.clear();
    assert.deepEqual((await client.take(3)).slice(0, 2), ['east: RECOVERED', 'east: RESET']);
  });

  test('an id that says nothing of a cluster begins it anew', async t => {
    const { watch } = startStage(t);
    for (const lastId of ['nonsense', Buffer.from('{"north":"x"}').toString('base64url')]) {
      const events = (await watch({ lastId }).take(4)).sort();
      assert.deepEqual(events, ['east: RESET', 'east: SNAPSHOT_END', 'west: RESET', 'west: SNAPSHOT_END']);
    }
  });

  test('heartbeats come while nothing happens, with an id', async t => {
    const client = startStage(t).watch();
    await client.take(2);
    const { text, id } = await client.next();
    assert.equal(text, '-: HEARTBEAT');
    assert.notEqual(id, '');
  });

  test('it ends when the gateway stops, and when the client leaves', async t => {
    const { stopping, watch } = startStage(t);
    const [leaving, staying] = [watch(), watch()];
    await leaving.take(2);
    await staying.take(2);
    leaving.scope.abort(new GatewayError(Code.CANCELLED, 'the client has gone'));
    await assert.rejects(leaving.take(1), { code: Code.CANCELLED });
    stopping.abort();
    await assert.rejects(staying.take(1), { reason: 'STOPPING' });
  });

  test('the streams of its clusters end where nobody takes their events any more', async t => {
    const { live, records, watch } = startStage(t);
    for (const name of ['east', 'west']) records.get(name)!.put({ name: 'a' });
    const client = watch();
    await client.next();
    await eventually(() => live.counts().sent > 0); // an event waits
    await client.end();
    await eventually(() => live.counts().streams === 0);
  });

  test('they end with the client or the gateway, even where nobody asks for another event', async t => {
    const { live, stopping, watch } = startStage(t);
    const [leaving, staying] = [watch(), watch()];
    for (const client of [leaving, staying]) await client.take(2);
    assert.equal(live.counts().streams, 4);
    leaving.scope.abort(new GatewayError(Code.CANCELLED, 'the client has gone'));
    await eventually(() => live.counts().streams === 2);
    stopping.abort();
    await eventually(() => live.counts().streams === 0);
  });

  test('with many clusters there is no id, rather than one that no server takes', async t => {
    const names = Array.from({ length: 300 }, (_, index) => `cluster-${index}`);
    const { watch, records } = startStage(t, names);
    const client = watch();
    for (let ended = 0; ended < 300; ) if ((await client.next()).text.endsWith('SNAPSHOT_END')) ended++;
    records.get('cluster-0')!.put({ name: 'a' });
    for (let event = await client.next(); ; event = await client.next()) {
      if (event.text !== 'cluster-0: ADDED a') continue;
      assert.equal(event.id, '');
      break;
    }
  });
});
