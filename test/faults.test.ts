/** What goes wrong around the gateway: Tiller dies or stays silent, clients leave or send half, many say nothing. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { encodeMessage } from '../src/codec/schema.ts';
import { eventually } from './support/eventually.ts';
import {
  FrameScanner,
  flags,
  frame,
  frameType,
  headersFrame,
  preface,
  requestHeaders,
  settingsFrame,
} from './support/http2-frames.ts';
import { type StubHandler, type StubTiller, startStubTiller } from './support/stub-tiller.ts';
import { callTiller, openTiller } from './support/tiller-client.ts';
import { startWholeGateway, type WholeGateway } from './support/whole-gateway.ts';

const install = '/tiller/v2/releases/alpha/json';
const status = '/tiller/v2/releases/alpha/status/json';
const chart = { metadata: { name: 'x' } };
/** An install that Tiller may take five minutes for. */
const longInstall = JSON.stringify({ chart, wait: true, timeout: '300' });
const statusReply = encodeMessage('hapi.services.tiller.GetReleaseStatusResponse', { name: 'alpha' });

interface Stage extends WholeGateway {
  readonly stub: StubTiller;
}

async function startStage(
  t: TestContext,
  replies: Record<string, StubHandler>,
  flags: string[] = [],
): Promise<Stage> {
  const stub = await startStubTiller({ replies });
  t.after(() => stub.stop()); // also where the gateway does not start
  const gateway = await startWholeGateway(t, stub, flags);
  return { ...gateway, stub };
}

async function get(url: string, init?: RequestInit): Promise<[number, Record<string, unknown>]> {
  const response = await fetch(url, init);
  return [response.status, JSON.parse(await response.text())];
}

