import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants, createServer, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import 'protobufjs/ext/descriptor/index.js';
import { createTestRegistry, createTestTiller } from '../../test/support/gateway.ts';
import { type StubTiller, startStubTiller } from '../../test/support/stub-tiller.ts';
import { createTestCharts } from '../../test/support/test-charts.ts';
import type { TillerClient } from '../backends/index.ts';
import { createReflectedFiles, decodeMessage, encodeMessage, WireWriter } from '../codec/index.ts';
import { toFrame } from '../protocol/index.ts';
import { createReleaseService } from '../releases/index.ts';
import { createGrpcFront } from './front.ts';

const swift = '/appscode.swift.v2.ReleaseService/';
const tillerPath = '/hapi.services.tiller.ReleaseService/';
const same = (bytes: Buffer) => bytes;
const releases = [
  {
    name: 'alpha',
    chart: { metadata: { name: 'web' }, templates: [{ name: 'x', data: Buffer.alloc(3000) }] },
    version: 2,
  },
];
const listReply = encodeMessage('hapi.services.tiller.ListReleasesResponse', {
  count: 1,
  total: 1,
  releases,
});

let stub: StubTiller;
let tiller: TillerClient;
let server: Http2Server;
let client: grpc.Client;
let serving = true;
const watchers = new Set<() => void>();
const finished: { route: string; code: number }[] = [];

before(async () => {
  stub = await startStubTiller();
  tiller = createTestTiller(stub.address);
  const front = createGrpcFront({
    service: createReleaseService(createTestCharts()),
    clusters: createTestRegistry(tiller),
    health: {
      serving: () => serving,
      onChange: listener => {
        watchers.add(listener);
        return () => watchers.delete(listener);
      },
    },
    maxMessageBytes: 1024 * 1024,
    requestTimeoutMs: 60_000,
    stopping: new AbortController().signal,
    events: { finished: call => finished.push(call) },
  });
  server = createServer().on('stream', front).listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = new grpc.Client(address(), grpc.credentials.createInsecure());
});

after(async () => {
  client.close();
  tiller.destroy();
  server.close();
  await stub.stop();
});

const address = () => `127.0.0.1:${(server.address() as AddressInfo).port}`;

interface Answer {
  reply?: Buffer;
  code: number;
  details: string;
  headers?: grpc.Metadata;
  trailers?: grpc.Metadata;
}

function unary(
  path: string,
  message: Uint8Array,
  metadata = new grpc.Metadata(),
  options: grpc.CallOptions = {},
): Promise<Answer> {
  return new Promise(resolve => {
    let headers: grpc.Metadata | undefined;
    let reply: Buffer | undefined;
    const call = client.makeUnaryRequest(
      path,
      same,
      same,
      Buffer.from(message),
      metadata,
      options,
      (_error, value) => {
        reply = value;
      },
    );
    call.on('metadata', got => (headers = got));
    call.on('status', status =>
      setImmediate(() =>
        resolve({
          code: status.code,
          details: status.details,
          trailers: status.metadata,
          ...(reply && { reply }),
          ...(headers && { headers }),
        }),
      ),
    );
  });
}

