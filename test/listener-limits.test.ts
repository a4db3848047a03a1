/** What a client that is slow, silent, greedy or broken can do to the port: nothing to others. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as http1Request } from 'node:http';
import { connect as http2Connect, type ServerHttp2Session } from 'node:http2';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { eventually } from './support/eventually.ts';
import * as http2Frames from './support/http2-frames.ts';
import { openSocket, readToEnd, startListener } from './support/listener-stage.ts';

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const emptySettings = '\0\0\0\x04\0\0\0\0\0';

async function get(port: number, path = '/'): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  await answer.arrayBuffer();
  return answer.status;
}

/** Sends the text and gives what comes back until the listener closes the connection. */
async function send(t: TestContext, port: number, text: string): Promise<string> {
  const socket = await openSocket(t, port);
  socket.write(text, 'latin1');
  return readToEnd(socket);
}

describe('slow and silent connections', () => {
  test('a silent one is closed', async t => {
    const { port } = await startListener(t, { firstByteTimeoutMs: 100 });
    assert.equal(await send(t, port, ''), '');
  });

  test("one that stops within HTTP/2's preface is closed", async t => {
    const { port } = await startListener(t, { firstByteTimeoutMs: 100 });
    assert.equal(await send(t, port, 'PRI * HT'), '');
  });

  test('one that ends, or is reset, before it has said anything leaves nothing behind', async t => {
    const { port, listener } = await startListener(t);
    (await openSocket(t, port)).end();
    (await openSocket(t, port)).end('PR');
    (await openSocket(t, port)).resetAndDestroy();
    await eventually(() => listener.counts().total === 0);
    assert.equal(await get(port), 200);
  });

  test('a header that does not end is answered 408', async t => {
    const { port } = await startListener(t, { headerTimeoutMs: 150 });
    assert.match(
      await send(t, port, 'GET / HTTP/1.1\r\nHost: x\r\n'),
      /^HTTP\/1\.1 408 .*"Request Timeout"/s,
    );
  });

  test('a body that does not end is answered 408 and does not hold the front', async t => {
    let closed: Promise<unknown> | undefined;
    const { port } = await startListener(
      t,
      { headerTimeoutMs: 150, requestTimeoutMs: 200 },
      {
        http: (request, response) => {
          closed = once(response, 'close');
          request.resume().on('error', () => {});
        },
      },
    );
    assert.match(
      await send(t, port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc'),
      /^HTTP\/1\.1 408 /,
    );
    await closed;
  });

  test("an HTTP/2 body that does not end costs its stream, not the connection's others", async t => {
    const { port } = await startListener(t, { requestTimeoutMs: 100 });
    const session = http2Connect(`http://127.0.0.1:${port}`);
    t.after(() => session.destroy());
    const stream = session.request({ ':path': '/', ':method': 'POST' });
    stream.write('abc');
    await assert.rejects(once(stream, 'response'), { code: 'ERR_HTTP2_STREAM_ERROR' });
    const [served] = await once(session.request({ ':path': '/' }), 'response');
    assert.equal(served[':status'], 200);
  });

  test('an idle kept-alive connection is closed, in both versions', async t => {
    const { port, listener } = await startListener(t, { idleTimeoutMs: 100 });
    assert.match(await send(t, port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 200 /);
    const session = http2Connect(`http://127.0.0.1:${port}`);
    await once(session, 'close');
    await eventually(() => listener.counts().total === 0);
  });

  test('an answer may take longer than every time-out', async t => {
    const { port } = await startListener(
      t,
      { firstByteTimeoutMs: 50, headerTimeoutMs: 50, requestTimeoutMs: 50, idleTimeoutMs: 50 },
      { http: (_request, response) => void setTimeout(() => response.end('late'), 400) },
    );
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'late');
    const session = http2Connect(`http://127.0.0.1:${port}`);
    t.after(() => session.destroy());
    const stream = session.request({ ':path': '/' });
    assert.equal((await stream.setEncoding('utf8').toArray()).join(''), 'late');
  });

  test('an HTTP/2 client that is gone, though its connection stands, does not keep its requests', async t => {
    let closed: Promise<unknown> | undefined;
    const { port } = await startListener(
      t,
      { pingEveryMs: 100, pingTimeoutMs: 100 },
      {
        http: (_request, response) => {
          closed = once(response, 'close');
        },
      },
    );
    const socket = await openSocket(t, port);
    // pings are never answered
    socket.write(
      Buffer.concat([
        http2Frames.preface,
        http2Frames.settingsFrame,
        http2Frames.headersFrame(1, http2Frames.requestHeaders('GET', '/'), http2Frames.flags.endStream),
      ]),
    );
    await readToEnd(socket);
    assert.ok(closed, 'the request was taken');
    await closed;
  });

  test('a client that is asked again and again costs no more for it', async t => {
    const session = Promise.withResolvers<ServerHttp2Session>();
    const { port } = await startListener(
      t,
      { pingEveryMs: 10 },
      {
        http(request) {
          if ('stream' in request) session.resolve(request.stream.session as ServerHttp2Session);
        },
      },
    );
    const client = http2Connect(`http://127.0.0.1:${port}`);
    t.after(() => client.destroy());
    client.request({ ':path': '/' }).on('error', () => {});
    const asked = await session.promise;
    const before = asked.listenerCount('close');
    for (let pings = 0; pings < 30; pings++) await once(client, 'ping');
    // but for what is asked just now
    await eventually(() => asked.listenerCount('close') <= before + 2);
  });

  test('a client that takes nothing of its answer is cut off, in both versions', async t => {
    const closed: Promise<unknown>[] = [];
    const { port } = await startListener(
      t,
      { idleTimeoutMs: 150 },
      {
        http: (_request, response) => {
          closed.push(once(response, 'close'));
          response.end(Buffer.alloc(64 * 1024 * 1024));
        },
      },
    );
    const socket = await openSocket(t, port);
    socket.pause().write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const session = http2Connect(`http://127.0.0.1:${port}`);
    t.after(() => session.destroy());
    const stream = session.request({ ':path': '/' });
    stream.on('error', () => {}).pause();
    await once(stream, 'response');
    assert.equal((await Promise.all(closed)).length, 2);
  });

  test('a client that takes its answer slowly gets all of it, in both versions', async t => {
    // more than the sockets hold, over more than twice the timeout
    const size = 30 * 1024 * 1024;
    const takeMs = 5_000;
    const { port } = await startListener(
      t,
      { idleTimeoutMs: 2_000 },
      { http: (_request, response) => void response.end(Buffer.alloc(size)) },
    );
    const takeSlowly = async (stream: NodeJS.ReadableStream) => {
      let bytes = 0;
      const startedAt = performance.now();
      for await (const chunk of stream) {
        bytes += chunk.length;
        const ahead = startedAt + (bytes / size) * takeMs - performance.now();
        if (ahead > 0) await new Promise(resolve => setTimeout(resolve, ahead));
      }
      assert.ok(performance.now() - startedAt > takeMs * 0.9);
      return bytes;
    };
    const request = http1Request({ port, headers: { connection: 'close' } }).end();
    const [answer] = await once(request, 'response');
    const session = http2Connect(`http://127.0.0.1:${port}`);
    t.after(() => session.destroy());
    const stream = session.request({ ':path': '/' });
    assert.deepEqual(await Promise.all([takeSlowly(answer), takeSlowly(stream)]), [size, size]);
  });
});

describe('limits', () => {
  test('1,000 idle and half-open connections do not keep others from being served', async t => {
    // however slow the machine, none of them is closed for being late
    const patience = { firstByteTimeoutMs: 600_000, headerTimeoutMs: 600_000, idleTimeoutMs: 600_000 };
    const { port, listener } = await startListener(t, patience);
    const idle = await Promise.all(Array.from({ length: 1000 }, () => openSocket(t, port, true)));
    for (const [index, socket] of idle.entries()) {
      if (index % 4 === 1) socket.write('GET / HTTP/1.1\r\nHo');
      if (index % 4 === 2) socket.write(preface + emptySettings, 'latin1');
      if (index % 4 === 3) socket.write('\x16\x03\x01', 'latin1');
    }
    for (let round = 0; round < 50; round++) assert.equal(await get(port), 200);
    assert.ok(listener.counts().total >= 750, String(listener.counts().total));
    for (const socket of idle) socket.destroy();
    await eventually(() => listener.counts().http2 === 0);
  });

  test('connections over the limit are closed at once where all are busy, and the first is logged', async t => {
    const lines: string[] = [];
    const counts: string[] = [];
    const answers: (() => void)[] = [];
    const { port, listener } = await startListener(
      t,
      {
        maxConnections: 3,
        log: (_level, message) => void lines.push(message),
        refused: what => void counts.push(what),
      },
      { http: (_request, response) => void answers.push(() => response.end()) },
    );
    const held = [await openSocket(t, port), await openSocket(t, port), await openSocket(t, port)];
    for (const socket of held) socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(() => answers.length === 3);
    for (let more = 0; more < 5; more++) assert.equal(await send(t, port, 'GET / HTTP/1.1\r\n'), '');
    assert.deepEqual(lines, ['too many connections are open: one is closed for each further one']);
    assert.deepEqual(counts, Array(5).fill('connections'));
    held[0]?.destroy();
    await eventually(() => listener.counts().total < 3);
    const late = await openSocket(t, port);
    late.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await eventually(() => answers.length === 4);
    answers[3]?.();
    assert.match(await readToEnd(late), /^HTTP\/1\.1 200 /);
  });

  const beginnings: Record<string, string> = {
    nothing: '',
    'half a request line': 'GET /he',
    'half a head': 'GET / HTTP/1.1\r\nHost: x\r\nX-A: ',
    "half of HTTP/2's preface": preface.slice(0, 14),
    "HTTP/2's preface": preface,
    'HTTP/2 without a request': preface + emptySettings,
    "half of HTTP/2's first head": `${preface + emptySettings}\0\0\x30\x01\x05\0\0\0\x01\x82\x86`,
  };
  for (const [name, text] of Object.entries(beginnings)) {
    test(`${name} on all connections keeps nobody out, and the oldest of them go first`, async t => {
      const { port, listener } = await startListener(t, { maxConnections: 20 });
      const ended: number[] = [];
      for (let index = 0; index < 20; index++) {
        const socket = await openSocket(t, port);
        socket.write(text, 'latin1');
        socket.resume().once('close', () => void ended.push(index));
      }
      await eventually(() => listener.counts().total === 20);
      for (let round = 0; round < 5; round++)
        assert.match(
          await send(t, port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
          /^HTTP\/1\.1 200 /,
        );
      const session = http2Connect(`http://127.0.0.1:${port}`);
      t.after(() => session.destroy());
      const [answer] = await once(session.request({ ':path': '/' }), 'response');
      assert.equal(answer[':status'], 200);
      assert.ok(listener.counts().total <= 20);
      await eventually(() => ended.length > 0);
      assert.ok(
        ended.every(index => index < 10),
        String(ended),
      );
    });
  }

  test('a request in progress stays, an idle connection goes when there is no other', async t => {
    const answers: (() => void)[] = [];
    const { port } = await startListener(
      t,
      { maxConnections: 4 },
      {
        http: (request, response) => {
          if (request.url === '/slow') answers.push(() => response.end('done'));
          else response.end('ok');
        },
      },
    );
    const open = async (path: string) => {
      const socket = await openSocket(t, port);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      return socket;
    };
    const slow = await open('/slow');
    await eventually(() => answers.length === 1);
    const idle = await open('/');
    assert.match(String(await once(idle, 'data')), /^HTTP\/1\.1 200 /);
    const session = http2Connect(`http://127.0.0.1:${port}`);
    t.after(() => session.destroy());
    const call = session.request({ ':path': '/slow' });
    await eventually(() => answers.length === 2);
    const half = await openSocket(t, port);
    half.write('GET / HT');
    const [halfEnds, idleEnds] = [half, idle].map(socket => readToEnd(socket));
    const first = await open('/slow');
    await halfEnds;
    await eventually(() => answers.length === 3);
    await open('/slow');
    await idleEnds;
    await eventually(() => answers.length === 4);
    assert.equal(await send(t, port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'), '');
    const replies = [slow, first].map(socket => once(socket, 'data'));
    for (const answer of answers) answer();
    for (const [reply] of await Promise.all(replies)) assert.match(String(reply), /^HTTP\/1\.1 200 /);
    const [answer] = await once(call, 'response');
    assert.equal(answer[':status'], 200);
  });

  test('a header over the limit is answered 431', async t => {
    const { port } = await startListener(t, { maxHeaderBytes: 2048 });
    const large = 'x'.repeat(4096);
    assert.match(await send(t, port, `GET / HTTP/1.1\r\nHost: x\r\nA: ${large}\r\n\r\n`), /^HTTP\/1\.1 431 /);
    const session = http2Connect(`http://127.0.0.1:${port}`);
    t.after(() => session.destroy());
    for (const type of ['application/json', 'application/grpc']) {
      const stream = session.request({ ':path': '/', a: large, 'content-type': type });
      const [headers] = await once(stream, 'response');
      assert.equal(headers[':status'], 431, type);
    }
    assert.equal(await get(port), 200);
  });

  test('streams over the limit wait until others have ended', async t => {
    let open = 0;
    let most = 0;
    const { port } = await startListener(
      t,
      { maxStreams: 4 },
      {
        http: (_request, response) => {
          most = Math.max(most, ++open);
          setTimeout(() => {
            open--;
            response.end();
          }, 5);
        },
      },
    );
    const session = http2Connect(`http://127.0.0.1:${port}`);
    t.after(() => session.destroy());
    await once(session, 'remoteSettings');
    const streams = Array.from({ length: 20 }, () => session.request({ ':path': '/' }).resume());
    await Promise.all(streams.map(stream => once(stream, 'close')));
    assert.equal(most, 4);
  });

  test('a flood of resets is answered by closing the connection, and others are served', async t => {
    const { port, listener } = await startListener(t);
    const socket = await openSocket(t, port);
    const ended = readToEnd(socket);
    // ':method: GET', ':scheme: http', ':path: /' from HPACK's static table
    const headers = Buffer.from([0, 0, 3, 1, 5, 0, 0, 0, 0, 0x82, 0x86, 0x84]);
    const reset = Buffer.from([0, 0, 4, 3, 0, 0, 0, 0, 0, 0, 0, 0, 8]);
    const frames: Buffer[] = [Buffer.from(preface + emptySettings, 'latin1')];
    for (let stream = 1; stream < 20_000; stream += 2) {
      const [open, close] = [Buffer.from(headers), Buffer.from(reset)];
      open.writeUInt32BE(stream, 5);
      close.writeUInt32BE(stream, 5);
      frames.push(open, close);
    }
    socket.write(Buffer.concat(frames));
    await ended;
    assert.equal(await get(port), 200);
    await eventually(() => listener.counts().http2 === 0);
  });

  test('a flood of pings or settings ends the connection, and others are served', async t => {
    const { port } = await startListener(t, { idleTimeoutMs: 300 });
    const ping = '\0\0\x08\x06\0\0\0\0\0abcdefgh';
    for (const frame of [ping, emptySettings]) {
      const socket = await openSocket(t, port);
      const closed = once(socket, 'close');
      socket.on('error', () => {}).pause(); // the answers are not read
      socket.write(preface + emptySettings + frame.repeat(200_000), 'latin1');
      socket.resume();
      await closed;
      assert.equal(await get(port), 200);
    }
  });
});

describe('garbage', () => {
  test('is answered 400 as HTTP/1.1, with the reason as JSON', async t => {
    const { port } = await startListener(t);
    const answer = await send(t, port, '\x00\x01\x02garbage\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
    assert.deepEqual(JSON.parse(answer.split('\r\n\r\n')[1] ?? ''), {
      code: 3,
      message: 'Bad Request',
      reason: 'INVALID_REQUEST',
    });
  });

  test('behind the preface ends the connection', async t => {
    const { port } = await startListener(t);
    await send(t, port, `${preface}${'garbage'.repeat(100)}`);
    assert.equal(await get(port), 200);
  });

  test('TLS where there is none ends the connection', async t => {
    const { port } = await startListener(t);
    assert.equal(await send(t, port, '\x16\x03\x01\x02'), '');
  });

  test('of any kind neither crashes nor leaks', async t => {
    const { port, listener } = await startListener(t, {
      firstByteTimeoutMs: 200,
      headerTimeoutMs: 200,
      idleTimeoutMs: 300,
    });
    const starts = fc.constantFrom('', preface, preface + emptySettings, 'GET / HTTP/1.1\r\n', '\x16');
    await fc.assert(
      fc.asyncProperty(starts, fc.uint8Array({ maxLength: 300 }), async (start, rest) => {
        const socket = await openSocket(t, port);
        socket.on('error', () => {});
        socket.end(Buffer.concat([Buffer.from(start, 'latin1'), rest]));
        socket.resume();
        await once(socket, 'close');
      }),
      { numRuns: 300 },
    );
    assert.equal(await get(port), 200);
    await eventually(() => listener.counts().http2 === 0);
  });

  test('in a request over a kept connection closes only that one', async t => {
    const { port } = await startListener(t);
    const request = http1Request({ port, headers: { 'transfer-encoding': 'chunked' }, method: 'POST' });
    request.on('error', () => {});
    request.flushHeaders();
    const [socket] = await once(request, 'socket');
    if (socket.connecting) await once(socket, 'connect');
    socket.write('not a chunk\r\n');
    await once(socket, 'close');
    assert.equal(await get(port), 200);
  });
});
