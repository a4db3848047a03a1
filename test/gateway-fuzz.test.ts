/** 10,000 random and mutated requests and frames through the whole program: it neither crashes nor keeps anything. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { toFrame } from '../src/protocol/index.ts';
import { eventually } from './support/eventually.ts';
import {
  dataFrame,
  flags,
  headersFrame,
  preface,
  requestHeaders,
  resetFrame,
  settingsFrame,
} from './support/http2-frames.ts';
import { startStubTiller } from './support/stub-tiller.ts';
import { startWholeGateway, type WholeGateway } from './support/whole-gateway.ts';

const total = 10_000;
/** Those before the first measurement: code is compiled and caches are filled by then. */
const warmUp = 2_000;
const concurrency = 200;
const maxHeapGrowthBytes = 8 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const verbs = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH');
const names = fc.constantFrom('alpha', 'a%2Fb', '%', '%ff', '..', '', 'x'.repeat(100), '__proto__');
const routes = fc.constantFrom('json', 'status/json', 'content/json', 'rollback/json', 'test/json', 'json/');
const queries = fc.constantFrom(
  '',
  '?limit=-1',
  '?limit=99999999999999999999',
  '?all=true&pretty',
  '?status_codes=NOPE&sort_by=7',
  '?version=1&version=x',
  '?%',
  '?format_values_as_json=TRUE',
  '?__proto__=1',
);
const paths = fc.oneof(
  fc
    .tuple(names, routes, queries)
    .map(([name, route, query]) => `/tiller/v2/releases/${name}/${route}${query}`),
  queries.map(query => `/tiller/v2/releases/json${query}`),
  fc.constantFrom(
    '/',
    '/openapi.json',
    '/metrics',
    '/nothing',
    '*',
    '//',
    '/tiller/v2/version/json',
    'http://x',
  ),
);
const bodies = fc.oneof(
  fc.constantFrom(
    '{"chart":{"metadata":{"name":"x"}},"values":{"raw":"a: b"}}',
    '{"chart":{"metadata":{"name":"x"},"dependencies":[{}]},"timeout":"1e3"}',
    '{"name":1}',
    '[[[[[[',
    `${'{"chart":'.repeat(120)}1`,
    '--b\r\nContent-Disposition: form-data; name="chart"\r\n\r\n{}\r\n--b--\r\n',
    '',
  ),
  fc.json({ maxDepth: 4 }),
);
const types = fc.constantFrom(
  'application/json',
  'multipart/form-data; boundary=b',
  'application/x-www-form-urlencoded',
  'text/plain',
);
const grpcPaths = fc.constantFrom(
  '/appscode.swift.v2.ReleaseService/SummarizeReleases',
  '/appscode.swift.v2.ReleaseService/InstallRelease',
  '/appscode.swift.v2.ReleaseService/RunReleaseTest',
  '/hapi.services.tiller.ReleaseService/ListReleases',
  '/hapi.services.tiller.ReleaseService/GetVersion',
  '/grpc.health.v1.Health/Check',
  '/grpc.health.v1.Health/Watch',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  '/no.Such/Method',
);

