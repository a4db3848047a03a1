/** Streams of changes over HTTP, from records that the test puts: their forms, their ends, and clients that misbehave. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, describe, type TestContext, test } from 'node:test';
import type { Records } from '../src/backends/index.ts';
import type { LiveOptions } from '../src/releases/index.ts';
import { EventStream } from './support/event-stream.ts';
import { eventually } from './support/eventually.ts';
import { FakeRecords } from './support/fake-records.ts';
import { startTestGateway, type TestGateway } from './support/gateway.ts';

const path = '/tiller/v2/releases/watch/json';
const serverSent = { headers: { accept: 'text/event-stream' } };

interface Stage {
  readonly records: FakeRecords;
  readonly gateway: TestGateway;
  readonly url: string;
  open(query?: string, options?: Parameters<typeof EventStream.open>[1]): Promise<EventStream>;
}

async function startStage(t: TestContext, live: Partial<LiveOptions> = {}): Promise<Stage> {
  const records = new FakeRecords();
  const gateway = await startTestGateway('127.0.0.1:1', { records: records as unknown as Records, live });
  const streams: EventStream[] = [];
  t.after(async () => {
    for (const stream of streams) stream.leave();
    await gateway[Symbol.asyncDispose]();
  });
  const url = gateway.url + path;
  return {
    records,
    gateway,
    url,
    async open(query = '', options) {
      const stream = await EventStream.open(url + query, options);
      streams.push(stream);
      return stream;
    },
  };
}

describe('newline-delimited JSON', () => {
  test('a snapshot, its end, and changes as they come', async t => {
    const { records, open } = await startStage(t);
    records.put({ name: 'a', values: 'x: 1' });
    records.put({ name: 'b', status: 'FAILED' });
    const stream = await open('?snapshot=true&status_codes=DEPLOYED&status_codes=DELETED');
    assert.equal(stream.response.status, 200);
    assert.equal(stream.response.headers.get('content-type'), 'application/x-ndjson');
    assert.equal(stream.response.headers.get('cache-control'), 'no-store, no-transform');
    const first = await stream.next();
    assert.deepEqual(JSON.parse(first!.text), {
      result: {
        type: 'SNAPSHOT',
        release: {
          name: 'a',
          info: { status: { code: 'DEPLOYED' } },
          chart_metadata: { name: 'web', version: '1.0.0' },
          config: { raw: 'x: 1' },
          version: 1,
          namespace: 'default',
        },
      },
    });
    assert.deepEqual(await stream.take(1), ['SNAPSHOT_END']);
    records.put({ name: 'b' });
    records.put({ name: 'a', status: 'DELETED' });
    records.delete('a');
    assert.deepEqual(await stream.take(3), [
      'ADDED b.v1 DEPLOYED',
      'MODIFIED a.v1 DELETED',
      'DELETED a.v1 DELETED',
    ]);
  });

  test('a filter that cannot be right is 400, and one that is a release of that name is not in the path', async t => {
    const { open, gateway } = await startStage(t);
    for (const query of ['?filter=(', '?status_codes=GONE', '?snapshot=perhaps']) {
      const { response } = await open(query);
      assert.equal(response.status, 400, query);
    }
    const other = await fetch(`${gateway.url}${path}`, { method: 'DELETE' });
    assert.equal(other.status, 503, 'the release of that name goes to Tiller');
  });

  test('HEAD gets the head alone', async t => {
    const { url, gateway } = await startStage(t);
    const response = await fetch(url, { method: 'HEAD' });
    assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
    assert.equal(await response.text(), '');
    await eventually(() => gateway.live.counts().streams === 0);
  });
});

describe('server-sent events', () => {
  test('an event has its name, its id and its data on a line; a browser is told when to come back', async t => {
    const { records, open } = await startStage(t);
    records.put({ name: 'a' });
    const stream = await open('?snapshot=true', serverSent);
    assert.equal(stream.response.headers.get('content-type'), 'text/event-stream');
    assert.match((await stream.next())!.text, /^retry: [123]\d{3}$/);
    const snapshot = await stream.next();
    assert.match(snapshot!.text, /^event: snapshot\ndata: \{"type":"SNAPSHOT",.*\}$/);
    assert.match((await stream.next())!.text, /^event: snapshot-end\nid: \S+\ndata: \{.*\}$/);
    records.put({ name: 'b' });
    assert.match((await stream.next())!.text, /^event: added\nid: \S+\ndata: \{"type":"ADDED".*\}$/);
  });

  test('Last-Event-ID goes on behind the event, and wins over the query', async t => {
    const { records, open } = await startStage(t);
    const stream = await open('?snapshot=true', serverSent);
    const ids: string[] = [];
    await stream.take(1);
    for (const name of ['a', 'b', 'c']) {
      records.put({ name });
      ids.push((await stream.next())!.id);
    }
    stream.leave();
    records.put({ name: 'd' });
    const headers = { ...serverSent.headers, 'last-event-id': ids[1]! };
    const again = await open(`?snapshot=true&resume_after=${ids[0]}`, { headers });
    assert.deepEqual(await again.take(2), ['ADDED c.v1 DEPLOYED', 'ADDED d.v1 DEPLOYED']);
    const byQuery = await open(`?resume_after=${ids[0]}`);
    assert.deepEqual(await byQuery.take(1), ['ADDED b.v1 DEPLOYED']);
  });

  test('what cannot be resumed: reset, and a snapshot', async t => {
    const { records, open } = await startStage(t);
    records.put({ name: 'a' });
    const stream = await open('', { headers: { ...serverSent.headers, 'last-event-id': 'of another time' } });
    assert.deepEqual(await stream.take(3), ['RESET', 'SNAPSHOT a.v1 DEPLOYED', 'SNAPSHOT_END']);
  });

  test('heartbeats are comments that carry an id', async t => {
    const { records, open } = await startStage(t, { heartbeatMs: 20 });
    const stream = await open('?filter=^never$', serverSent);
    const ids = new Set<string>();
    records.put({ name: 'a' });
    while (ids.size < 2) {
      const event = await stream.next();
      if (event?.type !== 'comment') continue;
      assert.match(event.text, /^: heartbeat\nid: \S+$/);
      ids.add(event.id);
    }
  });

  test('a failure at the start has its status and is no event', async t => {
    const { open } = await startStage(t);
    const { response } = await open('?filter=(', serverSent);
    assert.equal(response.status, 400);
    assert.equal(response.headers.get('content-type'), 'application/json');
  });
});

test('where there are no records: 501 with the reason', async () => {
  await using gateway = await startTestGateway('127.0.0.1:1');
  for (const accept of ['text/event-stream', '*/*']) {
    const response = await fetch(gateway.url + path, { headers: { accept } });
    const body = (await response.json()) as { error?: object };
    const error = (body.error ?? body) as { code: number; reason: string };
    assert.deepEqual([response.status, error.code, error.reason], [501, 9, 'RECORDS_UNAVAILABLE']);
  }
});

