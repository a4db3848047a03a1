/** Stopping: no request in progress is lost, and nothing keeps the program from ending. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { type ClientHttp2Stream, constants, connect as http2Connect } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { Client, credentials } from '@grpc/grpc-js';
import { createAuthority } from './support/certificates.ts';
import { eventually } from './support/eventually.ts';
import { createFolder } from './support/hub-stage.ts';
import { type JsonFront, openSocket, readToEnd, startListener } from './support/listener-stage.ts';

/** Answers after a moment, so that there is always a request in progress. */
const slowly: JsonFront = (_request, response) => void setTimeout(() => response.end('done'), 20);

async function get(agent: Agent, port: number): Promise<{ status: number; connection: string | undefined }> {
  const request: ClientRequest = httpRequest({ port, agent }).end();
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  assert.equal((await answer.setEncoding('utf8').toArray()).join(''), 'done');
  return { status: answer.statusCode ?? 0, connection: answer.headers.connection };
}

describe('drain', () => {
  test('drops no HTTP/1.1 request under load', async t => {
    const { port, listener } = await startListener(t, {}, { http: slowly });
    const agent = new Agent({ keepAlive: true, maxSockets: 50 });
    t.after(() => agent.destroy());
    let answered = 0;
    const clients = Array.from({ length: 50 }, async () => {
      // each client goes on until it is told that its connection closes
      for (;;) {
        const { status, connection } = await get(agent, port);
        assert.equal(status, 200);
        answered++;
        if (connection === 'close') return;
      }
    });
    // the kernel may still hold connections of a busy process, which a drain waits for within a bound
    await eventually(() => answered >= 200 && listener.counts().http1 === 50);
    assert.equal(await listener.drain(60_000), 0);
    await Promise.all(clients);
    assert.equal(listener.counts().total, 0);
  });

  test('drops no HTTP/2 stream under load', async t => {
    let arrived = 0;
    const { port, listener } = await startListener(
      t,
      {},
      {
        http: (request, response) => {
          arrived++;
          slowly(request, response);
        },
      },
    );
    const sessions = Array.from({ length: 5 }, () => http2Connect(`http://127.0.0.1:${port}`));
    let answered = 0;
    /** The answer; undefined where the client itself did not send the stream, since it had read the GOAWAY just then. */
    const answerOf = async (stream: ClientHttp2Stream): Promise<string | undefined> => {
      try {
        return (await stream.setEncoding('utf8').toArray()).join('');
      } catch (error) {
        if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) return undefined;
        throw error;
      }
    };
    const clients = sessions.map(async session => {
      await once(session, 'remoteSettings');
      while (!session.closed) {
        const streams = Array.from({ length: 10 }, () => session.request({ ':path': '/' }));
        for (const answer of await Promise.all(streams.map(answerOf))) {
          if (answer === undefined) continue;
          assert.equal(answer, 'done');
          answered++;
        }
      }
    });
    await eventually(() => answered >= 100);
    assert.equal(await listener.drain(5000), 0);
    await Promise.all(clients);
    assert.equal(answered, arrived);
  });

  test('drops no gRPC call under load; the client learns that the server is gone', async t => {
    const { port, listener } = await startListener(t);
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    t.after(() => client.close());
    const same = (bytes: Buffer) => bytes;
    const call = () =>
      new Promise<number>(resolve =>
        client.makeUnaryRequest('/x.Y/Z', same, same, Buffer.from('hello'), error =>
          resolve(error?.code ?? 0),
        ),
      );
    let answered = 0;
    let stopping = false;
    const clients = Array.from({ length: 20 }, async () => {
      for (let code = 0; code === 0; ) {
        code = await call();
        answered++;
        // once the port is closed a new connection cannot be had: UNAVAILABLE, and nothing was sent
        assert.ok(code === 0 || (stopping && code === 14), `code ${code}`);
      }
    });
    await eventually(() => answered >= 200);
    stopping = true;
    assert.equal(await listener.drain(5000), 0);
    await Promise.all(clients);
  });

  test('finishes a long answer on a connection whose client reads slowly', async t => {
    const size = 8 * 1024 * 1024;
    const { port, listener } = await startListener(
      t,
      {},
      { http: (request, response) => void response.end(Buffer.alloc(request.url === '/' ? size : 1, 'x')) },
    );
    const [socket, idle] = [await openSocket(t, port), await openSocket(t, port)];
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    idle.write('GET /short HTTP/1.1\r\nHost: x\r\n\r\n');
    await Promise.all([once(socket, 'readable'), once(idle, 'data')]);
    const drained = listener.drain(60_000);
    await once(idle, 'close'); // by now the drain closes what is idle
    const text = await readToEnd(socket);
    assert.equal(text.length - text.indexOf('\r\n\r\n') - 4, size);
    assert.equal(await drained, 0);
  });

  test('refuses new connections', async t => {
    const { port, listener } = await startListener(t);
    await listener.drain(1000);
    await assert.rejects(openSocket(t, port), { code: 'ECONNREFUSED' });
  });

  test('closes at once what asks for nothing, however far it has got', async t => {
    const files = createFolder(t);
    const pair = createAuthority('test CA').issue('a');
    const tls = {
      certFile: files.write('cert', String(pair.cert)),
      privateKeyFile: files.write('key', String(pair.key)),
      clientAuth: 'none' as const,
    };
    const aMinute = 60_000;
    const { port, listener } = await startListener(t, {
      tls,
      firstByteTimeoutMs: aMinute,
      headerTimeoutMs: aMinute,
      requestTimeoutMs: aMinute,
      idleTimeoutMs: aMinute,
    });
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
    const settings = '\0\0\0\x04\0\0\0\0\0';
    const hello = await clientHello(t);
    const beginnings: Record<string, string> = {
      nothing: '',
      'the beginning of the preface': preface.slice(0, 7),
      'the preface, and neither settings nor an answer to a ping': preface,
      'preface and settings, and no answer to a ping': preface + settings,
      'preface, settings and half a frame': `${preface}${settings}\0\0\x10\x01`,
      'the first byte of TLS': '\x16',
      'half a hello of TLS': hello.slice(0, hello.length / 2),
      'a hello of TLS, and nothing more': hello,
      'half a request line': 'GET /a',
      'half a head': 'GET / HTTP/1.1\r\nHost: x\r\nA: ',
      'a request that is answered': 'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      'an answered request and half of the next': 'GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT',
    };
    const sockets = await Promise.all(
      Object.entries(beginnings).map(async ([name, bytes]) => {
        const socket = await openSocket(t, port);
        if (/answered/.test(name)) setImmediate(() => socket.write(bytes, 'latin1'));
        else if (bytes !== '') socket.write(bytes, 'latin1');
        if (/answered/.test(name)) await once(socket, 'data');
        return socket.on('error', () => {}).resume();
      }),
    );
    const secured = ['h2', 'http/1.1'].map(protocol =>
      tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: [protocol] }),
    );
    await Promise.all(secured.map(socket => once(socket, 'secureConnect')));
    for (const socket of secured) socket.on('error', () => {}).resume();
    await eventually(() => listener.counts().total === sockets.length + secured.length);
    const closed = [...sockets, ...secured].map(socket => once(socket, 'close'));
    // were one of them left, it would be cut off, and counted, only after this time
    assert.equal(await listener.drain(50_000), 0);
    await Promise.all(closed);
  });

  test('cuts off what has not finished in time, and says how much', async t => {
    const { port, listener } = await startListener(t, {}, { http: () => {} });
    const socket = await openSocket(t, port);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const session = http2Connect(`http://127.0.0.1:${port}`);
    session.on('error', () => {});
    const stream = session.request({ ':path': '/' });
    stream.on('error', () => {});
    await eventually(() => listener.counts().http1 + listener.counts().http2 === 2);
    const ended = [readToEnd(socket), once(stream, 'close')];
    assert.equal(await listener.drain(300), 2);
    await Promise.all(ended);
  });

  test('says why an address cannot be had', async t => {
    const { port } = await startListener(t);
    await assert.rejects(startListener(t, { targets: [{ host: '127.0.0.1', port, tlsOnly: false }] }), {
      code: 14,
      message: `cannot listen on 127.0.0.1:${port}: another program listens there`,
    });
  });
});

/** The first record that a client of TLS sends. */
async function clientHello(t: TestContext): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const accepted = once(server, 'connection');
  const client = tlsConnect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  client.on('error', () => {});
  const [socket] = (await accepted) as [Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  return bytes.toString('latin1');
}
