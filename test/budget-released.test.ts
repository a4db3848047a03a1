/** Whatever becomes of a request, its bytes in flight are free again: what stays of one refuses others for ever. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  type ClientHttp2Stream,
  createServer,
  constants as h2,
  connect as http2Connect,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { encodeMessage } from '../src/codec/index.ts';
import { toFrame } from '../src/protocol/index.ts';
import { Dice } from './support/dice.ts';
import { eventually } from './support/eventually.ts';
import { tillerVersion } from './support/stub-tiller.ts';
import { startGatewayWith } from './support/whole-gateway.ts';

const MiB = 1024 * 1024;
const reply = toFrame(
  encodeMessage('hapi.services.tiller.GetReleaseContentResponse', {
    release: { name: 'a', manifest: 'kind: Service\n'.repeat((1.5 * MiB) / 14) },
  }),
);
const half = reply.subarray(0, reply.length / 2);
const tooLarge = Buffer.concat([Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]), half]);

/** How Tiller ends a call; `status` is that of the trailers. */
const endings: Record<string, (stream: ServerHttp2Stream) => unknown> = {
  'a whole reply': stream => finish(stream, [reply]),
  'two replies': stream => finish(stream, [reply, reply]),
  'a reply and an error': stream => finish(stream, [reply], '13'),
  'half a reply and an error': stream => finish(stream, [half], '8'),
  'half a reply and an OK': stream => finish(stream, [half]),
  'half a reply and no trailers': stream => stream.respond(head) ?? stream.end(half),
  'an error and nothing else': stream => stream.respond({ ...head, 'grpc-status': '5' }, { endStream: true }),
  'another answer than gRPC': stream => stream.respond({ ':status': 502 }) ?? stream.end(half),
  'a reply that is announced too large': stream => finish(stream, [tooLarge]),
  'a reset before the answer': stream => stream.close(h2.NGHTTP2_REFUSED_STREAM),
  'a reset in the middle': stream => begin(stream, () => stream.close(h2.NGHTTP2_INTERNAL_ERROR)),
  'a lost connection': stream => begin(stream, () => stream.session?.destroy()),
  'half a reply and silence': stream => begin(stream, () => {}),
  silence: () => {},
};
const head = { ':status': 200, 'content-type': 'application/grpc' };

function finish(stream: ServerHttp2Stream, parts: readonly Buffer[], status = '0'): void {
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
  stream.respond(head, { waitForTrailers: true });
  stream.end(Buffer.concat(parts));
}

function begin(stream: ServerHttp2Stream, then: () => void): void {
  stream.respond(head);
  stream.write(half, () => setTimeout(then, 5));
}

async function startTiller(t: TestContext) {
  const tiller = { address: '', ending: 'a whole reply' };
  const sessions = new Set<{ destroy(): void }>();
  const server = createServer().on('session', session => sessions.add(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {}).resume();
    if (headers[':path']?.endsWith('/GetVersion')) return finish(stream, [toFrame(tillerVersion)]);
    endings[tiller.ending]!(stream);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  tiller.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return tiller;
}

const path = '/tiller/v2/releases/a/content/json';
const named = encodeMessage('appscode.swift.v2.GetReleaseContentRequest', { name: 'a' });
const grpcCall = (service: string, type: string, body: Uint8Array) => ({
  headers: { ':method': 'POST', ':path': `/${service}`, 'content-type': type, te: 'trailers' },
  body: toFrame(body),
});
const calls: Record<string, { headers: Record<string, string>; body?: Buffer }> = {
  'REST by HTTP/2': { headers: { ':path': path } },
  'a list': { headers: { ':path': '/tiller/v2/releases/json', accept: 'application/x-ndjson' } },
  gRPC: grpcCall('appscode.swift.v2.ReleaseService/GetReleaseContent', 'application/grpc', named),
  'gRPC-Web': grpcCall('appscode.swift.v2.ReleaseService/GetReleaseContent', 'application/grpc-web', named),
  "Tiller's own service": grpcCall(
    'hapi.services.tiller.ReleaseService/GetReleaseContent',
    'application/grpc',
    named,
  ),
};

/** How the client ends: a time after which it leaves, and whether it reads until then. */
const clients = [
  { leaveMs: 200, reads: true },
  { leaveMs: 0, reads: true },
  { leaveMs: 30, reads: false },
];
type Client = (typeof clients)[number];

/** @param timeout of the call, as gRPC writes it */
async function askByHttp2(port: number, name: string, { leaveMs, reads }: Client, timeout?: string) {
  const { headers, body } = calls[name]!;
  const session = http2Connect(`http://127.0.0.1:${port}`).on('error', () => {});
  const given = timeout === undefined ? headers : { ...headers, 'grpc-timeout': timeout };
  const stream: ClientHttp2Stream = session.request(given).on('error', () => {});
  stream.end(body);
  if (reads) stream.resume();
  await Promise.race([once(stream, 'close'), pause(leaveMs)]);
  if (reads) stream.close(h2.NGHTTP2_CANCEL);
  session.destroy();
}

/** Two requests on one connection, of which the second waits for the first. */
async function askByHttp1(port: number, { leaveMs, reads }: Client) {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(2));
  if (reads) socket.resume();
  await pause(leaveMs);
  socket.destroy();
}

/** An upload that is left in the middle. */
async function upload(port: number, { leaveMs }: Client) {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  socket.write(
    'POST /tiller/v2/releases/a/json HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n',
  );
  socket.write(Buffer.alloc(800_000, 0x20));
  await pause(leaveMs);
  socket.destroy();
}

test('however a reply ends and a client leaves', { timeout: 110_000 }, async t => {
  const tiller = await startTiller(t);
  const { port, url } = await startGatewayWith(t, [
    '--connector=direct',
    `--tiller-endpoint=${tiller.address}`,
    '--in-flight-limit=1MiB',
  ]);
  const dice = new Dice(20_261_127);
  const inFlight = async () => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/^tiller_gateway_in_flight_bytes (\S+)$/m.exec(text)?.[1]);
  };
  for (const ending of Object.keys(endings)) {
    tiller.ending = ending;
    const asks = clients.flatMap(client => [
      () => askByHttp1(port, client),
      () => upload(port, client),
      ...Object.keys(calls).flatMap(name => [
        () => askByHttp2(port, name, client),
        () => askByHttp2(port, name, client, '40m'),
      ]),
    ]);
    // one after the other they are let in, and beside each other some are refused
    for (const ask of asks.slice(0, asks.length / clients.length)) await ask();
    asks.sort(() => dice.below(3) - 1);
    await Promise.all(asks.map(ask => ask()));
    tiller.ending = 'a whole reply';
    // larger than the budget, it is taken while nothing else is held; what clients left behind may still be ending
    const isTaken = async () => {
      const answer = await fetch(url + path);
      await answer.arrayBuffer();
      return answer.status === 200 && (await inFlight()) === 0;
    };
    await eventually(isTaken, { everyMs: 100 }).catch(async () =>
      assert.fail(`${ending}: ${await inFlight()} bytes stay counted`),
    );
  }
});