describe('the native service', () => {
  test('a unary call, a list made of a stream, and the request that reaches Tiller', async () => {
    stub.answer('ListReleases', { responses: [listReply] });
    const request = encodeMessage('appscode.swift.v2.SummarizeReleasesRequest', {
      limit: 5,
      status_codes: ['FAILED'],
    });
    const { reply, code } = await unary(`${swift}SummarizeReleases`, request);
    assert.equal(code, 0);
    const page = decodeMessage('appscode.swift.v2.SummarizeReleasesResponse', reply ?? Buffer.alloc(0));
    assert.equal(page.total, 1);
    assert.deepEqual(
      page.releases.map(({ name, version }) => [name, version]),
      [['alpha', 2]],
    );
    assert.equal(page.releases[0]?.chart_metadata?.name, 'web');
    const sent = decodeMessage(
      'hapi.services.tiller.ListReleasesRequest',
      stub.callsOf('ListReleases').at(-1)?.request ?? Buffer.alloc(0),
    );
    assert.deepEqual([sent.limit, sent.status_codes], [5, ['FAILED']]);
  });

  test("errors carry the code that Tiller's text means, and the text whole", async () => {
    stub.answer('GetReleaseStatus', { status: 2, message: 'release: "nöpe 100%" not found' });
    const { code, details } = await unary(`${swift}GetReleaseStatus`, Buffer.alloc(0));
    assert.deepEqual([code, details], [5, 'release: "nöpe 100%" not found']);
  });

  test('a negative limit never reaches Tiller, from either service', async () => {
    const before = stub.callsOf('ListReleases').length;
    const request = new WireWriter().intField(1, -1).finish();
    for (const path of [`${swift}SummarizeReleases`, `${tillerPath}ListReleases`]) {
      assert.deepEqual(await unary(path, request).then(({ code, details }) => [code, details]), [
        3,
        'limit: -1 is negative',
      ]);
    }
    assert.equal(stub.callsOf('ListReleases').length, before);
  });

  test('a deadline is kept, and the call at Tiller cancelled', async () => {
    stub.answer('GetReleaseContent', { hang: 'before' });
    const answer = unary(`${swift}GetReleaseContent`, Buffer.alloc(0), undefined, {
      deadline: Date.now() + 200,
    });
    const call = await stub.arrival('GetReleaseContent');
    assert.equal((await answer).code, 4);
    await call.done;
    assert.equal(call.outcome, 'cancelled');
  });

  test('a client that cancels ends the call at Tiller', async () => {
    stub.answer('UpdateRelease', { hang: 'before' });
    const request = encodeMessage('appscode.swift.v2.UpdateReleaseRequest', {
      name: 'a',
      chart: { metadata: { name: 'x' } },
    });
    const call = client.makeUnaryRequest(`${swift}UpdateRelease`, same, same, request, () => {});
    const arrived = await stub.arrival('UpdateRelease');
    call.cancel();
    await arrived.done;
    assert.equal(arrived.outcome, 'cancelled');
  });

  test('gzip in both directions when the client compresses', async () => {
    const content = encodeMessage('hapi.services.tiller.GetReleaseContentResponse', {
      release: { manifest: 'x'.repeat(50_000) },
    });
    stub.answer('GetReleaseContent', { responses: [content] });
    const gzip = new grpc.Client(address(), grpc.credentials.createInsecure(), {
      'grpc.default_compression_algorithm': 2,
    });
    const request = encodeMessage('appscode.swift.v2.GetReleaseContentRequest', { name: 'a'.repeat(2000) });
    const reply = await new Promise<Buffer | undefined>((resolve, reject) =>
      gzip.makeUnaryRequest(`${swift}GetReleaseContent`, same, same, request, (error, value) =>
        error ? reject(error) : resolve(value),
      ),
    );
    gzip.close();
    assert.deepEqual(reply, content);
    assert.deepEqual(stub.callsOf('GetReleaseContent').at(-1)?.request, request);
  });

  test('messages over the limit, broken ones, and unknown methods', async () => {
    assert.equal((await unary(`${swift}GetHistory`, Buffer.alloc(2 * 1024 * 1024))).code, 8);
    assert.equal((await unary(`${swift}GetHistory`, Buffer.from([0x0a, 50, 1]))).code, 3);
    assert.equal((await unary(`${swift}Nothing`, Buffer.alloc(0))).code, 12);
    assert.equal((await unary('/no.such.Service/Nothing', Buffer.alloc(0))).code, 12);
  });

  test('what is over is reported, with the route only where it is known', () => {
    assert.ok(finished.some(({ route, code }) => route === `${swift}GetHistory` && code === 8));
    assert.ok(finished.some(({ route, code }) => route === '' && code === 12));
  });
});