describe('Tiller is killed', { concurrency: true }, () => {
  test('in the middle of a write: 503, not sent again; and back: served again', async t => {
    const { url, stub } = await startStage(t, { InstallRelease: { hang: 'before' } });
    const answer = get(url + install, { method: 'POST', body: longInstall });
    await stub.arrival('InstallRelease');
    await stub.kill();
    assert.deepEqual(await answer, [
      503,
      {
        code: 14,
        message:
          'the connection to Tiller was lost before Tiller answered: the release may have been changed all the same; ask for its status or history, or for the list of releases, before you send this again',
        reason: 'UPSTREAM_LOST',
      },
    ]);
    await stub.restart();
    stub.answer('InstallRelease', { responses: [Buffer.alloc(0)] });
    assert.equal((await get(url + install, { method: 'POST', body: longInstall }))[0], 200);
    assert.equal(stub.callsOf('InstallRelease').length, 2);
  });

  test('in the middle of a write over gRPC, of either service: UNAVAILABLE that says what may have happened', async t => {
    const { address, stub } = await startStage(t, { UninstallRelease: { hang: 'before' } });
    using client = openTiller(address);
    const request = encodeMessage('hapi.services.tiller.UninstallReleaseRequest', { name: 'alpha' });
    const paths = ['UninstallRelease', '/appscode.swift.v2.ReleaseService/UninstallRelease'];
    const answers = paths.map(path => callTiller(client, path, request));
    await stub.arrival('UninstallRelease', 2);
    await stub.kill();
    for (const { status, message } of await Promise.all(answers)) {
      assert.equal(status, 14);
      assert.match(
        message,
        /lost before Tiller answered: the release may have been changed all the same; ask/,
      );
    }
  });

  test('in the middle of a read, and back at once: nobody notices', async t => {
    const { url, stub } = await startStage(t, { GetReleaseStatus: { hang: 'before' } });
    const answers = Array.from({ length: 20 }, () => get(url + status));
    await stub.arrival('GetReleaseStatus', 20);
    stub.answer('GetReleaseStatus', { responses: [statusReply] });
    await stub.kill();
    await stub.restart();
    for (const [code, body] of await Promise.all(answers))
      assert.deepEqual([code, body.name], [200, 'alpha']);
  });

  test('in the middle of a stream: the lines so far, then the error', async t => {
    const line = encodeMessage('hapi.services.tiller.TestReleaseResponse', { msg: 'RUNNING: a' });
    const { url, stub } = await startStage(t, { RunReleaseTest: { responses: [line], hang: 'after' } });
    const response = await fetch(`${url}/tiller/v2/releases/a/test/json`, { method: 'POST' });
    assert.equal(response.status, 200); // the first line is there while the call goes on
    await stub.kill();
    const lines = (await response.text()).trimEnd().split('\n');
    assert.deepEqual(
      lines.map(text => JSON.parse(text)),
      [
        { result: { msg: 'RUNNING: a' } },
        {
          error: {
            code: 14,
            message:
              'the connection to Tiller was lost in the middle of the answer: the release may have been changed all the same; ask for its status or history, or for the list of releases, before you send this again',
            reason: 'UPSTREAM_LOST',
          },
        },
      ],
    );
  });

  test('and stays away: /readyz says why, /healthz is not concerned', async t => {
    const { url, stub } = await startStage(t, {});
    await eventually(async () => (await fetch(`${url}/readyz`)).status === 200);
    await stub.kill();
    const ready = await eventually(async () => {
      const response = await fetch(`${url}/readyz`);
      return response.status !== 200 && response;
    });
    assert.equal(ready.status, 503);
    assert.match(await ready.text(), new RegExp(stub.address));
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
  });

  test('and stays away: requests that are wrong are answered as such, and what needs no Tiller is answered', async t => {
    const { url, address, stub } = await startStage(t, {});
    await stub.kill();
    await eventually(async () => (await fetch(`${url}/readyz`)).status === 503);
    const post = (body: string) => ({ method: 'POST', body });
    const cases: [string, RequestInit | undefined, number][] = [
      ['/tiller/v2/releases/json?limit=-1', undefined, 400],
      ['/tiller/v2/releases/json?status_codes=NONE', undefined, 400],
      ['/tiller/v2/releases/alpha/status/json?version=x', undefined, 400],
      [install, post('{'), 400],
      [install, post(JSON.stringify({ chart: {} })), 400],
      [install, post(JSON.stringify({ chart_url: 'ftp://host/chart.tgz' })), 400],
      ['/tiller/v2/charts/json', undefined, 200],
      ['/tiller/v2/releases/json', undefined, 503],
      ['/tiller/v2/version/json', undefined, 503],
      [install, post(longInstall), 503],
    ];
    using client = openTiller(address);
    const call = async (method: string, request: Uint8Array) =>
      (await callTiller(client, method, request)).status;
    const swift = '/appscode.swift.v2.ReleaseService';
    const unreachable = call(`${swift}/SummarizeReleases`, Buffer.alloc(0));
    const answers = cases.map(async ([path, init]) => (await get(url + path, init))[0]);
    assert.deepEqual(
      await Promise.all(answers),
      cases.map(([, , status]) => status),
    );
    const negative = encodeMessage('hapi.services.tiller.ListReleasesRequest', { limit: -1 });
    assert.equal(await call(`${swift}/SummarizeReleases`, Buffer.from([0xff])), 3);
    assert.equal(await call(`${swift}/SearchCharts`, Buffer.alloc(0)), 0);
    assert.equal(await call('ListReleases', negative), 3);
    assert.equal(await unreachable, 14);
  });
});

test('equal lists that wait for Tiller share its answer, whichever front they came by', async t => {
  const reply = Promise.withResolvers<{ responses: Buffer[] }>();
  const { url, address, stub } = await startStage(t, { ListReleases: () => reply.promise });
  const list = '/tiller/v2/releases/json?limit=7';
  using client = openTiller(address);
  const request = encodeMessage('appscode.swift.v2.SummarizeReleasesRequest', { limit: 7 });
  const first = get(url + list);
  await stub.arrival('ListReleases');
  const leave = new AbortController();
  const leaver = get(url + list, { signal: leave.signal }).catch(() => 'left');
  const others = Array.from({ length: 20 }, () => get(url + list));
  const overGrpc = callTiller(client, '/appscode.swift.v2.ReleaseService/SummarizeReleases', request);
  const different = get(`${url}/tiller/v2/releases/json?limit=8`);
  await stub.arrival('ListReleases', 2);
  leave.abort();
  await leaver;
  const late = await get(url + list, { headers: { 'grpc-timeout': '20m' } });
  assert.deepEqual(late[0], 504);
  const page = encodeMessage('hapi.services.tiller.ListReleasesResponse', { count: 1, total: 1 });
  // the first, the others, both other ones, and the question itself
  await eventually(async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const counts = [...metrics.matchAll(/^tiller_gateway_requests_in_flight\{.*\} (\d+)$/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0) >= others.length + 4;
  });
  reply.resolve({ responses: [page] });
  for (const [code, body] of await Promise.all([first, different, ...others]))
    assert.deepEqual([code, body.total], [200, '1']);
  assert.equal((await overGrpc).status, 0);
  assert.equal(stub.callsOf('ListReleases').length, 2);
  await get(url + list);
  assert.equal(stub.callsOf('ListReleases').length, 3, 'an answer is not kept');
});

