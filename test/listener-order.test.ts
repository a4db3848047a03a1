/** Answers on one HTTP/1.1 connection come in the order of the requests, also where one of them cannot be read. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Fronts } from '../src/listener/index.ts';
import { eventually } from './support/eventually.ts';
import { openSocket, readToEnd, startListener } from './support/listener-stage.ts';

/** What cannot be read behind two whole requests, and the status that it gets. */
const malformed: [string, number][] = [
  ['garbage\r\n\r\n', 400],
  ['\0\x01\x02\r\n\r\n', 400],
  ['GET / HTTP/2.0\r\nHost: x\r\n\r\n', 505],
  ['GET / HTTP/0.9\r\nHost: x\r\n\r\n', 505],
  ['GET / HTTP/11\r\nHost: x\r\n\r\n', 505],
  ['GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
  ['GET / HTTP/1.1\r\n\r\n', 400],
  ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n', 400],
  ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
  ['POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
  ['POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n', 400],
  ['DELETE / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n', 400],
  ['DELETE / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', 501],
  ['DELETE / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ['GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n folded\r\n\r\n', 400],
  ['GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n', 400],
  [`GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ['CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 405],
  ['PRI * HTTP/2.0\r\n\r\nXX', 505],
];

/** Answers when it is told to; `open` has the requests that wait. */
function slowFront() {
  const open = new Map<string, (text: string) => void>();
  const http: Fronts['http'] = (request, response) => {
    request.resume().on('error', () => {});
    open.set(String(request.url), text => void response.end(text));
  };
  return { open, http };
}

const two = 'GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n';
const statuses = (text: string) =>
  [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));

describe('behind two requests whose answers take their time', () => {
  for (const [text, status] of malformed) {
    test(`${JSON.stringify(text.slice(0, 60))} is answered ${status} after them`, async t => {
      const { open, http } = slowFront();
      const counts: string[] = [];
      const { port } = await startListener(t, { refused: what => counts.push(what) }, { http });
      const socket = await openSocket(t, port);
      const answer = readToEnd(socket);
      socket.write(`${two}${text}GET /3 HTTP/1.1\r\nHost: x\r\n\r\n`, 'latin1');
      await eventually(() => open.size === 2 && counts.length === 1);
      open.get('/2')?.('second');
      open.get('/1')?.('first');
      const got = await answer;
      assert.deepEqual(statuses(got), [200, 200, status]);
      assert.ok(got.indexOf('first') < got.indexOf('second'));
      assert.ok(!open.has('/3'));
      assert.deepEqual(counts, [String(status)]);
    });
  }

  test('a body that cannot be read takes the place of its own answer', async t => {
    const { open, http } = slowFront();
    const counts: string[] = [];
    const { port } = await startListener(t, { refused: what => counts.push(what) }, { http });
    const socket = await openSocket(t, port);
    const answer = readToEnd(socket);
    socket.write(`${two}POST /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n`);
    await eventually(() => open.size === 3 && counts.length === 1);
    open.get('/1')?.('first');
    open.get('/2')?.('second');
    assert.deepEqual(statuses(await answer), [200, 200, 400]);
  });

  test('an upgrade is an ordinary request', async t => {
    const { open, http } = slowFront();
    const upgraded: unknown[] = [];
    const { port } = await startListener(t, {}, { http, upgrade: () => upgraded.push(1) });
    const socket = await openSocket(t, port);
    const answer = readToEnd(socket);
    socket.write(`${two}GET /3 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    await eventually(() => open.size === 3);
    for (const path of ['/3', '/1', '/2']) open.get(path)?.(path);
    socket.end();
    assert.deepEqual(statuses(await answer), [200, 200, 200]);
    assert.deepEqual(upgraded, []);
  });

  test('an answer of megabytes is sent whole before it', async t => {
    const size = 8 * 1024 * 1024;
    const http: Fronts['http'] = (_request, response) => void response.end('x'.repeat(size));
    for (const text of ['garbage\r\n\r\n', 'GET / HTTP/2.0\r\nHost: x\r\n\r\n']) {
      const { port } = await startListener(t, {}, { http });
      const socket = await openSocket(t, port);
      socket.write(`GET /1 HTTP/1.1\r\nHost: x\r\n\r\n${text}`);
      const got = await readToEnd(socket);
      assert.equal(statuses(got).length, 2);
      assert.ok(got.length > size);
    }
  });
});