describe('bounds and ends', () => {
  test('one stream too many is 429 until another ends', async t => {
    const { open, gateway } = await startStage(t, { maxStreams: 2 });
    const [first] = [await open(), await open()];
    const refused = await open();
    assert.equal(refused.response.status, 429);
    assert.equal((await refused.next())?.error?.reason, 'OVERLOADED');
    first!.leave();
    await eventually(() => gateway.live.counts().streams === 1);
    assert.equal((await open()).response.status, 200);
  });

  test('a stop ends every stream with a last event', async t => {
    const stopping = new AbortController();
    const { open, gateway } = await startStage(t, { stopping: stopping.signal });
    const streams = [await open(), await open('', serverSent)];
    for (const stream of streams) await stream.next();
    stopping.abort();
    for (const stream of streams) {
      const last = await stream.last();
      assert.deepEqual([last?.type, last?.error?.code, last?.error?.reason], ['END', 14, 'STOPPING']);
    }
    assert.equal(gateway.live.counts().streams, 0);
    assert.equal((await open()).response.status, 503);
  });

  test('a deadline ends a stream with a last event', async t => {
    const { open } = await startStage(t);
    const stream = await open('', { headers: { 'grpc-timeout': '300m' } });
    assert.equal((await stream.last())?.error?.code, 4);
  });

  test('a client that vanishes is forgotten', async t => {
    const { gateway, records } = await startStage(t);
    const socket = await openRaw(gateway.url);
    await eventually(() => gateway.live.counts().streams === 1);
    socket.resetAndDestroy();
    await eventually(() => gateway.live.counts().streams === 0);
    records.put({ name: 'a' });
  });

  test('a client that does not read is cut with a last event, and others get everything', async t => {
    const { gateway, records, open } = await startStage(t, { backlogBytes: 2 * 1024 * 1024 });
    const other = await open();
    await other.next();
    const slow = await openRaw(gateway.url);
    await eventually(() => gateway.live.counts().streams === 2);
    const values = `x: ${'y'.repeat(64 * 1024)}`;
    let version = 0;
    while (gateway.live.counts().cut === 0) {
      assert.ok(version < 10_000, 'it was never cut');
      records.put({ name: 'a', version: ++version, values });
      assert.deepEqual(await other.take(1), [`ADDED a.v${version} DEPLOYED`]);
    }
    assert.equal(gateway.live.counts().cut, 1);
    let text = '';
    slow.on('data', chunk => {
      text = (text + chunk).slice(-2000);
    });
    slow.resume();
    await eventually(() => text.includes('SLOW_CLIENT'));
    assert.match(text, /\{"error":\{"code":8,"message":"[^"]*","reason":"SLOW_CLIENT"\}\}\n/);
    records.put({ name: 'b' });
    assert.deepEqual(await other.take(1), ['ADDED b.v1 DEPLOYED']);
  });

  test('2,000 changes at once: every client gets each, in order', async t => {
    const { records, open, gateway } = await startStage(t);
    const streams = await Promise.all([open(), open('', serverSent), open('?filter=^r1')]);
    for (const stream of streams) await stream.next();
    const names = Array.from({ length: 2000 }, (_, index) => `r${index}`);
    for (const name of names) records.put({ name });
    const expected = names.map(name => `ADDED ${name}.v1 DEPLOYED`);
    assert.deepEqual(await streams[0]!.take(2000), expected);
    assert.deepEqual(await streams[1]!.take(2000), expected);
    const filtered = expected.filter(event => event.startsWith('ADDED r1'));
    assert.deepEqual(await streams[2]!.take(filtered.length), filtered);
    assert.equal(gateway.live.counts().cut, 0);
  });
});

/** A client of the stream that reads nothing by itself. */
async function openRaw(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.on('error', () => {});
  socket.pause();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  after(() => socket.destroy());
  return socket;
}
