/** Every kind of client on the one port of the whole program, in front of a stub Tiller. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type ClientHttp2Session, connect } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { decodeMessage, encodeMessage } from '../src/codec/schema.ts';
import { FrameReader, toFrame } from '../src/protocol/index.ts';
import { type Authority, createAuthority } from './support/certificates.ts';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';
import { callTiller, openTiller } from './support/tiller-client.ts';
import { startWholeGateway } from './support/whole-gateway.ts';

const versionPath = '/tiller/v2/version/json';
const versionOf = (json: string) => JSON.parse(json).Version.sem_ver;
const testLine = (msg: string) => encodeMessage('hapi.services.tiller.TestReleaseResponse', { msg });

let stub: StubTiller;
let folder: string;
let authority: Authority;
let tlsFlags: string[];

before(async () => {
  const lines = ['RUNNING: a', 'PASSED: a'];
  stub = await startStubTiller({
    replies: { RunReleaseTest: () => ({ responses: lines.map(testLine), betweenMs: 10 }) },
  });
  folder = await mkdtemp(join(tmpdir(), 'one-port-'));
  authority = createAuthority('test authority');
  const { cert, key } = authority.issue('localhost');
  await writeFile(join(folder, 'cert.pem'), cert);
  await writeFile(join(folder, 'key.pem'), key);
  await writeFile(join(folder, 'ca.pem'), authority.ca);
  tlsFlags = [
    `--tls-cert-file=${join(folder, 'cert.pem')}`,
    `--tls-private-key-file=${join(folder, 'key.pem')}`,
  ];
});

after(async () => {
  await stub.stop();
  await rm(folder, { recursive: true });
});

/** Asks over an HTTP/2 connection for the whole answer. */
async function ask(
  session: ClientHttp2Session,
  headers: Record<string, string>,
  body?: Uint8Array,
): Promise<{ status: number; body: Buffer; grpcStatus: string | undefined }> {
  const stream = session.request(headers, { endStream: body === undefined });
  let trailers: Record<string, unknown> = {};
  stream.on('trailers', got => {
    trailers = got;
  });
  if (body) stream.end(body);
  const [answer] = await once(stream, 'response');
  const chunks: Buffer[] = await stream.toArray();
  const grpcStatus = trailers['grpc-status'] ?? answer['grpc-status'];
  return {
    status: answer[':status'],
    body: Buffer.concat(chunks),
    grpcStatus: grpcStatus === undefined ? undefined : String(grpcStatus),
  };
}

async function curl(...args: string[]): Promise<string> {
  const child = spawn('curl', ['--silent', '--show-error', '--max-time', '10', ...args]);
  const [stdout, stderr] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    once(child, 'close'),
  ]);
  assert.equal(stderr.join(''), '');
  return stdout.join('');
}

function closeAfter(t: TestContext, session: ClientHttp2Session): ClientHttp2Session {
  t.after(() => session.close());
  return session;
}

