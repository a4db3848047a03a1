/**
 * Requests that end a real Tiller 2.17.0, through every door: none arrives at one, and each is answered with what is
 * wrong about it. The sandbox's Tiller counts what would have ended a real one.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { encodeMessage, WireWriter } from '../src/codec/index.ts';
import { toFrame } from '../src/protocol/index.ts';
import { type SandboxTiller, startSandboxTiller } from '../src/sandbox/index.ts';
import { callTiller, openTiller, type TillerClient } from './support/tiller-client.ts';
import { startWholeGateway, type WholeGateway } from './support/whole-gateway.ts';

type Fields = readonly (readonly [number, Uint8Array | number | string])[];

/** Fields in the order given, as they are on the wire. */
function wire(fields: Fields): Buffer {
  const writer = new WireWriter();
  for (const [number, value] of fields) {
    if (typeof value === 'number') writer.intField(number, value);
    else if (typeof value === 'string') writer.stringField(number, value);
    else writer.bytesField(number, value);
  }
  return Buffer.from(writer.finish());
}

const metadata = wire([
  [1, 'c'],
  [2, '1.0.0'],
]);
const wholeChart = wire([[1, metadata]]);
const asVarint = Buffer.from([0x08, 1]);
const wideTag = Buffer.from([0x8a, 0x80, 0x80, 0x80, 0x10, 0]);
const hugeNumber = Buffer.from([0x82, 0x80, 0x80, 0x80, 0x80, 0x01, 0]);
const charts: Record<string, Buffer> = {
  'a chart without metadata': Buffer.alloc(0),
  'a chart with values alone': wire([[4, Buffer.alloc(0)]]),
  'chart metadata as a varint': asVarint,
  'chart metadata under a tag above 32 bits': wideTag,
  'chart metadata under a field number above 2^29-1': hugeNumber,
  'a dependency without metadata': wire([
    [1, metadata],
    [3, Buffer.alloc(0)],
  ]),
  'dependency metadata as a varint': wire([
    [1, metadata],
    [3, asVarint],
  ]),
  'dependency metadata under a tag above 32 bits': wire([
    [1, metadata],
    [3, wideTag],
  ]),
  'a second dependency without metadata': wire([
    [1, metadata],
    [3, wholeChart],
    [3, Buffer.alloc(0)],
  ]),
  "a dependency's dependency without metadata": wire([
    [1, metadata],
    [
      3,
      wire([
        [1, metadata],
        [3, Buffer.alloc(0)],
      ]),
    ],
  ]),
};
const lists: Record<string, Buffer> = {
  'a negative limit': wire([[1, -1]]),
  'the least limit of 64 bits': Buffer.from([0x08, ...new Array(9).fill(0x80), 0x01]),
  'a limit, then a negative one': wire([
    [1, 5],
    [1, -1],
  ]),
  'a negative limit, then one behind a tag above 32 bits': Buffer.from([
    0x08,
    ...new Array(9).fill(0xff),
    0x01,
    0x88,
    0x80,
    0x80,
    0x80,
    0x10,
    0x05,
  ]),
  'a negative limit behind a wrong wire type': Buffer.concat([Buffer.from([0x0a, 0]), wire([[1, -1]])]),
};
const updates: Record<string, Buffer> = {
  'reuse_values without values': encodeMessage('hapi.services.tiller.UpdateReleaseRequest', {
    name: 'a',
    chart: { metadata: { name: 'c', version: '1.0.0' } },
    reuse_values: true,
  }),
  'reuse_values with values as a varint': Buffer.concat([
    encodeMessage('hapi.services.tiller.UpdateReleaseRequest', {
      name: 'a',
      chart: { metadata: { name: 'c', version: '1.0.0' } },
      reuse_values: true,
    }),
    Buffer.from([0x18, 1]),
  ]),
};

/** Requests of Tiller's own service. */
const killers: [method: string, what: string, request: Buffer][] = [
  ...Object.entries(lists).map(([what, bytes]): [string, string, Buffer] => ['ListReleases', what, bytes]),
  ...Object.entries(updates).map(([what, bytes]): [string, string, Buffer] => ['UpdateRelease', what, bytes]),
  ...Object.entries(charts).flatMap(([what, chart]): [string, string, Buffer][] => [
    [
      'InstallRelease',
      what,
      wire([
        [1, chart],
        [4, 'a'],
      ]),
    ],
    [
      'UpdateRelease',
      what,
      wire([
        [1, 'a'],
        [2, chart],
      ]),
    ],
  ]),
];

/** Of these the sandbox's Tiller, which has no release to upgrade here, gets as far as the fault. */
const endsTiller = new Set([
  'a negative limit',
  'a limit, then a negative one',
  'a chart without metadata',
  'a dependency without metadata',
]);