describe("Tiller's own service, passed through", () => {
  test('bytes in both directions, and of the metadata what Tiller may see', async () => {
    const strange = Buffer.concat([
      listReply,
      new WireWriter().stringField(99, 'from a newer Tiller').finish(),
    ]);
    stub.answer('GetHistory', {
      responses: [strange],
      headers: { 'x-from': 'tiller' },
      trailers: { 'x-end': 'yes' },
    });
    const metadata = new grpc.Metadata();
    metadata.set('x-helm-api-client', 'v2.16.1');
    metadata.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
    const secrets = [
      'authorization',
      'cookie',
      'impersonate-user',
      'impersonate-group',
      'x-remote-user',
      'x-remote-extra-a',
      'x-own',
    ];
    for (const name of secrets) metadata.set(name, 'secret');
    metadata.set('x-data-bin', Buffer.from([0, 255]));
    const { reply, code, headers, trailers } = await unary(
      `${tillerPath}GetHistory`,
      Buffer.from([0x10, 5, 0x98, 0x06, 1]),
      metadata,
    );
    assert.equal(code, 0);
    assert.deepEqual(reply, strange);
    assert.deepEqual(headers?.get('x-from'), []);
    assert.deepEqual(trailers?.get('x-end'), []);
    const call = stub.callsOf('GetHistory').at(-1);
    assert.deepEqual(
      call?.request,
      Buffer.from([0x10, 5]),
      'a field that is not known is never sent to Tiller',
    );
    assert.deepEqual(call?.metadata.get('x-helm-api-client'), ['v2.16.1']);
    assert.equal(call?.metadata.get('traceparent').length, 1);
    for (const name of [...secrets, 'x-data-bin']) assert.deepEqual(call?.metadata.get(name), [], name);
  });

  test("Tiller's status as it is", async () => {
    stub.answer('GetReleaseStatus', { status: 2, message: 'release: "x" not found' });
    const { code, details } = await unary(`${tillerPath}GetReleaseStatus`, Buffer.alloc(0));
    assert.deepEqual([code, details], [2, 'release: "x" not found']);
  });

  test('streams, also slow ones, and an empty one', async () => {
    const collect = (path: string) =>
      new Promise<Buffer[]>((resolve, reject) => {
        const got: Buffer[] = [];
        const call = client.makeServerStreamRequest(path, same, same, Buffer.alloc(0));
        call
          .on('data', message => got.push(message))
          .on('error', reject)
          .on('end', () => resolve(got));
      });
    const messages = Array.from({ length: 20 }, (_, index) => Buffer.alloc(200_000, index));
    stub.answer('ListReleases', { responses: messages });
    assert.deepEqual(await collect(`${tillerPath}ListReleases`), messages);
    stub.answer('ListReleases', {});
    assert.deepEqual(await collect(`${tillerPath}ListReleases`), []);
    stub.answer('RunReleaseTest', { responses: [Buffer.from([8, 1]), Buffer.from([8, 2])], betweenMs: 20 });
    assert.equal((await collect(`${tillerPath}RunReleaseTest`)).length, 2);
  });

  test('Tiller goes away in the middle: UNAVAILABLE, and back', async () => {
    stub.answer('RollbackRelease', { hang: 'before' });
    const answer = unary(`${tillerPath}RollbackRelease`, Buffer.alloc(0));
    await stub.arrival('RollbackRelease');
    stub.dropConnections();
    assert.equal((await answer).code, 14);
    stub.answer('RollbackRelease', { responses: [Buffer.alloc(0)] });
    assert.equal((await unary(`${tillerPath}RollbackRelease`, Buffer.alloc(0))).code, 0);
  });
});