describe('Tiller never answers', { concurrency: true }, () => {
  test("the client's deadline ends the call, here and at Tiller", async t => {
    const { url, stub } = await startStage(t, { GetReleaseStatus: { hang: 'before' } });
    // on a busy machine a deadline may be over before Tiller has the call
    for (let ms = 200; stub.callsOf('GetReleaseStatus').length === 0; ms *= 2) {
      const [code, body] = await get(url + status, { headers: { 'grpc-timeout': `${ms}m` } });
      assert.deepEqual([code, body.code], [504, 4]);
    }
    const call = stub.callsOf('GetReleaseStatus')[0];
    await call?.done;
    assert.equal(call?.outcome, 'cancelled');
  });

  test('so does the bound of the gateway where the client has none, or a later one', async t => {
    const { url } = await startStage(t, { GetReleaseStatus: { hang: 'before' } }, ['--tiller-timeout=1s']);
    const answers = [get(url + status), get(url + status, { headers: { 'grpc-timeout': '1H' } })];
    for (const [code, body] of await Promise.all(answers)) assert.deepEqual([code, body.code], [504, 4]);
  });
});

describe('the client leaves during a five-minute install, which is cancelled at Tiller', {
  concurrency: true,
}, () => {
  const leavers: Record<string, (gateway: WholeGateway, arrived: Promise<unknown>) => Promise<void>> = {
    async 'over HTTP/1.1'({ port }, arrived) {
      const request = httpRequest({ port, path: install, method: 'POST', agent: false });
      request.on('error', () => {}).end(longInstall);
      await arrived;
      request.destroy();
    },
    async 'over HTTP/1.1, with a second install behind it that is not begun before the first is answered'(
      { port },
      arrived,
    ) {
      const socket = connect({ port, host: '127.0.0.1' });
      const one = (path: string) =>
        `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${longInstall.length}\r\n\r\n${longInstall}`;
      socket.on('error', () => {}).write(one(install) + one(install));
      await arrived;
      socket.destroy();
    },
    async 'over HTTP/2, the stream alone'({ url }, arrived) {
      const session = connectHttp2(url);
      const stream = session.request({ ':method': 'POST', ':path': install });
      stream.on('error', () => {}).end(longInstall);
      await arrived;
      stream.close(8);
      await once(stream, 'close');
      session.close();
    },
    async 'over HTTP/2, with its connection'({ url }, arrived) {
      const session = connectHttp2(url);
      session
        .request({ ':method': 'POST', ':path': install })
        .on('error', () => {})
        .end(longInstall);
      await arrived;
      session.destroy();
    },
    async 'over gRPC'({ address }, arrived) {
      using client = openTiller(address);
      const leave = new AbortController();
      const request = encodeMessage('appscode.swift.v2.InstallReleaseRequest', { chart, wait: true });
      const path = '/appscode.swift.v2.ReleaseService/InstallRelease';
      const answer = callTiller(client, path, request, { signal: leave.signal });
      await arrived;
      leave.abort();
      assert.equal((await answer).status, 1);
    },
    async "over Tiller's own gRPC"({ address }, arrived) {
      using client = openTiller(address);
      const leave = new AbortController();
      const answer = callTiller(client, 'InstallRelease', Buffer.alloc(0), { signal: leave.signal });
      await arrived;
      leave.abort();
      assert.equal((await answer).status, 1);
    },
  };
  for (const [name, leave] of Object.entries(leavers)) {
    test(name, async t => {
      const stage = await startStage(t, { InstallRelease: { hang: 'before' } });
      const arrival = stage.stub.arrival('InstallRelease');
      // a second request of the connection would be there by the time that this one is answered
      const settled = arrival.then(() => get(`${stage.url}/tiller/v2/version/json`));
      await leave(stage, settled);
      const call = await arrival;
      await call.done;
      assert.equal(call.outcome, 'cancelled');
      await get(`${stage.url}/tiller/v2/version/json`);
      assert.deepEqual(stage.stub.callsOf('InstallRelease'), [call], 'nothing else was begun');
    });
  }
});

