import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { createTestTiller } from '../../../test/support/gateway.ts';
import { type StubOptions, startStubTiller } from '../../../test/support/stub-tiller.ts';
import type { Connector } from '../../kubernetes/index.ts';
import { stepFailed } from '../../protocol/index.ts';
import { Bridge } from './bridge.ts';

const free = { signal: new AbortController().signal, deadline: undefined };
const nothing = Buffer.alloc(0);
const reply = Buffer.from('reply');

/** A stub behind a connector without a fixed address, as a tunnel is. */
async function startStage(options: StubOptions = {}) {
  const stub = await startStubTiller(options);
  const streams: Socket[] = [];
  const connector: Connector = {
    description: 'a tunnel',
    async connect() {
      const stream = connect(stub.port, '127.0.0.1');
      streams.push(stream);
      return { stream, authority: 'tiller.test:44134', target: `tunnel ${streams.length}` };
    },
  };
  return { stub, streams, connector };
}

test('the socket is in a folder for this user alone, and goes with the bridge', async () => {
  const { stub, connector } = await startStage();
  const first = await Bridge.open(connector, 1_000);
  const second = await Bridge.open(connector, 1_000);
  const folder = dirname(first.path);
  assert.equal(dirname(second.path), folder);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  first.destroy();
  assert.deepEqual(
    readdirSync(folder).map(name => join(folder, name)),
    [second.path],
  );
  second.destroy();
  assert.ok(!existsSync(folder));
  assert.ok(folder.startsWith(tmpdir()) || folder.startsWith('/tmp'));
  await stub.stop();
});

test('a tunnel that breaks with a reason: reads and lists are tried once more, a write is not', async () => {
  const hang = { hang: 'before' as const };
  const { stub, streams, connector } = await startStage({
    replies: { GetReleaseStatus: hang, ListReleases: hang, InstallRelease: hang },
  });
  const lost: string[] = [];
  const client = createTestTiller('none:1', { connector, onLost: (_target, reason) => lost.push(reason) });
  const read = client.unary('GetReleaseStatus', nothing, free);
  const list = client.stream('ListReleases', nothing, free).next();
  const write = client.unary('InstallRelease', nothing, free);
  for (const method of ['GetReleaseStatus', 'ListReleases', 'InstallRelease']) await stub.arrival(method);
  for (const method of ['GetReleaseStatus', 'ListReleases']) stub.answer(method, { responses: [reply] });
  streams[0]?.destroy(new Error('the pod was deleted'));
  await assert.rejects(write, { code: 14, reason: 'UPSTREAM_LOST', message: /lost before Tiller answered/ });
  assert.deepEqual(await read, reply);
  assert.deepEqual(await list, { done: false, value: reply });
  const counts = ['GetReleaseStatus', 'ListReleases', 'InstallRelease'].map(
    method => stub.callsOf(method).length,
  );
  assert.deepEqual(counts, [2, 2, 1]);
  assert.deepEqual(lost, ['the pod was deleted']);
  client.destroy();
  await stub.stop();
});

test('a read that is tried again waits as long as a new one, and then tells the step that failed', async () => {
  const { stub, streams, connector } = await startStage({
    replies: { GetReleaseStatus: { hang: 'before' } },
  });
  let gone = false;
  const client = createTestTiller('none:1', {
    waitMs: 3_000,
    connector: {
      ...connector,
      connect: signal => {
        if (gone) throw stepFailed('finding Tiller', 'no pod');
        return connector.connect(signal);
      },
    },
  });
  const read = client.unary('GetReleaseStatus', nothing, free);
  await stub.arrival('GetReleaseStatus');
  gone = true;
  streams[0]?.destroy();
  await assert.rejects(read, { code: 14, step: 'finding Tiller', message: 'finding Tiller: no pod' });
  client.destroy();
  await stub.stop();
});

test('no pings without a call: Tiller takes them for an attack', async () => {
  const { stub, connector } = await startStage({
    replies: { GetReleaseStatus: { responses: [reply] } },
    pingPolicy: false, // on a busy machine the call itself lasts for many pings
  });
  let lost = 0;
  const client = createTestTiller('none:1', { connector, keepaliveMs: 20, onLost: () => lost++ });
  assert.deepEqual(await client.unary('GetReleaseStatus', nothing, free), reply);
  const before = stub.pingCount;
  await new Promise(resolve => setTimeout(resolve, 400)); // twenty pings, or fewer where the machine is busy
  assert.ok(stub.pingCount <= before + 1, 'but for one that was already sent');
  stub.answer('GetReleaseStatus', { hang: 'before' });
  const open = client.unary('GetReleaseStatus', nothing, free);
  open.catch(() => {});
  await eventually(() => stub.pingCount > before + 4);
  assert.equal(lost, 0);
  client.destroy();
  await stub.stop();
});

test('pings of an open call that come too fast are strikes as well', async () => {
  const { stub, connector } = await startStage({ replies: { GetReleaseStatus: { hang: 'before' } } });
  let lost = 0;
  const client = createTestTiller('none:1', { connector, keepaliveMs: 20, onLost: () => lost++ });
  const read = client.unary('GetReleaseStatus', nothing, free);
  await assert.rejects(read, { code: 14, reason: 'UPSTREAM_LOST' });
  await eventually(() => lost >= 1);
  client.destroy();
  await stub.stop();
});
