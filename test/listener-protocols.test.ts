/** One port: HTTP/1.1, HTTP/2 and gRPC without TLS, alone and mixed. TLS is in listener-tls.test.ts. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as http1Request } from 'node:http';
import { type ClientHttp2Session, connect as http2Connect, type OutgoingHttpHeaders } from 'node:http2';
import { describe, type TestContext, test } from 'node:test';
import { Client, credentials } from '@grpc/grpc-js';
import { openSocket, readToEnd, startListener } from './support/listener-stage.ts';

function openSession(t: TestContext, port: number): ClientHttp2Session {
  const session = http2Connect(`http://127.0.0.1:${port}`);
  t.after(() => session.destroy());
  return session;
}

async function fetchStream(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: Buffer) {
  const stream = session.request(headers, { endStream: body === undefined });
  if (body) stream.end(body);
  const trailers: Record<string, unknown> = {};
  stream.on('trailers', received => Object.assign(trailers, received));
  const [response] = await once(stream, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return { status: response[':status'], body: Buffer.concat(chunks), trailers };
}

describe('one port', () => {
  test('answers HTTP/1.1, several requests on a connection', async t => {
    const { port } = await startListener(t);
    for (const path of ['/a', '/b']) {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        body: 'x'.repeat(100_000),
      });
      assert.deepEqual(await answer.json(), {
        httpVersion: '1.1',
        method: 'POST',
        url: path,
        bytes: 100_000,
      });
    }
  });

  test('answers HTTP/2 without TLS', async t => {
    const { port } = await startListener(t);
    const session = openSession(t, port);
    const answer = await fetchStream(session, { ':path': '/a', ':method': 'POST' }, Buffer.alloc(3_000_000));
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(answer.body.toString()), {
      httpVersion: '2.0',
      method: 'POST',
      url: '/a',
      bytes: 3_000_000,
    });
  });

  test('answers a gRPC client', async t => {
    const { port } = await startListener(t);
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    t.after(() => client.close());
    const same = (bytes: Buffer) => bytes;
    const reply = await new Promise<Buffer>((resolve, reject) =>
      client.makeUnaryRequest('/x.Y/Z', same, same, Buffer.from('hello'), (error, value) =>
        error ? reject(error) : resolve(value ?? Buffer.alloc(0)),
      ),
    );
    assert.equal(reply.toString(), 'hello');
  });

  test('mixes gRPC and JSON streams on one HTTP/2 connection', async t => {
    const { port, listener } = await startListener(t);
    const session = openSession(t, port);
    const frame = Buffer.from([0, 0, 0, 0, 1, 7]);
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        index % 2 === 0
          ? fetchStream(session, { ':path': `/json/${index}` })
          : fetchStream(
              session,
              { ':path': '/x.Y/Z', ':method': 'POST', 'content-type': 'application/grpc' },
              frame,
            ),
      ),
    );
    for (const [index, { status, body, trailers }] of answers.entries()) {
      assert.equal(status, 200);
      if (index % 2 === 0) assert.equal(JSON.parse(body.toString()).url, `/json/${index}`);
      else assert.deepEqual([body, trailers['grpc-status']], [frame, '0']);
    }
    assert.deepEqual(listener.counts(), { total: 1, http1: 0, http2: 1 });
  });

  test('tells the protocol from bytes that come one by one', async t => {
    const { port } = await startListener(t);
    const socket = await openSocket(t, port);
    socket.setNoDelay(true);
    const answer = readToEnd(socket);
    for (const byte of 'POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\n!') {
      socket.write(byte);
      await new Promise(resolve => setImmediate(resolve));
    }
    assert.match(await answer, /^HTTP\/1\.1 200 OK.*"bytes":1/s);

    const http2 = await openSocket(t, port);
    for (const byte of 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n') {
      http2.write(byte);
      await new Promise(resolve => setImmediate(resolve));
    }
    const [settings] = await once(http2, 'data');
    assert.equal(settings[3], 4, 'the first frame is SETTINGS');
  });

  test('answers pipelined requests, and one whose client has already closed its side', async t => {
    const { port } = await startListener(t);
    const socket = await openSocket(t, port, true);
    const answer = readToEnd(socket);
    socket.end('GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.match(await answer, /"url":"\/1".*"url":"\/2"/s);
  });

  test('answers Expect: 100-continue in both versions', async t => {
    const { port } = await startListener(t);
    const request = http1Request({ port, method: 'POST', headers: { expect: '100-continue' } });
    request.flushHeaders();
    await once(request, 'continue');
    request.end('body');
    const [answer] = await once(request, 'response');
    assert.equal(answer.statusCode, 200);
    answer.resume();

    const stream = openSession(t, port).request({ ':path': '/', ':method': 'POST', expect: '100-continue' });
    await once(stream, 'continue');
    stream.end('body');
    const [headers] = await once(stream, 'response');
    assert.equal(headers[':status'], 200);
  });

  test('passes WebSocket upgrades on, and answers an upgrade to h2c as an ordinary request', async t => {
    const { port } = await startListener(
      t,
      {},
      { upgrade: (_request, socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\nhello') },
    );
    const upgrade = async (protocol: string) => {
      const socket = await openSocket(t, port);
      socket.write(
        `GET /w HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: ${protocol}\r\n\r\n`,
      );
      return readToEnd(socket);
    };
    assert.match(await upgrade('websocket'), /^HTTP\/1\.1 101 .*hello$/s);
    assert.match(await upgrade('h2c'), /^HTTP\/1\.1 200 .*"url":"\/w"/s);
  });

  test('refuses CONNECT over HTTP/2', async t => {
    const { port } = await startListener(t);
    const stream = openSession(t, port).request({ ':method': 'CONNECT', ':authority': 'example.com:443' });
    const [headers] = await once(stream, 'response');
    assert.equal(headers[':status'], 405);
  });
});