describe('what every gRPC server has', () => {
  test('health: check, unknown service, and watch', async () => {
    const check = async (name: string) =>
      await unary('/grpc.health.v1.Health/Check', new WireWriter().stringField(1, name).finish());
    assert.deepEqual((await check('')).reply, Buffer.from([8, 1]));
    assert.deepEqual((await check('hapi.services.tiller.ReleaseService')).reply, Buffer.from([8, 1]));
    assert.equal((await check('nope')).code, 5);
    const watch = client.makeServerStreamRequest('/grpc.health.v1.Health/Watch', same, same, Buffer.alloc(0));
    watch.on('error', () => {});
    assert.deepEqual((await once(watch, 'data'))[0], Buffer.from([8, 1]));
    serving = false;
    for (const wake of watchers) wake();
    assert.deepEqual((await once(watch, 'data'))[0], Buffer.from([8, 2]));
    const ended = new Promise(resolve => watch.on('status', resolve));
    watch.cancel();
    await ended;
    serving = true;
  });

  test('reflection: the services, and their files, which link', async () => {
    const ask = async (message: Buffer) => {
      const call = client.makeBidiStreamRequest(
        '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
        same,
        same,
      );
      call.write(message);
      const [reply] = (await once(call, 'data')) as [Buffer];
      call.end();
      return reply;
    };
    const services = await ask(new WireWriter().stringField(7, '*').finish());
    const names = ['ReleaseService', 'ChartService'].map(name => `appscode.swift.v2.${name}`);
    for (const name of [...names, 'hapi.services.tiller.ReleaseService']) assert.ok(services.includes(name));
    for (const name of names)
      assert.ok((await ask(new WireWriter().stringField(4, name).finish())).includes(name.slice(18)), name);
    const files = await ask(new WireWriter().stringField(4, 'appscode.swift.v2.ReleaseService').finish());
    assert.ok(
      files.includes('hapi_chart.proto') &&
        files.includes('AnnotationsEntry') &&
        files.includes('google_protobuf.proto'),
    );
    assert.ok(
      (await ask(new WireWriter().stringField(4, 'no.such.Symbol').finish())).includes('is not known'),
    );
  });

  test('the files say what the contract says: protobufjs reads them back to the same types', async () => {
    const { byName } = await createReflectedFiles();
    assert.deepEqual([...byName].map(([name, { dependencies }]) => [name, ...dependencies]).sort(), [
      [
        'appscode_swift_v2.proto',
        'google_protobuf.proto',
        'hapi_chart.proto',
        'hapi_release.proto',
        'hapi_version.proto',
      ],
      ['google_protobuf.proto'],
      ['hapi_chart.proto', 'google_protobuf.proto'],
      ['hapi_release.proto', 'google_protobuf.proto', 'hapi_chart.proto'],
      ['hapi_services_tiller.proto', 'hapi_chart.proto', 'hapi_release.proto', 'hapi_version.proto'],
      ['hapi_version.proto'],
    ]);
    const set = new WireWriter();
    for (const { bytes } of byName.values()) set.bytesField(1, bytes);
    const root = (protobuf.Root as unknown as { fromDescriptor(wire: Buffer): protobuf.Root })
      .fromDescriptor(set.finish())
      .resolveAll() as protobuf.Root;
    const chart = encodeMessage('hapi.chart.Chart', {
      metadata: { name: 'x', annotations: { a: 'b' } },
      files: [{ type_url: 'f' }],
    });
    const read = root
      .lookupType('hapi.chart.Chart')
      .toObject(root.lookupType('hapi.chart.Chart').decode(chart));
    // protobufjs takes a map from descriptors for what it is on the wire: a list of entries
    assert.deepEqual(read, {
      metadata: { name: 'x', annotations: [{ key: 'a', value: 'b' }] },
      files: [{ type_url: 'f' }],
    });
  });
});

describe('frames that no client library would send', () => {
  let session: ClientHttp2Session;
  before(() => {
    session = connect(`http://${address()}`);
  });
  after(() => session.destroy());

  async function raw(body: Buffer, headers: Record<string, string> = {}): Promise<string> {
    const stream = session.request({
      ':method': 'POST',
      ':path': `${swift}GetVersion`,
      'content-type': 'application/grpc',
      ...headers,
    });
    let status = '';
    const read = (got: Record<string, unknown>) => {
      status ||= String(got['grpc-status'] ?? '');
    };
    stream
      .on('response', read)
      .on('trailers', read)
      .on('error', () => {})
      .resume()
      .end(body);
    await once(stream, 'close');
    return status;
  }

  test('cut off, doubled, empty, compressed without saying how, with a malformed timeout', async () => {
    assert.equal(await raw(Buffer.from([0, 0, 0, 0, 9, 1])), '13');
    assert.equal(await raw(Buffer.concat([toFrame(Buffer.alloc(0)), toFrame(Buffer.alloc(0))])), '12');
    assert.equal(await raw(Buffer.alloc(0)), '12');
    assert.equal(await raw(Buffer.from([1, 0, 0, 0, 0])), '12');
    assert.equal(await raw(Buffer.from([7, 0, 0, 0, 0])), '13');
    assert.equal(await raw(toFrame(Buffer.alloc(0)), { 'grpc-timeout': 'soon' }), '3');
    assert.equal(await raw(toFrame(Buffer.alloc(0)), { 'grpc-timeout': '99999999H' }), '0');
  });

  test('a client that resets in the middle of its request', async () => {
    const stream = session.request({
      ':method': 'POST',
      ':path': `${swift}GetVersion`,
      'content-type': 'application/grpc',
    });
    stream.on('error', () => {});
    stream.write(Buffer.from([0, 0, 0]));
    stream.close(constants.NGHTTP2_CANCEL);
    await once(stream, 'close');
    assert.equal(await raw(toFrame(Buffer.alloc(0))), '0');
  });
});
