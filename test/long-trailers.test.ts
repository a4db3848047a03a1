/** Error texts longer than a header may be, from a peer of HTTP/2 that is no grpc-js: a clear error, and the next call works. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { toFrame } from '../src/protocol/index.ts';
import {
  dataFrame,
  FrameScanner,
  flags,
  frameType,
  headersFrame,
  preface,
  settingsAck,
  settingsFrame,
} from './support/http2-frames.ts';
import { tillerVersion } from './support/stub-tiller.ts';
import { callTiller, openTiller } from './support/tiller-client.ts';
import { startWholeGateway } from './support/whole-gateway.ts';

/** A Tiller made of frames. It answers every call with its version, or with an error text of `textBytes`. */
async function startFrames(t: TestContext) {
  const peer = { textBytes: 0, address: '' };
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => {}));
    const scanner = new FrameScanner();
    let skip = preface.length;
    socket.write(settingsFrame);
    socket.on('data', (chunk: Buffer) => {
      const rest = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - rest.length;
      for (const { kind, bits, stream } of scanner.push(rest)) {
        if (kind === frameType.settings && (bits & 1) === 0) socket.write(settingsAck);
        if (kind === frameType.headers) socket.write(answer(stream, peer.textBytes));
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  peer.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return peer;
}

function answer(stream: number, textBytes: number): Buffer {
  const head = headersFrame(stream, { ':status': '200', 'content-type': 'application/grpc' });
  const message = 'x'.repeat(textBytes);
  const end = textBytes > 0 ? { 'grpc-status': '2', 'grpc-message': message } : { 'grpc-status': '0' };
  const trailers = headersFrame(stream, end, flags.endStream);
  return Buffer.concat([
    head,
    ...(textBytes > 0 ? [] : [dataFrame(stream, toFrame(tillerVersion))]),
    trailers,
  ]);
}

for (const textBytes of [65_500, 70_000, 2_000_000]) {
  test(`an error text of ${textBytes} bytes, by every door`, async t => {
    const peer = await startFrames(t);
    const gateway = await startWholeGateway(t, peer as never, ['--drain-timeout=1s']);
    const client = openTiller(gateway.address);
    t.after(() => client[Symbol.dispose]());
    const metadata = { 'x-helm-api-client': 'v2.17.0' };
    const doors: Record<string, () => Promise<[isOk: boolean, text: string]>> = {
      'HTTP/JSON': async () => {
        const got = await fetch(`${gateway.url}/tiller/v2/version/json`);
        return [got.status === 200, await got.text()];
      },
      ...Object.fromEntries(
        ['appscode.swift.v2', 'hapi.services.tiller'].map(name => [
          name,
          async () => {
            const { status, message } = await callTiller(
              client,
              `/${name}.ReleaseService/GetVersion`,
              Buffer.alloc(0),
              {
                metadata,
              },
            );
            return [status === 0, message];
          },
        ]),
      ),
    };
    for (const [door, call] of Object.entries(doors)) {
      for (let round = 0; round < 3; round++) {
        peer.textBytes = textBytes;
        const [isOk, text] = await call();
        assert.equal(isOk, false, door);
        assert.match(text, /over 64 KiB|Protocol error|xxx/, `${door}: ${text.slice(0, 300)}`);
        peer.textBytes = 0;
        const [isServed, said] = await call();
        assert.ok(isServed, `${door}: the next call, ${said.slice(0, 300)}`);
      }
    }
  });
}
