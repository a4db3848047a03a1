/** 10,000 mutated conversations on one port: none crashes it, none stays behind. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventually } from './support/eventually.ts';
import { startListener } from './support/listener-stage.ts';

const batches = 10;
const perBatch = 1000;

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A literal header field without indexing (RFC 7541, 6.2.2); names and values are shorter than 127 bytes. */
function literal(name: string, value: string): Buffer {
  const [n, v] = [Buffer.from(name), Buffer.from(value)];
  return Buffer.concat([Buffer.from([0, n.length]), n, Buffer.from([v.length]), v]);
}

// `:method: POST`, `:scheme: http`, `:path: /` from HPACK's static table
const request = Buffer.from([0x83, 0x86, 0x84]);
const grpcRequest = Buffer.concat([
  request,
  literal('content-type', 'application/grpc'),
  literal('te', 'trailers'),
]);
const settings = frame(4, 0, 0, Buffer.from([0, 4, 0, 0, 0xff, 0xff]));

const seeds = [
  Buffer.from('GET /tiller/v2/releases/json?all=true HTTP/1.1\r\nHost: x\r\n\r\n'),
  Buffer.from(
    'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\nHost: x\r\n\r\n',
  ),
  Buffer.from('POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'),
  Buffer.from('GET /w HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
  Buffer.concat([preface, settings, frame(1, 5, 1, request)]),
  Buffer.concat([preface, settings, frame(1, 4, 1, request), frame(0, 1, 1, Buffer.from('{"name":"x"}'))]),
  Buffer.concat([
    preface,
    settings,
    frame(1, 4, 1, grpcRequest),
    frame(0, 1, 1, Buffer.from([0, 0, 0, 0, 3, 1, 2, 3])),
    frame(1, 4, 3, request),
    frame(3, 0, 3, Buffer.from([0, 0, 0, 8])),
    frame(6, 0, 0, Buffer.alloc(8)),
    frame(8, 0, 0, Buffer.from([0, 0, 255, 255])),
    frame(7, 0, 0, Buffer.alloc(8)),
  ]),
  Buffer.from('\x16\x03\x01\0\x05\x01\0\0\x01\x03', 'latin1'),
];

/** A seed with some bytes replaced, and a part of it doubled or left out. */
const conversation = fc
  .record({
    seed: fc.constantFrom(...seeds),
    replaced: fc.array(fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 255 })), { maxLength: 3 }),
    cut: fc.option(fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 60 }), fc.boolean()), { nil: undefined }),
  })
  .map(({ seed, replaced, cut }) => {
    const bytes = Buffer.from(seed);
    for (const [at, value] of replaced) bytes[at % bytes.length] = value;
    if (!cut) return bytes;
    const [at, length, doubled] = cut;
    const [from, to] = [at % bytes.length, Math.min(bytes.length, (at % bytes.length) + length)];
    const part = bytes.subarray(from, to);
    return Buffer.concat([bytes.subarray(0, from), ...(doubled ? [part, part] : []), bytes.subarray(to)]);
  });

async function converse(port: number, bytes: Buffer): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {}).resume();
  socket.end(bytes);
  if (!socket.closed) await once(socket, 'close').catch(() => {});
}

test('10,000 mutated requests and frames neither crash nor leak', async t => {
  let answered = 0;
  const { port, listener } = await startListener(
    t,
    { firstByteTimeoutMs: 100, headerTimeoutMs: 100, requestTimeoutMs: 100, idleTimeoutMs: 100 },
    {
      http: (incoming, response) => {
        answered++;
        incoming.resume().on('error', () => {});
        response.end('{}');
      },
      upgrade: (_request, socket) => void socket.end(),
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(conversation, { minLength: perBatch, maxLength: perBatch }), async many => {
      await Promise.all(many.map(bytes => converse(port, bytes)));
    }),
    { numRuns: batches },
  );
  const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  assert.equal(answer.status, 200);
  await answer.arrayBuffer();
  assert.ok(answered > 500, `only ${answered} of the mutants were requests`);
  await eventually(() => listener.counts().total === 0);
});
