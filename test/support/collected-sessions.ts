/**
 * A program for `keep-session.test.ts`, run with `--expose-gc`: HTTP/2 sessions end behind a malformed header block, and
 * garbage is collected before the event loop's next turn. Its argument says whose sessions they are.
 */
import { EventEmitter, once } from 'node:events';
import http2 from 'node:http2';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createListener } from '../../src/listener/index.ts';
import { toFrame } from '../../src/protocol/index.ts';
import { createTestTiller } from './gateway.ts';
import {
  dataFrame,
  FrameScanner,
  flags,
  frame,
  frameType,
  headersFrame,
  preface,
  type ReadFrame,
  requestHeaders,
  settingsAck,
  settingsFrame,
} from './http2-frames.ts';
import { echo, grpcEcho, roomyOptions } from './listener-stage.ts';
import { tillerVersion } from './stub-tiller.ts';

/** Nothing is collected so early in most runs but by this. */
const rounds = 10;

const ok = { ':status': '200', 'content-type': 'application/grpc' };
/** Good headers, which Node has taken when it meets the bad one. */
const malformed = (stream: number, head: Record<string, string> = {}) =>
  headersFrame(stream, [...Object.entries(head), ['x-long', 'x'.repeat(100)], ['X-Upper', 'x']]);

/** Its end of a connection on which whatever is written is read in the turn of what was written just before. */
async function openBell(): Promise<Socket> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const ear = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [bell] = (await once(server, 'connection')) as [Socket];
  ear.on('data', () => globalThis.gc?.());
  await once(ear, 'connect');
  return bell;
}

/** What answers the first call of a connection, for Tiller's version. */
const versionAnswer = Buffer.concat([
  headersFrame(1, ok),
  dataFrame(1, toFrame(tillerVersion)),
  headersFrame(1, { 'grpc-status': '0' }, flags.endStream),
]);

/** A Tiller that answers the second call of a connection by `malformed`, once its client has said that it closes. */
async function startPeer(bell: Socket): Promise<{ port: number; called(): Promise<unknown> }> {
  const calls = new EventEmitter();
  const server = createServer(socket => {
    const scanner = new FrameScanner();
    let [isFirst, isClosing] = [true, false];
    const answer = ({ kind, bits, stream }: ReadFrame) => {
      if (kind === frameType.settings && bits === 0) socket.write(settingsAck);
      if (kind === frameType.headers && stream === 1) socket.write(versionAnswer);
      if (kind === frameType.headers && stream === 3) calls.emit('call');
      if (kind !== frameType.goaway || isClosing) return;
      isClosing = true;
      socket.write(malformed(3, ok));
      bell.write('x');
    };
    socket.on('error', () => {}).write(settingsFrame);
    socket.on('data', chunk => {
      for (const received of scanner.push(isFirst ? chunk.subarray(preface.length) : chunk)) answer(received);
      isFirst = false;
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, called: () => once(calls, 'call') };
}

const kinds: Readonly<Record<string, (bell: Socket) => Promise<() => Promise<unknown>>>> = {
  /** node:http2 as it is. */
  async bare(bell) {
    const { port, called } = await startPeer(bell);
    return async () => {
      const session = http2.connect(`http://127.0.0.1:${port}`);
      const [closed, arrival] = [once(session, 'close'), called()];
      for (const path of ['/version', '/other']) {
        const stream = session.request({ ':path': path });
        stream.on('error', () => {}).end();
        if (path === '/version') await once(stream.resume(), 'end');
      }
      await arrival;
      session.close();
      await closed;
    };
  },
  async tiller(bell) {
    const { port, called } = await startPeer(bell);
    return async () => {
      const arrival = called();
      const tiller = createTestTiller(`127.0.0.1:${port}`);
      const free = { signal: new AbortController().signal, deadline: undefined };
      const call = tiller.unary('GetReleaseStatus', Buffer.alloc(0), free).catch(() => {});
      await arrival;
      tiller.close();
      await call;
      tiller.destroy();
    };
  },
  async listener(bell) {
    const listener = await createListener(roomyOptions, { http: echo, grpc: grpcEcho });
    await listener.listen();
    const port = listener.addresses()[0]?.port ?? 0;
    return async () => {
      const socket = connect(port, '127.0.0.1');
      const closed = once(socket, 'close');
      const request = headersFrame(1, requestHeaders('POST', '/'));
      socket.on('error', () => {}).write(Buffer.concat([preface, settingsFrame, request]));
      await once(socket, 'data');
      const goaway = frame(frameType.goaway, 0, 0, Buffer.alloc(8));
      socket.write(Buffer.concat([malformed(1), goaway]));
      bell.write('x');
      await sleep(5);
      socket.destroy();
      await closed;
    };
  },
};

const round = await kinds[process.argv[2] ?? '']!(await openBell());
for (let n = 0; n < rounds; n++) {
  await round();
  await sleep(5);
}
process.exit(0);
