/**
 * Faults of API servers through the whole program, while clients read and watch: one gateway with a cluster for each
 * fault, so that the slow ones run at the same time.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { encodeMessage } from '../src/codec/index.ts';
import { EventStream, shown } from './support/event-stream.ts';
import { eventually } from './support/eventually.ts';
import { createFolder, type HubStage, startHub } from './support/hub-stage.ts';
import {
  RecordsApiServer,
  releaseRecord,
  type StoredObject,
  tillerPod,
} from './support/records-api-server.ts';
import { releaseOf } from './support/tiller-messages.ts';

const clusters = ['cut', 'expired', 'away', 'rights', 'garbage', 'flood', 'late', 'clock'] as const;
type Name = (typeof clusters)[number];

const servers = new Map<string, RecordsApiServer>();
const cleanups: (() => unknown)[] = [];
const owner = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };
let hub: HubStage;

before(async () => {
  const stage = createFolder(owner);
  for (const name of clusters) {
    const server = await RecordsApiServer.start();
    owner.after(() => server[Symbol.asyncDispose]());
    server.isOpen = true;
    servers.set(name, server);
    server.put('pods', tillerPod());
    server.put('configmaps', record('a'));
    stage.write(name, server.kubeconfig);
  }
  const file = clusters.map(name => `- {name: ${name}, upstream: tunnel, kubeconfig: ${name}}\n`).join('');
  const flags = ['--reads=records', '--watch-heartbeat=100ms'];
  hub = await startHub(owner, stage, `clusters:\n${file}`, flags);
});

after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

function record(name: string, version = 1, given = {}): StoredObject {
  const wire = encodeMessage('hapi.release.Release', releaseOf(name, version, given));
  return releaseRecord(wire, { name, version });
}

interface Listed {
  readonly status: number;
  /** `a.1 b.1`, or the error's reason. */
  readonly text: string;
  /** What `Tiller-Gateway-Reads` says. */
  readonly reads: string;
  readonly ms: number;
}

async function list(name: Name): Promise<Listed> {
  const startedAt = performance.now();
  const response = await fetch(`${hub.url}/clusters/${name}/tiller/v2/releases/json`);
  const {
    releases = [],
    reason,
    message,
  } = (await response.json()) as {
    releases?: { name: string; version: number }[];
    reason?: string;
    message?: string;
  };
  return {
    status: response.status,
    text: message ?? reason ?? releases.map(({ name, version }) => `${name}.${version}`).join(' '),
    reads: response.headers.get('tiller-gateway-reads') ?? '',
    ms: performance.now() - startedAt,
  };
}

/** Asks until the list is this. */
const listed = (name: Name, expected: string) =>
  eventually(async () => (await list(name)).text === expected, { timeoutMs: 50_000, everyMs: 50 });

/** A client that watches from now on, both forms at once. Its first read waits for the first list. */
async function watch(name: Name): Promise<{ server: RecordsApiServer; streams: EventStream[] }> {
  const first = await list(name);
  assert.deepEqual([first.status, first.text], [200, 'a.1']);
  assert.match(first.reads, /^records; age=\d+ms$/);
  const server = servers.get(name)!;
  await eventually(() => server.watchers === 1);
  const url = `${hub.url}/clusters/${name}/tiller/v2/releases/watch/json`;
  const streams = await Promise.all([
    EventStream.open(url),
    EventStream.open(url, { headers: { accept: 'text/event-stream' } }),
  ]);
  for (const stream of streams) {
    owner.after(() => stream.leave());
    await stream.next();
  }
  return { server, streams };
}

async function expectEvents(streams: readonly EventStream[], expected: readonly string[]): Promise<void> {
  for (const stream of streams) assert.deepEqual(await stream.take(expected.length), expected);
}

