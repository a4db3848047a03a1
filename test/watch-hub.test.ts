/** Streams of changes through an API server's service proxy, through a hub, and of many clusters at once. */
import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { Agent } from 'undici';
import type { Records } from '../src/backends/index.ts';
import { decodeMessage, encodeMessage } from '../src/codec/index.ts';
import type { SandboxKubernetes } from '../src/sandbox/index.ts';
import { EventStream } from './support/event-stream.ts';
import { eventually } from './support/eventually.ts';
import { FakeRecords } from './support/fake-records.ts';
import { startTestGateway, type TestGateway } from './support/gateway.ts';
import { createFolder, type HubStage, startCluster, startHub } from './support/hub-stage.ts';
import { callTiller, openTiller } from './support/tiller-client.ts';

const path = '/tiller/v2/releases/watch/json';
const serverSent = { accept: 'text/event-stream' };

const cleanups: (() => unknown)[] = [];
const owner = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };

/** A cluster with a gateway of its own behind its API server. */
interface Member {
  readonly records: FakeRecords;
  readonly gateway: TestGateway;
  readonly kubernetes: SandboxKubernetes;
}

let members: { east: Member; west: Member };
let hub: HubStage;

async function startMember(): Promise<Member> {
  const records = new FakeRecords();
  const gateway = await startTestGateway('127.0.0.1:9', {
    records: records as unknown as Records,
    live: { heartbeatMs: 50 },
  });
  owner.after(() => gateway[Symbol.asyncDispose]());
  const kubernetes = await startCluster(owner, 9);
  kubernetes.setGateway({ host: '127.0.0.1', port: Number(new URL(gateway.url).port) });
  return { records, gateway, kubernetes };
}

before(async () => {
  const stage = createFolder(owner);
  members = { east: await startMember(), west: await startMember() };
  for (const [name, { kubernetes }] of Object.entries(members))
    await kubernetes.writeKubeconfig(`${stage.folder}/${name}`);
  const text = `clusters:
- {name: east, upstream: gateway, kubeconfig: east}
- {name: west, upstream: gateway, kubeconfig: west}
- {name: old, upstream: direct, endpoint: "127.0.0.1:9"}
`;
  hub = await startHub(owner, stage, text, ['--tiller-timeout=1s', '--watch-heartbeat=100ms']);
});

after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

async function open(t: TestContext, ...args: Parameters<typeof EventStream.open>): Promise<EventStream> {
  const stream = await EventStream.open(...args);
  t.after(() => stream.leave());
  return stream;
}

describe('a stream of changes', () => {
  test("through an API server's service proxy, each event at once", async t => {
    const { kubernetes, records } = members.east;
    const dispatcher = new Agent({ connect: { ca: kubernetes.caPem } });
    t.after(() => dispatcher.destroy());
    const url = `${kubernetes.url}/api/v1/namespaces/kube-system/services/swift:http/proxy${path}`;
    const headers = { ...serverSent, authorization: `Bearer ${kubernetes.token}` };
    const stream = await open(t, url, { headers, dispatcher });
    await stream.next();
    for (const name of ['p1', 'p2']) {
      records.put({ name });
      assert.deepEqual(await stream.take(1), [`ADDED ${name}.v1 DEPLOYED`]);
    }
  });

  test('of one cluster through a hub, longer than a call may take, and resumed there', async t => {
    const { records, gateway } = members.west;
    const stream = await open(t, `${hub.url}/clusters/west${path}`, { headers: serverSent });
    const endAt = performance.now() + 1500; // --tiller-timeout is 1 s
    while (performance.now() < endAt) await stream.until('comment');
    records.put({ name: 'a' });
    records.put({ name: 'b' });
    const first = await stream.until('ADDED');
    assert.equal(first.release?.name, 'a');
    stream.leave();
    await eventually(() => gateway.live.counts().streams === 0);
    const again = await open(t, `${hub.url}/clusters/west${path}`, {
      headers: { 'last-event-id': first.id },
    });
    assert.deepEqual(await again.take(1), ['ADDED b.v1 DEPLOYED']);
  });

  test('over gRPC, of a cluster that the metadata names', async () => {
    using client = openTiller(`127.0.0.1:${hub.port}`);
    const { records } = members.east;
    const request = encodeMessage('appscode.swift.v2.WatchReleasesRequest', { filter: '^g$' });
    const leaving = new AbortController();
    const types: string[] = [];
    const { status } = await callTiller(client, '/appscode.swift.v2.ReleaseService/WatchReleases', request, {
      metadata: { 'x-cluster': 'east' },
      signal: leaving.signal,
      onMessage(message) {
        const { type } = decodeMessage('appscode.swift.v2.WatchReleasesResponse', message);
        if (types.length === 0) records.put({ name: 'g' });
        if (types.at(-1) !== type) types.push(type);
        if (type === 'ADDED') leaving.abort();
      },
    });
    assert.equal(status, 1);
    assert.deepEqual(types, ['HEARTBEAT', 'ADDED']);
  });

  test('of all clusters: one that has no records is named, the others go on', async t => {
    const stream = await open(t, `${hub.url}/clusters/-${path}?filter=^x`, { headers: serverSent });
    assert.deepEqual(await stream.take(1), ['old: FAILED']);
    await eventually(() => members.east.gateway.live.counts().streams > 0);
    await eventually(() => members.west.gateway.live.counts().streams > 0);
    members.east.records.put({ name: 'x1' });
    assert.deepEqual(await stream.take(1), ['east: ADDED x1.v1 DEPLOYED']);
    members.west.records.put({ name: 'x2' });
    const last = await stream.until('ADDED');
    members.east.records.put({ name: 'x3' });
    const headers = { 'last-event-id': last.id };
    const some = `${hub.url}/clusters/-${path}?filter=^x&cluster=east&cluster=west`;
    assert.deepEqual(await (await open(t, some, { headers })).take(1), ['east: ADDED x3.v1 DEPLOYED']);
  });

  test('a hub that stops ends its streams with a last event', async t => {
    const one = await open(t, `${hub.url}/clusters/west${path}`);
    const all = await open(t, `${hub.url}/clusters/-${path}`, { headers: serverSent });
    await one.next();
    await all.next();
    const stopped = hub.gateway.stop();
    for (const stream of [one, all]) assert.equal((await stream.last())?.error?.reason, 'STOPPING');
    await stopped;
    await eventually(() => members.west.gateway.live.counts().streams === 0);
  });
});
