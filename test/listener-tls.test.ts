/** TLS on the one port: both HTTP versions, TLS-only addresses, reload of the files, client certificates. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as http2Connect } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { TlsOptions } from '../src/listener/index.ts';
import { createListener } from '../src/listener/index.ts';
import { createAuthority, type KeyedCertificate } from './support/certificates.ts';
import { eventually } from './support/eventually.ts';
import {
  echo,
  openSocket,
  portOf,
  readToEnd,
  roomyOptions,
  startListener,
} from './support/listener-stage.ts';

const authority = createAuthority('test CA');
const stranger = createAuthority('another CA');
const [first, second] = [authority.issue('first'), authority.issue('second')];
const folder = mkdtempSync(join(tmpdir(), 'listener-tls-'));
after(() => rmSync(folder, { recursive: true }));

/** The files of one test, laid out as Kubernetes does: the names are links through a link that is swapped. */
function mountSecret(pair: KeyedCertificate): { tls: TlsOptions; swap(next: KeyedCertificate): void } {
  const mount = mkdtempSync(join(folder, 'mount-'));
  let version = 0;
  const swap = ({ cert, key }: KeyedCertificate) => {
    const data = `..${++version}`;
    mkdirSync(join(mount, data));
    writeFileSync(join(mount, data, 'tls.crt'), cert);
    writeFileSync(join(mount, data, 'tls.key'), key);
    writeFileSync(join(mount, data, 'ca.crt'), authority.ca);
    symlinkSync(data, join(mount, '..data_tmp'));
    renameSync(join(mount, '..data_tmp'), join(mount, '..data'));
  };
  swap(pair);
  const file = (name: string) => {
    symlinkSync(join('..data', name), join(mount, name));
    return join(mount, name);
  };
  const [certFile, privateKeyFile] = [file('tls.crt'), file('tls.key')];
  file('ca.crt');
  return { tls: { certFile, privateKeyFile, clientAuth: 'none', reloadIntervalMs: 20 }, swap };
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly served: string;
}

/** One HTTP/1.1 request over TLS, on a connection of its own; `served` is the name in the server's certificate. */
async function get(port: number, path = '/', client?: KeyedCertificate): Promise<Answer> {
  const request = httpsRequest({ host: '127.0.0.1', port, path, ca: authority.ca, agent: false, ...client });
  request.end();
  const [answer] = await once(request, 'response');
  const served = (answer.socket as TLSSocket).getPeerX509Certificate()?.subject ?? '';
  return { status: answer.statusCode, body: (await answer.setEncoding('utf8').toArray()).join(''), served };
}

function openSession(t: TestContext, port: number, client?: KeyedCertificate) {
  const session = http2Connect(`https://127.0.0.1:${port}`, { ca: authority.ca, ...client });
  session.on('error', () => {});
  t.after(() => session.destroy());
  return session;
}

describe('TLS', () => {
  test('both HTTP versions over TLS, and both without, share the port', async t => {
    const { port } = await startListener(t, { tls: mountSecret(first).tls });
    assert.equal(JSON.parse((await get(port)).body).httpVersion, '1.1');
    const stream = openSession(t, port).request({ ':path': '/' });
    assert.match((await stream.setEncoding('utf8').toArray()).join(''), /"httpVersion":"2\.0"/);
    const plain = await fetch(`http://127.0.0.1:${port}/`);
    assert.match(await plain.text(), /"httpVersion":"1\.1"/);
    const plainSession = http2Connect(`http://127.0.0.1:${port}`);
    t.after(() => plainSession.destroy());
    const [headers] = await once(plainSession.request({ ':path': '/' }), 'response');
    assert.equal(headers[':status'], 200);
  });

  test('a client that does not name a protocol gets HTTP/1.1', async t => {
    const { port } = await startListener(t, { tls: mountSecret(first).tls });
    const socket = tlsConnect({ port, host: '127.0.0.1', ca: authority.ca });
    t.after(() => socket.destroy());
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    assert.match(await readToEnd(socket), /^HTTP\/1\.1 200 /);
  });

  test('half a hello, and a handshake without a request, on all connections keep nobody out', async t => {
    for (const hasHandshake of [false, true]) {
      const { port, listener } = await startListener(t, { tls: mountSecret(first).tls, maxConnections: 10 });
      for (let index = 0; index < 10; index++) {
        if (hasHandshake) {
          const protocols = index % 2 === 0 ? ['h2'] : ['http/1.1'];
          const options = { port, host: '127.0.0.1', ca: authority.ca, ALPNProtocols: protocols };
          const socket = tlsConnect(options).on('error', () => {});
          t.after(() => socket.destroy());
          await once(socket, 'secureConnect');
          if (index % 2 === 1) socket.write('GET / HTTP/1.1\r\nHost: ');
        } else (await openSocket(t, port)).write('\x16\x03\x01\x02\x00\x01', 'latin1');
      }
      await eventually(() => listener.counts().total === 10);
      assert.equal((await get(port)).status, 200);
      const [answer] = await once(openSession(t, port).request({ ':path': '/' }), 'response');
      assert.equal(answer[':status'], 200);
    }
  });

  test('a request in progress over TLS stays when the connections are full', async t => {
    const answers: (() => void)[] = [];
    const { port } = await startListener(
      t,
      { tls: mountSecret(first).tls, maxConnections: 2 },
      {
        http: (request, response) => {
          if (request.url === '/slow') answers.push(() => response.end('done'));
          else response.end('ok');
        },
      },
    );
    const slow = get(port, '/slow');
    const stream = openSession(t, port).request({ ':path': '/slow' });
    await eventually(() => answers.length === 2);
    await assert.rejects(get(port), { code: /ECONNRESET|EPIPE/ });
    for (const answer of answers) answer();
    assert.equal((await slow).body, 'done');
    assert.equal((await stream.setEncoding('utf8').toArray()).join(''), 'done');
  });

  test('an address for TLS only tells others so', async t => {
    const targets = [{ host: '127.0.0.1', port: 0, tlsOnly: true }];
    const { port } = await startListener(t, { targets, tls: mountSecret(first).tls });
    const plain = await fetch(`http://127.0.0.1:${port}/`);
    assert.deepEqual([plain.status, await plain.text()], [400, 'this port speaks TLS only']);
    assert.equal((await get(port)).status, 200);
  });

  test('two addresses have their own rules', async t => {
    const target = { host: '127.0.0.1', port: 0 };
    const { listener } = await startListener(t, {
      targets: [
        { ...target, tlsOnly: false },
        { ...target, tlsOnly: true },
      ],
      tls: mountSecret(first).tls,
    });
    const [open, secure] = listener.addresses().map(portOf);
    assert.equal((await fetch(`http://127.0.0.1:${open}/`)).status, 200);
    assert.equal((await fetch(`http://127.0.0.1:${secure}/`)).status, 400);
    assert.equal((await get(open!)).status, 200);
    assert.equal((await get(secure!)).status, 200);
  });

  test('a handshake that does not go on is cut off', async t => {
    const { port } = await startListener(t, { tls: mountSecret(first).tls, firstByteTimeoutMs: 100 });
    const socket = await openSocket(t, port);
    socket.write('\x16\x03\x01', 'latin1');
    assert.equal(await readToEnd(socket), '');
  });

  test('a connection that is silent after its handshake is closed', async t => {
    const { port } = await startListener(t, { tls: mountSecret(first).tls, headerTimeoutMs: 150 });
    const socket = tlsConnect({ port, host: '127.0.0.1', ca: authority.ca });
    t.after(() => socket.destroy());
    assert.match(await readToEnd(socket), /^HTTP\/1\.1 408 /);
  });

  test('files that cannot be used are refused at the start, by name', async () => {
    const { tls } = mountSecret({ cert: first.cert, key: second.key });
    const make = (options: TlsOptions) =>
      createListener({ ...roomyOptions, tls: options }, { http: echo, grpc: () => {} });
    await assert.rejects(make(tls), { code: 3, message: /tls\.crt, .*tls\.key: key values mismatch$/ });
    await assert.rejects(make({ ...tls, certFile: '/none' }), {
      code: 3,
      message: '/none: cannot be read: ENOENT',
    });
    const broken = mountSecret({ cert: 'garbage', key: first.key }).tls;
    await assert.rejects(make(broken), { code: 3, message: /no start line|not PEM/ });
  });
});