describe('while clients read and watch', { concurrency: true }, () => {
  test('a watch that is cut loses nothing and repeats nothing', async () => {
    const { server, streams } = await watch('cut');
    const lists = server.count('list');
    for (let count = 0; count < 5; count++) {
      const watches = server.count('watch');
      server.cutWatches();
      server.put('configmaps', record(`b${count}`));
      assert.equal((await list('cut')).status, 200);
      await expectEvents(streams, [`ADDED b${count}.v1 DEPLOYED`]);
      await eventually(() => server.count('watch') > watches && server.watchers === 1);
    }
    assert.equal((await list('cut')).text, 'a.1 b0.1 b1.1 b2.1 b3.1 b4.1');
    assert.equal(server.count('list'), lists);
  });

  test('410: the stream goes on with what is different', async () => {
    const { server, streams } = await watch('expired');
    server.silent = true;
    server.put('configmaps', record('b'));
    server.put('configmaps', record('c'));
    server.delete('configmaps', 'kube-system', 'c.v1');
    server.put('configmaps', record('a', 1, { info: { status: { code: 'FAILED' } } }));
    server.silent = false;
    server.expire();
    await expectEvents(streams, ['DELETED a.v1 FAILED', 'ADDED b.v1 DEPLOYED']);
    assert.equal((await list('expired')).text, 'b.1');
  });

  test('an API server that is away for 10 s: reads and streams go on, and nothing is lost', async () => {
    const { server, streams } = await watch('away');
    await server.down();
    const end = performance.now() + 10_000;
    let ageMs = 0;
    while (performance.now() < end) {
      const { status, text, reads } = await list('away');
      assert.deepEqual([status, text], [200, 'a.1']);
      const age = Number(/^records; age=(\d+)ms$/.exec(reads)?.[1]);
      assert.ok(age >= ageMs, reads);
      ageMs = age;
      for (const stream of streams) assert.match((await stream.next())!.type, /^(HEARTBEAT|comment)$/);
    }
    const { reads } = await list('away');
    assert.match(reads, /^records; age=\d{5}ms$/);
    server.put('configmaps', record('b'));
    await server.up();
    await expectEvents(streams, ['ADDED b.v1 DEPLOYED']);
    assert.equal((await list('away')).text, 'a.1 b.1');
  });

  test('rights that are taken away end streams with the reason, and are asked for again', async () => {
    const { server, streams } = await watch('rights');
    for (const verb of ['list', 'watch', 'get']) server.denied.add(`${verb} configmaps`);
    server.cutWatches();
    for (const stream of streams) assert.equal((await stream.last())?.error?.reason, 'RECORDS_UNAVAILABLE');
    const refused = await list('rights');
    assert.equal(refused.status, 503);
    server.put('configmaps', record('b'));
    server.denied.clear();
    await listed('rights', 'a.1 b.1');
  });

  test('a record that is garbage costs itself, and is named', async () => {
    const { server, streams } = await watch('garbage');
    const good = record('b');
    server.put('configmaps', { ...good, data: { release: 'H4sIAAAAAAAA' } });
    server.put('configmaps', { ...record('a'), data: { release: '!' } });
    server.put('configmaps', record('c'));
    await expectEvents(streams, ['DELETED a.v1 DEPLOYED', 'ADDED c.v1 DEPLOYED']);
    assert.equal((await list('garbage')).text, 'c.1');
    const { clusters } = (await (await fetch(`${hub.url}/clusters`)).json()) as {
      clusters: { name: string; reads?: { unreadable: number } }[];
    };
    assert.equal(clusters.find(({ name }) => name === 'garbage')?.reads?.unreadable, 2);
    server.put('configmaps', good);
    await expectEvents(streams, ['ADDED b.v1 DEPLOYED']);
  });

  test('2,000 changes at once: every client gets each, in order, and reads are answered meanwhile', async () => {
    const { server, streams } = await watch('flood');
    const names = Array.from({ length: 1_000 }, (_, index) => `r${index}`);
    const added = names.map(name => `ADDED ${name}.v1 DEPLOYED`);
    const deleted = names.map(name => `DELETED ${name}.v1 DEPLOYED`);
    const all = Promise.all(streams.map(stream => stream.take(2_000)));
    for (const name of names) server.put('configmaps', record(name));
    for (const name of names) server.delete('configmaps', 'kube-system', `${name}.v1`);
    const during = await list('flood');
    assert.equal(during.status, 200);
    for (const seen of await all) assert.deepEqual(seen, [...added, ...deleted]);
    assert.equal((await list('flood')).text, 'a.1');
  });

  test('a client that comes back after a cut goes on where it was', async () => {
    const { server, streams } = await watch('late');
    server.put('configmaps', record('b'));
    const { id } = await streams[0]!.until('ADDED');
    streams[0]!.leave();
    server.cutWatches();
    server.put('configmaps', record('c'));
    const url = `${hub.url}/clusters/late/tiller/v2/releases/watch/json?resume_after=${id}`;
    const again = await EventStream.open(url);
    owner.after(() => again.leave());
    assert.deepEqual(await again.take(1), ['ADDED c.v1 DEPLOYED']);
  });
});

test('a clock that jumps changes nothing', async () => {
  const { server, streams } = await watch('clock');
  const { now } = Date;
  try {
    for (const [name, jumpMs] of [
      ['b', 3_600_000],
      ['c', -3_600_000],
    ] as const) {
      Date.now = () => now() + jumpMs;
      server.put('configmaps', record(name));
      await expectEvents(streams, [`ADDED ${name}.v1 DEPLOYED`]);
      const { status, reads } = await list('clock');
      assert.equal(status, 200);
      assert.match(reads, /^records; age=\d{1,5}ms$/);
      for (const stream of streams)
        assert.match(shown((await stream.next())!), /^(HEARTBEAT|COMMENT|comment)$/);
    }
  } finally {
    Date.now = now;
  }
});
