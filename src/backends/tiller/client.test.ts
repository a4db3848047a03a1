import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { constants, createServer as createHttp2Server, type Settings } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { eventually } from '../../../test/support/eventually.ts';
import { startStubTiller, tillerVersion } from '../../../test/support/stub-tiller.ts';
import { createDirectConnector } from '../../clusters/upstreams/connectors.ts';
import { encodeMessage } from '../../codec/schema.ts';
import { Budget, Code, GatewayError, toFrame } from '../../protocol/index.ts';
import { TillerClient, type TillerClientOptions } from './client.ts';
import type { TillerMethod } from './methods.ts';

const never = new AbortController().signal;
const free = { signal: never, deadline: undefined };
const nothing = Buffer.alloc(0);
const reply = encodeMessage('hapi.services.tiller.GetReleaseStatusResponse', { name: 'alpha' });

function clientOf(
  endpoint: string,
  options: Partial<TillerClientOptions> = {},
): TillerClient & AsyncDisposable {
  const client = new TillerClient({
    connector: createDirectConnector(endpoint),
    tls: undefined,
    keepaliveMs: 30_000,
    keepaliveTimeoutMs: 10_000,
    maxMessageBytes: 24 * 1024 * 1024,
    connectTimeoutMs: 5_000,
    waitMs: 5_000,
    timeoutMs: 20_000,
    connections: 1,
    rawErrors: false,
    ...options,
  });
  return Object.assign(client, { [Symbol.asyncDispose]: async () => client.destroy() });
}