const http1Request = fc
  .record({ verb: verbs, path: paths, type: types, body: bodies, close: fc.boolean() })
  .map(({ verb, path, type, body, close }) =>
    Buffer.from(
      `${verb} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
        `Accept-Encoding: gzip;q=0.5\r\nGrpc-Timeout: ${close ? '1S' : 'soon'}\r\n\r\n${body}`,
    ),
  );
const jsonStream = fc
  .tuple(verbs, paths, types, bodies)
  .filter(([, path]) => path.length < 120)
  .map(([verb, path, type, body]) => [requestHeaders(verb, path, { 'content-type': type }), body] as const);
const grpcStream = fc
  .tuple(grpcPaths, fc.uint8Array({ maxLength: 40 }), fc.constantFrom('identity', 'gzip', 'br'))
  .map(
    ([path, message, encoding]) =>
      [
        requestHeaders('POST', path, {
          'content-type': 'application/grpc',
          te: 'trailers',
          'grpc-encoding': encoding,
          'grpc-timeout': '1S',
        }),
        toFrame(message),
      ] as const,
  );
/** Some streams of either kind on one connection, some of them reset. */
const http2Streams = fc
  .array(fc.tuple(fc.oneof(jsonStream, grpcStream), fc.constantFrom(undefined, undefined, 0, 2, 8)), {
    minLength: 1,
    maxLength: 3,
  })
  .map(streams => {
    const frames = streams.flatMap(([[headers, body], reset], index) => {
      const id = 2 * index + 1;
      const sent = [headersFrame(id, headers), dataFrame(id, Buffer.from(body), flags.endStream)];
      return reset === undefined ? sent : [...sent, resetFrame(id, reset)];
    });
    return Buffer.concat([preface, settingsFrame, ...frames]);
  });

interface Mutation {
  readonly replaced: readonly (readonly [number, number])[];
  readonly cutAt: number | undefined;
}
const mutation: fc.Arbitrary<Mutation> = fc.record({
  replaced: fc.array(fc.tuple(fc.nat({ max: 2000 }), fc.nat({ max: 255 })), { maxLength: 3 }),
  cutAt: fc.option(fc.nat({ max: 500 }), { nil: undefined, freq: 4 }),
});

function mutate(bytes: Buffer, { replaced, cutAt }: Mutation): Buffer {
  const mutant = Buffer.from(bytes);
  for (const [at, value] of replaced) mutant[at % mutant.length] = value;
  return cutAt === undefined ? mutant : mutant.subarray(0, 1 + (cutAt % mutant.length));
}

const conversation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.oneof(http1Request, http2Streams), mutation).map(args => mutate(...args)),
  },
  { weight: 2, arbitrary: fc.oneof(http1Request, http2Streams) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 200 }).map(bytes => Buffer.from(bytes)) },
);

/**
 * Sends the bytes of each on a connection of its own, all at once, and then asks for the version, twice: who has no answer
 * by then gets none, or a late one. So a slow machine takes longer, and answers no fewer.
 * @returns how many were answered
 */
async function converseWithAll(gateway: WholeGateway, conversations: readonly Buffer[]): Promise<number> {
  let answered = 0;
  for (let at = 0; at < conversations.length; at += concurrency) {
    const sockets = conversations.slice(at, at + concurrency).map(bytes => {
      const socket = connect({ port: gateway.port, host: '127.0.0.1' });
      socket.on('error', () => {}).once('data', () => answered++);
      socket.write(bytes);
      return socket;
    });
    for (let asked = 0; asked < 2; asked++) await askVersion(gateway);
    const open = sockets.filter(socket => !socket.closed);
    const closed = open.map(socket => new Promise(resolve => socket.once('close', resolve)));
    for (const socket of open) socket.destroy();
    await Promise.all(closed);
  }
  return answered;
}

async function askVersion(gateway: WholeGateway): Promise<void> {
  const headers = { connection: 'close' };
  const answer = await fetch(`${gateway.url}/tiller/v2/version/json`, { headers });
  assert.equal(answer.status, 200);
  await answer.arrayBuffer();
}

test('10,000 random and mutated conversations', async t => {
  const seed = Date.now() % 2 ** 31;
  t.diagnostic(`seed ${seed}`);
  const conversations = fc.sample(conversation, { seed, numRuns: total });
  const stub = await startStubTiller({ record: false, replies: { '*': { delayMs: 2 } } });
  t.after(() => stub.stop());
  const gateway = await startWholeGateway(t, stub, ['--no-access-log']);
  const measure = async () => {
    await untilQuiet(gateway.url);
    collectGarbage();
    collectGarbage();
    const resources = process.getActiveResourcesInfo().filter(name => name !== 'Timeout').length;
    return { heapUsed: process.memoryUsage().heapUsed, resources };
  };
  await converseWithAll(gateway, conversations.slice(0, warmUp));
  const before = await measure();
  const answered = await converseWithAll(gateway, conversations.slice(warmUp));
  const after = await measure();
  const growth = after.heapUsed - before.heapUsed;
  t.diagnostic(`${answered} answered; the heap grew by ${Math.round(growth / 1024)} KiB`);
  assert.ok(answered > (total - warmUp) / 3, `only ${answered} conversations were answered`);
  assert.ok(after.resources <= before.resources, `${before.resources} handles became ${after.resources}`);
  assert.ok(growth < maxHeapGrowthBytes, `the heap grew by ${growth} bytes`);
  await askVersion(gateway);
});

/** Waits until the gateway has neither connections nor requests but those of the asking itself. */
async function untilQuiet(url: string): Promise<void> {
  await eventually(async () => {
    const answer = await fetch(`${url}/metrics`, { headers: { connection: 'close' } });
    const text = await answer.text();
    const gauges = /^tiller_gateway_(?:connections|requests_in_flight)\{.*\} (\d+)$/gm;
    return [...text.matchAll(gauges)].reduce((sum, [, count]) => sum + Number(count), 0) <= 2;
  });
}