describe('a body that is cut off changes nothing', { concurrency: true }, () => {
  const half = longInstall.slice(0, 20);
  const heads = {
    'short of its length': `Content-Length: ${longInstall.length}\r\n\r\n${half}`,
    'in the middle of a chunk': `Transfer-Encoding: chunked\r\n\r\nff\r\n${half}`,
    'between chunks, where what came would be a whole request': `Transfer-Encoding: chunked\r\n\r\n${longInstall.length.toString(16)}\r\n${longInstall}\r\n`,
    'before its first byte': 'Content-Length: 2\r\n\r\n',
  };
  for (const [name, head] of Object.entries(heads)) {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      test(`${name} (${end})`, async t => {
        const { port, url, stub } = await startStage(t, { '*': {} });
        const socket = connect({ port, host: '127.0.0.1' });
        socket.on('error', () => {}).resume();
        socket.write(`POST ${install} HTTP/1.1\r\nHost: localhost\r\n${head}`);
        await get(`${url}/tiller/v2/version/json`); // by then the request has begun
        socket[end]();
        if (!socket.closed) await once(socket, 'close');
        await get(`${url}/tiller/v2/version/json`);
        assert.deepEqual(stub.callsOf('InstallRelease'), []);
      });
    }
  }
});

test('1,000 idle and half-open connections, and others are served meanwhile', async t => {
  // the slowest machine opens and counts them before one of them is closed for its silence
  const patience = [
    '--first-byte-timeout=5m',
    '--header-timeout=5m',
    '--request-timeout=10m',
    '--idle-timeout=10m',
  ];
  const replies = { GetReleaseStatus: { responses: [statusReply] } };
  const { port, url, address } = await startStage(t, replies, patience);
  const starts = [
    '',
    'GET /tiller/v2/version/json HTT',
    `POST ${install} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{`,
    preface.subarray(0, 10),
    Buffer.concat([preface, settingsFrame]),
    Buffer.concat([preface, settingsFrame, headersFrame(1, requestHeaders('POST', install))]),
    Buffer.from([0x16, 3, 1]),
    'GET /tiller/v2/version/json HTTP/1.1\r\nHost: localhost\r\n\r\n',
  ];
  const sockets = await Promise.all(
    Array.from({ length: 1000 }, async (_, index): Promise<Socket> => {
      const socket = connect({ port, host: '127.0.0.1' });
      const scanner = new FrameScanner();
      socket
        .on('error', () => {})
        .on('data', (chunk: Buffer) => {
          // a client that does not answer pings is closed
          for (const { kind, payload } of scanner.push(chunk))
            if (kind === frameType.ping) socket.write(frame(frameType.ping, flags.ack, 0, payload));
        });
      await once(socket, 'connect');
      const start = starts[index % starts.length] ?? '';
      if (start.length > 0) socket.write(start);
      return socket;
    }),
  );
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  using client = openTiller(address);
  const served = Array.from({ length: 100 }, async () => {
    assert.equal((await get(url + status))[0], 200);
    assert.equal((await callTiller(client, 'GetVersion', Buffer.alloc(0))).status, 0);
  });
  await Promise.all(served);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const open = [...metrics.matchAll(/^tiller_gateway_connections\{.*\} (\d+)$/gm)];
  const total = open.reduce((sum, [, count]) => sum + Number(count), 0);
  // without a certificate, whoever starts with TLS is closed at once: an eighth of them
  assert.ok(total >= 875, `${total} connections are open`);
  for (const socket of sockets) socket.destroy();
});
