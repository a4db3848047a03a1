/** What a request says of itself is not believed, and a fault in answering one request ends that request alone. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect as http2Connect } from 'node:http2';
import { describe, type TestContext, test } from 'node:test';
import type { Fronts } from '../src/listener/index.ts';
import { openSocket, readToEnd, startListener } from './support/listener-stage.ts';

async function answerTo(t: TestContext, port: number, text: string): Promise<string> {
  const socket = await openSocket(t, port);
  const answer = readToEnd(socket);
  socket.write(text);
  return answer;
}

async function isServed(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  await answer.arrayBuffer();
  return answer.ok;
}

describe('the version that an HTTP/1 request names', () => {
  const requests: [string, RegExp][] = [
    ['GET / HTTP/2.0\r\n\r\n', /^HTTP\/1\.1 505 /],
    ['GET / HTTP/2.0\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 505 /],
    ['POST / HTTP/2.0\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}', /^HTTP\/1\.1 505 /],
    ['POST / HTTP/2.0\r\nHost: x\r\nContent-Type: application/grpc\r\n\r\n', /^HTTP\/1\.1 505 /],
    ['GET / HTTP/2.0\r\nHost: x\r\nExpect: 100-continue\r\n\r\n', /^HTTP\/1\.1 505 /],
    ['GET / HTTP/2.0\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', /^HTTP\/1\.1 505 /],
    ['OPTIONS * HTTP/2.0\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 505 /],
    ['GET / HTTP/0.9\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 505 /],
    ['GET / HTTP/1.2\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 505 /],
    ['GET / HTTP/2.1\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 505 /],
    ['GET / HTTP/3.0\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 505 /],
    ['GET / HTTP/9.9\r\nHost: x\r\n\r\n', /^HTTP\/1\.1 505 /],
    ['GET /\r\n\r\n', /^HTTP\/1\.1 (?:400|505) /],
    ['CONNECT x:1 HTTP/2.0\r\nHost: x\r\n\r\n', /^(?:$|HTTP\/1\.1 505 )/],
    ['PRI * HTTP/2.0\r\nHost: x\r\n\r\n', /^(?:$|HTTP\/1\.1 (?:400|505) )/],
  ];
  for (const [text, expected] of requests) {
    test(`${JSON.stringify(text.split('\r\n', 1)[0])} (${text.length} bytes) reaches nobody`, async t => {
      const seen: unknown[] = [];
      const { port } = await startListener(t, {}, { http: () => seen.push(1), upgrade: () => seen.push(1) });
      assert.match(await answerTo(t, port, text), expected);
      assert.deepEqual(seen, []);
    });
  }

  test('counts on a kept connection too', async t => {
    const { port } = await startListener(t);
    const answer = await answerTo(
      t,
      port,
      'GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/2.0\r\nHost: x\r\n\r\nGET /c HTTP/1.1\r\nHost: x\r\n\r\n',
    );
    assert.match(answer, /505/);
    assert.doesNotMatch(answer, /"url":"\/[bc]"/);
    assert.ok(await isServed(port));
  });

  test('may be 1.0', async t => {
    const { port } = await startListener(t);
    assert.match(await answerTo(t, port, 'GET /a HTTP/1.0\r\n\r\n'), /"httpVersion":"1\.0"/);
  });
});

test('two Host headers are refused, whatever their case and values', async t => {
  const { port } = await startListener(t);
  for (const lines of ['Host: a\r\nHost: b', 'Host: a\r\nhOST: a', 'host: a\r\nX: y\r\nHOST:']) {
    assert.match(await answerTo(t, port, `GET / HTTP/1.1\r\n${lines}\r\n\r\n`), /^HTTP\/1\.1 400 /, lines);
  }
});

describe('a fault in answering a request', () => {
  const kinds: Record<string, () => unknown> = {
    'a throw': () => {
      throw new Error('broken');
    },
    'a rejection': () => Promise.reject(new Error('broken')),
  };
  for (const [name, fail] of Object.entries(kinds)) {
    test(`${name} ends that request alone, over every protocol, and is logged`, async t => {
      const logged: unknown[] = [];
      const failing = (url: string | undefined) => url === '/broken';
      const http: Fronts['http'] = (request, response) =>
        failing(request.url) ? (fail() as undefined) : void response.end('ok');
      const { port } = await startListener(
        t,
        { log: (level, message) => void logged.push([level, message]) },
        { http, grpc: () => fail() as undefined, upgrade: () => fail() as undefined },
      );
      assert.equal(await answerTo(t, port, 'GET /broken HTTP/1.1\r\nHost: x\r\n\r\n'), '');
      const upgrade = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
      assert.equal(await answerTo(t, port, upgrade), '');
      const session = http2Connect(`http://127.0.0.1:${port}`);
      t.after(() => session.destroy());
      await endsAlone(session, { ':path': '/broken' });
      await endsAlone(session, { ':method': 'POST', ':path': '/a', 'content-type': 'application/grpc' });
      assert.deepEqual(
        logged,
        Array.from({ length: 4 }, () => ['error', 'a fault of the program ended one request']),
      );
      assert.ok(await isServed(port));
    });
  }

  async function endsAlone(session: ClientHttp2Session, headers: Record<string, string>): Promise<void> {
    const broken = session.request(headers);
    broken.on('error', () => {}).end();
    await once(broken, 'close');
    const [answer] = await once(session.request({ ':path': '/' }), 'response');
    assert.equal(answer[':status'], 200);
  }
});

test('a request that no front sees leaves a line in the log and a count', async t => {
  const lines: unknown[] = [];
  const counts: string[] = [];
  const log = (_level: string, _message: string, fields?: Readonly<Record<string, unknown>>) =>
    lines.push(fields?.status);
  const { port } = await startListener(t, { log, refused: what => counts.push(what) });
  for (const text of [
    'nonsense\r\n\r\n',
    'GET / HTTP/2.0\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  ])
    await answerTo(t, port, text);
  assert.deepEqual(lines, [400, 505, 400]);
  assert.deepEqual(counts, ['400', '505', '400']);
});
