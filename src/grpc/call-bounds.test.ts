import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect, createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { createTestRegistry, createTestTiller } from '../../test/support/gateway.ts';
import { type StubTiller, startStubTiller } from '../../test/support/stub-tiller.ts';
import { createTestCharts } from '../../test/support/test-charts.ts';
import type { TillerClient } from '../backends/index.ts';
import { encodeMessage, WireWriter } from '../codec/index.ts';
import { toFrame } from '../protocol/index.ts';
import { createReleaseService } from '../releases/index.ts';
import { createGrpcFront, type FinishedCall } from './front.ts';

const tillerPath = '/hapi.services.tiller.ReleaseService/';
const requestTimeoutMs = 200;

let stub: StubTiller;
let tiller: TillerClient;
let server: Http2Server;
let session: ClientHttp2Session;
const stopping = new AbortController();
const finished: FinishedCall[] = [];
const tapped: string[] = [];

before(async () => {
  stub = await startStubTiller();
  tiller = createTestTiller(stub.address);
  const front = createGrpcFront({
    service: createReleaseService(createTestCharts()),
    clusters: createTestRegistry(tiller),
    health: { serving: () => true, onChange: () => () => {} },
    maxMessageBytes: 1024 * 1024,
    requestTimeoutMs,
    stopping: stopping.signal,
    tap: {
      request: (path, message) => tapped.push(`request ${path} ${message.length}`),
      reply: (path, message) => tapped.push(`reply ${path} ${message.length}`),
      failed: (path, error) => tapped.push(`failed ${path} ${error.code} ${error.message}`),
    },
    events: { finished: call => finished.push(call) },
  });
  server = createServer().on('stream', front).listen(0, '127.0.0.1');
  await once(server, 'listening');
  session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

after(async () => {
  session.destroy();
  tiller.destroy();
  server.close();
  await stub.stop();
});

beforeEach(() => {
  finished.length = 0;
  tapped.length = 0;
});

/** A call whose request stays open unless it is ended; `closed` gives its status once the stream is closed. */
function open(path: string, headers: Record<string, string> = {}) {
  const stream = session.request(
    { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', ...headers },
    { endStream: false },
  );
  let status: string | undefined;
  const read = (got: Record<string, unknown>) => {
    status ??= got['grpc-status'] as string | undefined;
  };
  stream.on('response', read).on('trailers', read);
  const closed = once(stream, 'close').then(() => status);
  return { stream, closed };
}

const watch = '/grpc.health.v1.Health/Watch';
const reflection = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

test('a request that never comes ends its call in time, and the stream with it', async () => {
  for (const path of [
    `${tillerPath}GetVersion`,
    '/appscode.swift.v2.ReleaseService/GetVersion',
    watch,
    reflection,
  ]) {
    const { stream, closed } = open(path);
    stream.resume().write(Buffer.from([0, 0, 0]));
    assert.equal(await closed, '4', path);
  }
  assert.equal(finished.length, 4);
});

test('a stream whose answer comes before its request is whole does not stay open', async () => {
  const unknown = open('/foo.Bar/Baz');
  unknown.stream.resume();
  assert.equal(await unknown.closed, '12');
  const malformed = open(`${tillerPath}GetVersion`, { 'grpc-timeout': 'soon' });
  malformed.stream.resume();
  assert.equal(await malformed.closed, '3');
});

test('an unknown method is reported with its path, bounded, and without a route', async () => {
  const path = `/foo.Bar/${'x'.repeat(2000)}`;
  const call = open(path, { 'x-request-id': 'r-1' });
  call.stream.resume().end();
  await call.closed;
  assert.deepEqual(
    finished.map(({ path, route, requestId }) => [path.length, route, requestId]),
    [[300, '', 'r-1']],
  );
});

test('what is passed through is reported with its bytes and the text of its status', async () => {
  stub.answer('GetReleaseStatus', { status: 2, message: 'release: "x" not found' });
  const request = encodeMessage('hapi.services.tiller.GetReleaseStatusRequest', { name: 'x' });
  const failing = open(`${tillerPath}GetReleaseStatus`, { 'x-request-id': 'not fit for a log' });
  failing.stream.resume().end(toFrame(request));
  assert.equal(await failing.closed, '2');
  const listed = encodeMessage('hapi.services.tiller.ListReleasesResponse', { total: 7 });
  stub.answer('ListReleases', { responses: [listed] });
  const listing = open(`${tillerPath}ListReleases`);
  listing.stream.resume().end(toFrame(Buffer.alloc(0)));
  assert.equal(await listing.closed, '0');
  assert.deepEqual(
    finished.map(({ code, error, bytes }) => [code, error, bytes]),
    [
      [2, 'release: "x" not found', 0],
      [0, undefined, listed.length + 5],
    ],
  );
  assert.match(finished[0]?.requestId ?? '', /^[\da-f-]{36}$/);
  assert.deepEqual(tapped, [
    `request ${tillerPath}GetReleaseStatus ${request.length}`,
    `failed ${tillerPath}GetReleaseStatus 2 release: "x" not found`,
    `request ${tillerPath}ListReleases 0`,
    `reply ${tillerPath}ListReleases ${listed.length}`,
  ]);
});

test('no chart without metadata reaches Tiller, which it would take down', async () => {
  for (const [method, field] of [
    ['InstallRelease', 1],
    ['UpdateRelease', 2],
  ] as const) {
    const chart = encodeMessage('hapi.chart.Chart', { templates: [{ name: 'a' }] });
    const call = open(`${tillerPath}${method}`);
    call.stream.resume().end(toFrame(new WireWriter().bytesField(field, chart).finish()));
    assert.equal(await call.closed, '3');
    assert.equal(stub.callsOf(method).length, 0);
  }
});

test('calls without an end are ended when the gateway stops, and new ones at once', async () => {
  const endless = [watch, reflection].map(path => open(path));
  endless[0]?.stream.end(toFrame(Buffer.alloc(0)));
  endless[1]?.stream.write(toFrame(new WireWriter().stringField(7, '*').finish()));
  for (const { stream } of endless) await once(stream, 'data');
  stopping.abort();
  assert.deepEqual(await Promise.all(endless.map(({ closed }) => closed)), ['14', '14']);
  const late = open(watch);
  late.stream.resume().end(toFrame(Buffer.alloc(0)));
  assert.equal(await late.closed, '14');
});