let sandbox: SandboxTiller;
let gateway: WholeGateway;
let client: TillerClient;
const owned: (() => unknown)[] = [];

before(async () => {
  sandbox = await startSandboxTiller();
  const owner = { after: (close: () => Promise<void>) => owned.unshift(close) };
  gateway = await startWholeGateway(owner, sandbox as never);
  client = openTiller(gateway.address);
});

after(async () => {
  client[Symbol.dispose]();
  for (const close of owned) await close();
  await sandbox.stop();
});

/** Nothing has ended Tiller, and the next call is answered. */
async function assertAlive(): Promise<void> {
  assert.equal(sandbox.crashes, 0);
  const answer = await fetch(`${gateway.url}/tiller/v2/version/json`);
  assert.equal(answer.status, 200);
}

function passedThrough(method: string, request: Buffer) {
  return callTiller(client, method, request, { metadata: { 'x-helm-api-client': 'v2.17.0' } });
}

const swift = '/appscode.swift.v2.ReleaseService/';

/** What every door of gRPC does with the bytes; in swift's messages these fields have the numbers of Tiller's. */
const doors: Record<
  string,
  (method: string, request: Buffer) => Promise<{ status: number; message: string }>
> = {
  "Tiller's own service": passedThrough,
  "swift's service by gRPC": (method, request) => callTiller(client, swift + swiftName(method), request),
  "swift's service by gRPC-Web": async (method, request) => {
    const answer = await fetch(gateway.url + swift + swiftName(method), {
      method: 'POST',
      headers: { 'content-type': 'application/grpc-web+proto' },
      body: toFrame(request),
    });
    const trailers = Buffer.from(await answer.arrayBuffer()).toString('latin1');
    const status = answer.headers.get('grpc-status') ?? /grpc-status: ?(\d+)/.exec(trailers)?.[1];
    const message = answer.headers.get('grpc-message') ?? /grpc-message: ?([^\r\n]*)/.exec(trailers)?.[1];
    return { status: Number(status), message: message ?? '' };
  },
};

function swiftName(method: string): string {
  return method === 'ListReleases' ? 'SummarizeReleases' : method;
}

for (const [door, call] of Object.entries(doors)) {
  describe(door, () => {
    for (const [method, what, request] of killers) {
      test(`${method}: ${what}`, async () => {
        const { status, message } = await call(method, request);
        // swift's service itself adds the values without which a real Tiller ends
        const isMended = call !== passedThrough && what === 'reuse_values without values';
        assert.equal(status, isMended ? 5 : 3, message);
        assert.ok(message.length > 10, message);
        await assertAlive();
      });
    }
  });
}

describe('HTTP/JSON', () => {
  const whole = { metadata: { name: 'c', version: '1.0.0' } };
  const given: Record<string, unknown> = {
    'a chart without metadata': {},
    'chart metadata null': { metadata: null },
    'chart metadata a number': { metadata: 1 },
    'chart metadata a list': { metadata: [] },
    'values alone': { values: { raw: '' } },
    'a dependency without metadata': { ...whole, dependencies: [{}] },
    'dependency metadata null': { ...whole, dependencies: [{ metadata: null }] },
    'a second dependency without metadata': { ...whole, dependencies: [whole, {}] },
    "a dependency's dependency without metadata": {
      ...whole,
      dependencies: [{ ...whole, dependencies: [{}] }],
    },
  };
  const requests: [verb: string, path: string, body?: unknown][] = [
    ...['-1', '-9223372036854775808', '-1&all=true', '%2D1'].map((limit): [string, string] => [
      'GET',
      `?limit=${limit}`,
    ]),
    ...Object.values(given).flatMap((chart): [string, string, unknown][] => [
      ['POST', '/a', { chart }],
      ['PUT', '/a', { chart }],
    ]),
  ];
  for (const [verb, path, body] of requests) {
    test(`${verb} ${path} ${JSON.stringify(body) ?? ''}`, async () => {
      const [below, query = ''] = path.split('?');
      const answer = await fetch(`${gateway.url}/tiller/v2/releases${below}/json?${query}`, {
        method: verb,
        headers: { 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const { code, message } = (await answer.json()) as { code: number; message: string };
      assert.deepEqual([answer.status, code], [400, 3], message);
      await assertAlive();
    });
  }
});

describe("sent to the sandbox's Tiller itself", () => {
  for (const [method, what, request] of killers.filter(
    ([method, what]) => method !== 'UpdateRelease' && endsTiller.has(what),
  )) {
    test(`${method}: ${what} counts`, async t => {
      const own = await startSandboxTiller();
      t.after(() => own.stop());
      const direct = openTiller(own.address);
      t.after(() => direct[Symbol.dispose]());
      await callTiller(direct, method, request, { metadata: { 'x-helm-api-client': 'v2.17.0' } });
      assert.equal(own.crashes, 1);
    });
  }
});
