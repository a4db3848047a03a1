/** A client that takes its request back, at every moment and by every code: the gateway goes on for the others. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { createAuthority } from './support/certificates.ts';
import { eventually } from './support/eventually.ts';
import {
  dataFrame,
  FrameScanner,
  flags,
  frameType,
  headersFrame,
  preface,
  requestHeaders,
  resetFrame,
  settingsFrame,
} from './support/http2-frames.ts';
import { createFolder } from './support/hub-stage.ts';
import { startStubTiller } from './support/stub-tiller.ts';
import { startWholeGateway } from './support/whole-gateway.ts';

const grpc = { 'content-type': 'application/grpc', te: 'trailers' };
const requests = [
  requestHeaders('GET', '/tiller/v2/version/json'),
  requestHeaders('GET', '/'),
  requestHeaders('GET', '/nothing'),
  requestHeaders('OPTIONS', '/tiller/v2/version/json'),
  requestHeaders('POST', '/tiller/v2/releases/a/json', { 'content-type': 'application/json' }),
  requestHeaders('POST', '/tiller/v2/releases/a/test/json'),
  requestHeaders('POST', '/tiller/v2/releases/a/json', { expect: '100-continue' }),
  requestHeaders('CONNECT', '/'),
  requestHeaders('POST', '/appscode.swift.v2.ReleaseService/GetVersion', grpc),
  requestHeaders('HEAD', '/appscode.swift.v2.ReleaseService/GetVersion', grpc),
  requestHeaders('POST', '/appscode.swift.v2.ReleaseService/RunReleaseTest', grpc),
  requestHeaders('POST', '/hapi.services.tiller.ReleaseService/GetVersion', grpc),
  requestHeaders('POST', '/grpc.health.v1.Health/Watch', grpc),
  requestHeaders('POST', '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', grpc),
  requestHeaders('POST', '/no.Such/Method', grpc),
];
const bodies = [undefined, Buffer.alloc(5), Buffer.from('{"dry')];
const noError = 0;
const internalError = 2;
const cancel = 8;

/** Sends a request and takes it back; `pauseMs` 0 puts both into one packet. */
async function sendAndReset(port: number, request: Buffer, code: number, pauseMs: number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => {}).resume();
  const start = Buffer.concat([preface, settingsFrame, request]);
  const reset = resetFrame(1, code);
  if (pauseMs === 0) {
    socket.write(Buffer.concat([start, reset]));
  } else {
    socket.write(start);
    await sleep(pauseMs);
    socket.write(reset);
  }
  await sleep(20);
  socket.destroy();
  if (!socket.closed) await once(socket, 'close');
}

test('resets at every moment leave the gateway as it was', async t => {
  const stub = await startStubTiller({ replies: { RunReleaseTest: { hang: 'before' } } });
  t.after(() => stub.stop());
  const { port, url, gateway, lines } = await startWholeGateway(t, stub);
  for (const headers of requests) {
    const conversations = bodies.flatMap(body =>
      [noError, internalError, cancel].flatMap(code =>
        [0, 1, 15].map(pauseMs => {
          const head = headersFrame(1, headers, body ? 0 : flags.endStream);
          const request = body ? Buffer.concat([head, dataFrame(1, body)]) : head;
          return sendAndReset(port, request, code, pauseMs);
        }),
      ),
    );
    await Promise.all(conversations);
    const answer = await fetch(`${url}/tiller/v2/version/json`);
    assert.equal(answer.status, 200, headers[':path']);
    await answer.arrayBuffer();
  }
  // the last cancels may not have reached Tiller yet
  await eventually(() => stub.openStreams.size === 0);
  // a request that was taken back before its end is not a request: nothing was changed for it
  assert.deepEqual(stub.callsOf('InstallRelease'), []);
  await gateway.stop();
  assert.deepEqual(
    lines.filter(line => line.includes('cut off')),
    [],
  ); // no connection outlived its client
});

test('a client over TLS that vanishes while one of its streams is refused leaves no connection behind', async t => {
  const stub = await startStubTiller();
  t.after(() => stub.stop());
  const { folder } = createFolder(t);
  const { cert, key } = createAuthority('resets').issue('localhost');
  const [certFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key, { mode: 0o600 });
  const { port, url } = await startWholeGateway(t, stub, [
    `--tls-cert-file=${certFile}`,
    `--tls-private-key-file=${keyFile}`,
  ]);
  const bytes = Buffer.concat([
    preface,
    settingsFrame,
    headersFrame(1, requestHeaders('CONNECT', '/x')), // malformed: nghttp2 resets the stream by itself
    headersFrame(3, requestHeaders('OPTIONS', '/x'), flags.endStream),
  ]);
  for (let i = 0; i < 6; i++) {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    const scanner = new FrameScanner();
    socket.on('error', () => {}).once('secureConnect', () => socket.write(bytes));
    socket.on('data', chunk => {
      const ended = scanner
        .push(chunk)
        .some(({ kind, bits }) => kind === frameType.reset || (kind <= 1 && bits & 1));
      if (ended) socket.destroy();
    });
    await once(socket, 'close');
  }
  await eventually(async () => {
    const metrics = await fetch(`${url}/metrics`, { headers: { connection: 'close' } });
    return /_connections\{protocol="http2"\} 0$/m.test(await metrics.text());
  });
});