describe('certificate reload', () => {
  test('a new pair is taken without cutting connections, a broken one is not', async t => {
    const secret = mountSecret(first);
    const lines: string[] = [];
    const { port } = await startListener(t, {
      tls: secret.tls,
      log: (level, message) => void lines.push(`${level} ${message}`),
    });
    const session = openSession(t, port);
    await once(session, 'connect');
    assert.equal((await get(port)).served, 'CN=first');

    secret.swap({ cert: second.cert, key: first.key });
    await eventually(() => lines.length > 0);
    assert.deepEqual(lines, ['warn TLS certificate not reloaded, the old one stays']);
    assert.equal((await get(port)).served, 'CN=first');

    secret.swap(second);
    await eventually(async () => (await get(port)).served === 'CN=second');
    assert.equal(lines.at(-1), 'info TLS certificate reloaded');
    const [headers] = await once(session.request({ ':path': '/' }), 'response');
    assert.equal(headers[':status'], 200);
  });
});

describe('client certificates', () => {
  const known = authority.issue('known');
  const unknown = stranger.issue('unknown');

  async function start(
    t: TestContext,
    clientAuth: 'optional' | 'required',
    fronts: Parameters<typeof startListener>[2] = {},
  ): Promise<number> {
    const { tls } = mountSecret(first);
    const caFile = join(tls.certFile, '..', 'ca.crt');
    const options = { ...tls, caFile, clientAuth };
    return (await startListener(t, { tls: options }, fronts)).port;
  }

  test('optional: with a good one, and with none; a wrong one is cut off', async t => {
    const port = await start(t, 'optional');
    assert.equal((await get(port)).status, 200);
    assert.equal((await get(port, '/', known)).status, 200);
    await assert.rejects(get(port, '/', unknown), { code: 'ECONNRESET' });
  });

  test('required: HTTP is left to its front, which sees whether there is one; a wrong one is cut off', async t => {
    const authorized: boolean[] = [];
    const port = await start(t, 'required', {
      http(request, response) {
        authorized.push((request.socket as Partial<TLSSocket>).authorized === true);
        response.end();
      },
    });
    await get(port, '/x', known);
    await get(port, '/x');
    await fetch(`http://127.0.0.1:${port}/x`);
    assert.deepEqual(authorized, [true, false, false]);
    await assert.rejects(get(port, '/healthz', unknown), { code: 'ECONNRESET' });
  });

  test('required: gRPC without one is UNAUTHENTICATED', async t => {
    const port = await start(t, 'required');
    const call = { ':path': '/x.Y/Z', ':method': 'POST', 'content-type': 'application/grpc' };
    const [refused] = await once(openSession(t, port).request(call), 'response');
    assert.deepEqual([refused[':status'], refused['grpc-status']], [200, '16']);
    const stream = openSession(t, port, known).request(call);
    stream.end();
    const [trailers] = await once(stream.resume(), 'trailers');
    assert.equal(trailers['grpc-status'], '0');
    const [answer] = await once(openSession(t, port, known).request({ ':path': '/x' }), 'response');
    assert.equal(answer[':status'], 200);
  });
});