describe('one port, every client', () => {
  test('a plain gRPC client, of the native service and of Tiller itself', async t => {
    const { address } = await startWholeGateway(t, stub);
    using client = openTiller(address);
    for (const path of ['/appscode.swift.v2.ReleaseService/GetVersion', 'GetVersion']) {
      const { status, responses } = await callTiller(client, path, Buffer.alloc(0));
      assert.equal(status, 0);
      const reply = decodeMessage('hapi.services.tiller.GetVersionResponse', responses[0] ?? Buffer.alloc(0));
      assert.equal(reply.Version?.sem_ver, 'v2.17.0');
    }
  });

  test('JSON over HTTP/1.1, over HTTP/2 without TLS, and over TLS with either', async t => {
    const { port, url } = await startWholeGateway(t, stub, tlsFlags);
    assert.equal(versionOf(await (await fetch(url + versionPath)).text()), 'v2.17.0');

    const h2c = closeAfter(t, connect(url));
    assert.equal(versionOf((await ask(h2c, { ':path': versionPath })).body.toString()), 'v2.17.0');

    const h2 = closeAfter(t, connect(`https://localhost:${port}`, { ca: authority.ca }));
    assert.equal(versionOf((await ask(h2, { ':path': versionPath })).body.toString()), 'v2.17.0');
    assert.equal(h2.alpnProtocol, 'h2');

    const request = httpsRequest({ port, path: versionPath, ca: authority.ca, agent: false }).end();
    const [answer] = await once(request, 'response');
    assert.equal(versionOf((await answer.toArray()).join('')), 'v2.17.0');
    assert.equal(answer.httpVersion, '1.1');
  });

  test('gRPC over TLS', async t => {
    const { port } = await startWholeGateway(t, stub, tlsFlags);
    using client = openTiller(`localhost:${port}`, grpc.credentials.createSsl(Buffer.from(authority.ca)));
    assert.equal((await callTiller(client, 'GetVersion', Buffer.alloc(0))).status, 0);
  });

  test('gRPC and JSON mixed on one connection, unary and streams at once', async t => {
    const { url } = await startWholeGateway(t, stub);
    const session = closeAfter(t, connect(url));
    const grpcHeaders = (path: string) => ({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const nameless = toFrame(Buffer.alloc(0));
    const runs = Array.from({ length: 20 }, () => [
      ask(session, { ':path': versionPath }),
      ask(session, grpcHeaders('/appscode.swift.v2.ReleaseService/GetVersion'), nameless),
      ask(session, { ':method': 'POST', ':path': '/tiller/v2/releases/a/test/json' }),
      ask(session, grpcHeaders('/hapi.services.tiller.ReleaseService/RunReleaseTest'), nameless),
      ask(session, { ':path': '/nothing' }),
      ask(session, grpcHeaders('/no.Such/Method'), nameless),
    ]).map(run => Promise.all(run));
    for (const [json, native, ndjson, stream, missing, unknown] of await Promise.all(runs)) {
      assert.equal(versionOf(json?.body.toString() ?? ''), 'v2.17.0');
      assert.equal(native?.grpcStatus, '0');
      assert.deepEqual(
        ndjson?.body
          .toString()
          .trimEnd()
          .split('\n')
          .map(line => JSON.parse(line)),
        [{ result: { msg: 'RUNNING: a' } }, { result: { msg: 'PASSED: a' } }],
      );
      const messages = new FrameReader(1024).push(stream?.body ?? Buffer.alloc(0));
      assert.deepEqual(
        messages.map(({ message }) => decodeMessage('hapi.services.tiller.TestReleaseResponse', message).msg),
        ['RUNNING: a', 'PASSED: a'],
      );
      assert.equal(missing?.status, 404);
      assert.equal(unknown?.grpcStatus, '12');
    }
  });
});

describe('curl', () => {
  test('HTTP/1.1, HTTP/2 with prior knowledge, by upgrade, and over TLS', async t => {
    const { port, url } = await startWholeGateway(t, stub, tlsFlags);
    const tls = ['--cacert', join(folder, 'ca.pem'), `https://localhost:${port}${versionPath}`];
    const cases = [
      ['--http1.1', url + versionPath],
      ['--http2-prior-knowledge', url + versionPath],
      ['--http2', url + versionPath],
      ['--http1.1', ...tls],
      ['--http2', ...tls],
    ];
    for (const args of cases) assert.equal(versionOf(await curl(...args)), 'v2.17.0', args.join(' '));
  });

  test('compressed, as HEAD, with an error, and as a stream', async t => {
    const manifest = 'kind: ConfigMap\n'.repeat(5_000);
    stub.answer('GetReleaseContent', {
      responses: [encodeMessage('hapi.services.tiller.GetReleaseContentResponse', { release: { manifest } })],
    });
    stub.answer('GetReleaseStatus', { status: 2, message: 'release: "nope" not found' });
    const { url } = await startWholeGateway(t, stub);
    const content = `${url}/tiller/v2/releases/a/content/json`;
    assert.equal(JSON.parse(await curl('--compressed', content)).release.manifest, manifest);
    const size = Number(
      await curl('--compressed', '--output', '/dev/null', '-w', '%{size_download}', content),
    );
    assert.ok(size < manifest.length / 10, `${size} bytes came`);
    assert.match(await curl('--head', content), /^HTTP\/1\.1 200 OK\r\n.*content-length: \d{5}/is);
    const missing = `${url}/tiller/v2/releases/nope/status/json`;
    assert.match(
      await curl('-w', ' %{http_code}', missing),
      /^{"code":5,"message":"release: \\"nope\\" not found","reason":"\w*NOT_FOUND"} 404$/,
    );
    assert.equal(
      await curl('-X', 'POST', `${url}/tiller/v2/releases/a/test/json`),
      '{"result":{"msg":"RUNNING: a"}}\n{"result":{"msg":"PASSED: a"}}\n',
    );
  });
});