async function collect(messages: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

describe('one kept connection', () => {
  test('the version is asked once, then spoken, and all calls share the connection', async () => {
    await using stub = await startStubTiller({ replies: { GetReleaseStatus: { responses: [reply] } } });
    await using client = clientOf(stub.address);
    const calls = Array.from({ length: 50 }, () => client.unary('GetReleaseStatus', nothing, free));
    for (const got of await Promise.all(calls)) assert.deepEqual(got, reply);
    assert.equal(stub.connectionCount, 1);
    assert.equal(stub.callsOf('GetVersion').length, 1);
    assert.deepEqual(stub.callsOf('GetReleaseStatus')[0]?.metadata.get('x-helm-api-client'), ['v2.17.0']);
    assert.deepEqual(stub.callsOf('GetVersion')[0]?.metadata.get('x-helm-api-client'), []);
  });

  test('several connections share the calls where that is asked for', async () => {
    await using stub = await startStubTiller({ replies: { GetReleaseStatus: { responses: [reply] } } });
    await using client = clientOf(stub.address, { connections: 3 });
    for (let call = 0; call < 9; call++) await client.unary('GetReleaseStatus', nothing, free);
    assert.equal(stub.connectionCount, 3);
  });

  test('killed in the middle of a read and back: the read is answered all the same', async () => {
    await using stub = await startStubTiller({ replies: { GetReleaseStatus: { hang: 'before' } } });
    await using client = clientOf(stub.address);
    const call = client.unary('GetReleaseStatus', nothing, free);
    await stub.arrival('GetReleaseStatus');
    await stub.kill();
    stub.answer('GetReleaseStatus', { responses: [reply] });
    await stub.restart();
    assert.deepEqual(await call, reply);
    assert.equal(stub.callsOf('GetReleaseStatus').length, 2);
  });

  test('killed in the middle of a write: it fails, says so, and is not sent again', async () => {
    await using stub = await startStubTiller({ replies: { InstallRelease: { hang: 'before' } } });
    await using client = clientOf(stub.address);
    const call = client.unary('InstallRelease', nothing, free);
    await stub.arrival('InstallRelease');
    await stub.kill();
    await stub.restart();
    await assert.rejects(call, {
      code: 14,
      reason: 'UPSTREAM_LOST',
      message:
        'the connection to Tiller was lost before Tiller answered: the release may have been changed all the same; ask for its status or history, or for the list of releases, before you send this again',
    });
    await client.check(AbortSignal.timeout(5_000));
    assert.equal(stub.callsOf('InstallRelease').length, 1);
  });

  test('killed while idle: the next call, even a write, finds the new one', async () => {
    await using stub = await startStubTiller({ replies: { InstallRelease: { responses: [reply] } } });
    const { promise: lost, resolve } = Promise.withResolvers<void>();
    await using client = clientOf(stub.address, { onLost: () => resolve() });
    await client.check(AbortSignal.timeout(5_000));
    await stub.kill();
    await lost;
    await stub.restart();
    assert.deepEqual(await client.unary('InstallRelease', nothing, free), reply);
  });
});

describe('the bytes of a reply', () => {
  const large = encodeMessage('hapi.services.tiller.GetReleaseStatusResponse', { name: 'x'.repeat(900_000) });

  test('count while they arrive, and no more once the reply is taken', async () => {
    await using stub = await startStubTiller({ replies: { '*': { responses: [large] } } });
    await using client = clientOf(stub.address);
    const budget = new Budget(1_000_000);
    const owner = new EventEmitter();
    const counts: number[] = [];
    const { answer, ...hold } = budget.open(owner);
    const counting = {
      ...hold,
      answer(bytes: number) {
        answer(bytes);
        counts.push(budget.used);
      },
    };
    await client.unary('GetReleaseStatus', nothing, { ...free, hold: counting });
    assert.ok(counts.length > 1 && counts.at(-1)! > 880_000, `${counts.length}: ${counts.at(-1)}`);
    assert.equal(budget.used, 0);
    assert.deepEqual(stub.callsOf('GetReleaseStatus')[0]?.metadata.get('tiller-gateway-call'), []);
  });

  for (const [method, reason] of [
    ['GetReleaseStatus', 'OVERLOADED'],
    ['InstallRelease', 'UPSTREAM_LOST'],
  ] as const) {
    test(`past the budget end ${method} with ${reason}, and free what they took`, async () => {
      await using stub = await startStubTiller({ replies: { '*': { responses: [large] } } });
      await using client = clientOf(stub.address);
      const budget = new Budget(1_000_000);
      const other = new EventEmitter();
      budget.open(other).answer(500_000);
      const call = client.unary(method, nothing, { ...free, hold: budget.open(new EventEmitter()) });
      await assert.rejects(call, { code: 14, reason });
      other.emit('close');
      assert.equal(budget.used, 0);
      await client.unary(method, nothing, { ...free, hold: budget.open(new EventEmitter()) });
    });
  }
});

describe('what ends a call', () => {
  test("Tiller's text becomes the code that it means, or stays raw where that is asked for", async () => {
    const failure = { status: 2, message: 'release: "nöpe" not found' };
    await using stub = await startStubTiller({ replies: { GetReleaseStatus: failure } });
    await using client = clientOf(stub.address);
    await assert.rejects(client.unary('GetReleaseStatus', nothing, free), {
      code: 5,
      message: failure.message,
    });
    await using raw = clientOf(stub.address, { rawErrors: true });
    await assert.rejects(raw.unary('GetReleaseStatus', nothing, free), { code: 2, message: failure.message });
  });

  test('a deadline travels to Tiller and ends a call that it never answers', async () => {
    await using stub = await startStubTiller({ replies: { GetReleaseStatus: { hang: 'before' } } });
    await using client = clientOf(stub.address);
    const deadline = performance.now() + 300;
    await assert.rejects(client.unary('GetReleaseStatus', nothing, { signal: never, deadline }), {
      code: 4,
    });
    const call = stub.callsOf('GetReleaseStatus')[0];
    assert.ok(call && Number(call.deadline) - Date.now() < 400);
    await call.done;
    assert.equal(call.outcome, 'cancelled');
  });

  test('the client goes away: the call is cancelled at Tiller', async () => {
    await using stub = await startStubTiller({ replies: { InstallRelease: { hang: 'before' } } });
    await using client = clientOf(stub.address);
    const controller = new AbortController();
    const call = client.unary('InstallRelease', nothing, { signal: controller.signal, deadline: undefined });
    const arrived = await stub.arrival('InstallRelease');
    controller.abort(new GatewayError(1, 'the client has gone'));
    await assert.rejects(call, { code: 1, message: 'the client has gone' });
    await arrived.done;
    assert.equal(arrived.outcome, 'cancelled');
  });

  test('a client that has gone before its call begins costs Tiller nothing', async () => {
    await using stub = await startStubTiller({ replies: { '*': { hang: 'before' }, GetReleaseStatus: {} } });
    await using client = clientOf(stub.address);
    const gone = {
      signal: AbortSignal.abort(new GatewayError(1, 'the client has gone')),
      deadline: undefined,
    };
    for (let round = 0; round < 2; round++) {
      await assert.rejects(client.unary('InstallRelease', nothing, gone), { code: 1 });
      await assert.rejects(collect(client.stream('ListReleases', nothing, gone)), { code: 1 });
      await assert.rejects(client.unary('GetReleaseStatus', nothing, gone), { code: 1 });
      // the second round has a connection, on which streams arrive in their order
      await client.unary('GetReleaseStatus', nothing, free);
    }
    assert.deepEqual(
      stub.calls.map(call => call.method),
      ['GetVersion', 'GetReleaseStatus', 'GetReleaseStatus'],
    );
  });

  test('a client goes away at any moment of the start of its call: no stream stays open at Tiller', async () => {
    const reads = { GetVersion: { responses: [tillerVersion] }, GetReleaseStatus: {} };
    await using stub = await startStubTiller({ replies: { '*': { hang: 'before' }, ...reads } });
    await using client = clientOf(stub.address);
    await client.unary('GetReleaseStatus', nothing, free);
    // grpc-js opens a stream some promises after the call was started: each number of them is one of the moments
    for (let promises = 0; promises < 40; promises++) {
      for (const method of ['InstallRelease', 'GetReleaseContent'] as const) {
        const controller = new AbortController();
        const call = client.unary(method, nothing, { signal: controller.signal, deadline: undefined });
        const ended = assert.rejects(call, { code: 1 });
        for (let i = 0; i < promises; i++) await undefined;
        controller.abort(new GatewayError(1, 'the client has gone'));
        await ended;
      }
    }
    await client.unary('GetReleaseStatus', nothing, free); // everything before it has arrived
    await eventually(() => stub.openStreams.size === 0);
    assert.ok(stub.callsOf('InstallRelease').length > 0); // the later moments came after the stream was opened
  });

  test('a message over the limit is refused, and the connection goes on', async () => {
    await using stub = await startStubTiller({
      replies: { GetReleaseStatus: { responses: [Buffer.alloc(5000)] } },
    });
    await using client = clientOf(stub.address, { maxMessageBytes: 4000 });
    await assert.rejects(client.unary('GetReleaseStatus', nothing, free), { code: 8 });
    stub.answer('GetReleaseStatus', { responses: [reply] });
    assert.deepEqual(await client.unary('GetReleaseStatus', nothing, free), reply);
    assert.equal(stub.connectionCount, 1);
  });
});

describe('streams', () => {
  test('all messages, none, and an error at the end', async () => {
    await using stub = await startStubTiller();
    await using client = clientOf(stub.address);
    const messages = Array.from({ length: 30 }, (_, index) => Buffer.alloc(100_000, index));
    stub.answer('ListReleases', { responses: messages });
    assert.deepEqual(await collect(client.stream('ListReleases', nothing, free)), messages);
    stub.answer('ListReleases', {});
    assert.deepEqual(await collect(client.stream('ListReleases', nothing, free)), []);
    stub.answer('ListReleases', { responses: [reply], status: 2, message: 'offset "zzz" not found' });
    await assert.rejects(collect(client.stream('ListReleases', nothing, free)), { code: 3 });
  });

  test('leaving early cancels the call, after the first message as well as later', async () => {
    await using stub = await startStubTiller({
      replies: { RunReleaseTest: { responses: [reply, reply], hang: 'after' } },
    });
    await using client = clientOf(stub.address);
    for (const [attempt, wanted] of [1, 2].entries()) {
      let taken = 0;
      for await (const _ of client.stream('RunReleaseTest', nothing, free)) if (++taken === wanted) break;
      const call = await stub.arrival('RunReleaseTest', attempt + 1);
      await call.done;
      assert.equal(call.outcome, 'cancelled');
    }
  });
});

describe('a Tiller out of reach', () => {
  test('nobody listens: UNAVAILABLE after the wait, at once while it stays so', async () => {
    const stub = await startStubTiller();
    await stub.stop();
    await using client = clientOf(stub.address, { waitMs: 300 });
    await assert.rejects(client.unary('GetVersion', nothing, free), {
      code: 14,
      message: /connection refused/,
    });
    await assert.rejects(client.check(AbortSignal.timeout(5_000)), { code: 14 });
  });

  test('an address that accepts and says nothing', async () => {
    const sockets = new Set<Socket>();
    const server = createServer(socket => void sockets.add(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await using client = clientOf(`127.0.0.1:${port}`, { waitMs: 300, connectTimeoutMs: 200 });
    await assert.rejects(client.unary('GetVersion', nothing, free), {
      code: 14,
      message: 'Tiller was not reached within 0.2 s',
    });
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  test('an address that speaks HTTP/1.1', async t => {
    const server = createServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(
      0,
      '127.0.0.1',
    );
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await using client = clientOf(`127.0.0.1:${port}`, { waitMs: 1_000, connectTimeoutMs: 30_000 });
    await assert.rejects(client.unary('GetVersion', nothing, free), {
      code: 14,
      message: /HTTP\/2 handshake/,
    });
  });
});

describe('a peer that breaks off', () => {
  /** Knows its version and resets every other call. */
  async function startResetting(
    t: TestContext,
    code: number = constants.NGHTTP2_INTERNAL_ERROR,
  ): Promise<{ endpoint: string; settings: Settings[]; calls: string[] }> {
    const settings: Settings[] = [];
    const calls: string[] = [];
    const server = createHttp2Server();
    server.on('session', session => session.on('remoteSettings', given => settings.push(given)));
    server.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      calls.push(headers[':path']?.split('/').at(-1) ?? '');
      if (!headers[':path']?.endsWith('/GetVersion')) return stream.close(code);
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(toFrame(tillerVersion));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    return { endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}`, settings, calls };
  }

  test('a reset is not the loss of the connection: not tried again, and the next call gets a new one', async t => {
    const { endpoint, settings, calls } = await startResetting(t);
    const lost: string[] = [];
    await using client = clientOf(endpoint, { onLost: (_target, reason) => lost.push(reason) });
    await assert.rejects(client.unary('GetReleaseStatus', nothing, free), {
      code: 13,
      message:
        'Tiller ended the call without saying why (HTTP/2 error 2); so it does when its error text is over 64 KiB',
    });
    assert.equal((await client.check(never)).version, 'v2.17.0');
    assert.deepEqual(calls, ['GetVersion', 'GetReleaseStatus', 'GetVersion']);
    assert.equal(settings.length, 2);
    assert.equal(settings[0]?.maxHeaderListSize, 65_535);
    assert.deepEqual(lost, []);
  });

  test('a write whose call ends without an answer says that it may have happened, a read and a dry run do not', async t => {
    for (const code of [0, 1, 2, 11]) {
      const { endpoint } = await startResetting(t, code);
      await using client = clientOf(endpoint);
      const maybe = {
        code: 13,
        message: /\(HTTP\/2 error .*: the release may have been changed all the same; ask /,
      };
      for (const method of [
        'InstallRelease',
        'UpdateRelease',
        'RollbackRelease',
        'UninstallRelease',
      ] as const)
        await assert.rejects(client.unary(method, nothing, free), maybe, `${method}, ${code}`);
      await assert.rejects(client.unary('GetHistory', nothing, free), {
        message: /^(?!.*may have been changed)/,
      });
      const dryRun = encodeMessage('hapi.services.tiller.InstallReleaseRequest', {
        name: 'a',
        dry_run: true,
      });
      await assert.rejects(client.unary('InstallRelease', dryRun, free), {
        message: /^(?!.*may have been)/,
      });
    }
  });

  test('so does a write whose deadline passes: Tiller goes on with it', async () => {
    await using stub = await startStubTiller({ replies: { '*': { hang: 'before' } } });
    await using client = clientOf(stub.address);
    await client.check(never); // else the deadline could pass while it is opened
    const late = async (method: 'InstallRelease' | 'GetHistory', message: RegExp) => {
      const context = { signal: never, deadline: performance.now() + 300 };
      await assert.rejects(client.unary(method, nothing, context), { code: 4, message });
    };
    await late(
      'InstallRelease',
      /before Tiller answered: the release may have been changed all the same; ask /,
    );
    await late('GetHistory', /before Tiller answered$/);
  });

  test('so does a write that is ended here', async () => {
    await using stub = await startStubTiller({ replies: { '*': { hang: 'before' } } });
    await using client = clientOf(stub.address);
    const dryRun = encodeMessage('hapi.services.tiller.InstallReleaseRequest', { name: 'a', dry_run: true });
    const calls: [TillerMethod, Uint8Array, RegExp][] = [
      ['UpdateRelease', nothing, /^too late: the release may have been changed all the same; ask /],
      ['InstallRelease', dryRun, /^too late$/],
      ['GetHistory', nothing, /^too late$/],
    ];
    for (const [method, request, message] of calls) {
      const caller = new AbortController();
      const call = client.unary(method, request, { signal: caller.signal, deadline: undefined });
      call.catch(() => {});
      await stub.arrival(method);
      caller.abort(new GatewayError(Code.DEADLINE_EXCEEDED, 'too late'));
      await assert.rejects(call, { code: 4, reason: 'DEADLINE_EXCEEDED', message });
    }
  });

  test('a failure without a text says so', async () => {
    await using stub = await startStubTiller({ replies: { GetHistory: { status: 2 } } });
    await using client = clientOf(stub.address);
    const failed = { code: 2, message: 'Tiller failed without saying why' };
    await assert.rejects(client.unary('GetHistory', nothing, free), failed);
  });

  // Node itself ends a call by the second where the text is a little over 64 KiB
  test("a dry run whose error text is too long for a header is the caller's fault, and says how to see it", async t => {
    for (const reset of [constants.NGHTTP2_INTERNAL_ERROR, constants.NGHTTP2_ENHANCE_YOUR_CALM])
      for (const method of ['InstallRelease', 'UpdateRelease'] as const) {
        const { endpoint } = await startResetting(t, reset);
        await using client = clientOf(endpoint, { rawErrors: true });
        const requestOf = (dry_run: boolean) =>
          encodeMessage(`hapi.services.tiller.${method}Request`, { name: 'a', dry_run });
        const failed = { code: 3, message: /over 64 KiB.*without dry_run/, reason: 'CHART_INVALID' };
        await assert.rejects(client.unary(method, requestOf(true), free), failed);
        const passed = client.pass(method, requestOf(true), new grpc.Metadata(), free);
        await assert.rejects(collect(passed), failed);
        await assert.rejects(client.unary(method, requestOf(false), free), { code: 13 });
      }
  });

  test("a client's deadline beyond the bound of calls does not count", async () => {
    await using stub = await startStubTiller({ replies: { GetReleaseStatus: { hang: 'before' } } });
    await using client = clientOf(stub.address, { timeoutMs: 100 });
    const patient = { signal: never, deadline: performance.now() + 3_600_000 };
    await assert.rejects(client.unary('GetReleaseStatus', nothing, patient), { code: 4 });
  });
});
