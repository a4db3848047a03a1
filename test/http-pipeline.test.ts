/** The order of the HTTP pipeline as clients meet it: certificates, clusters, departed and pipelined clients. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { before, describe, type TestContext, test } from 'node:test';
import { type Authority, createAuthority } from './support/certificates.ts';
import { eventually } from './support/eventually.ts';
import { createFolder, startHub } from './support/hub-stage.ts';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';
import { startWholeGateway } from './support/whole-gateway.ts';

const version = '/tiller/v2/version/json';
const list = '/tiller/v2/releases/json';

async function startStub(t: TestContext): Promise<StubTiller> {
  const stub = await startStubTiller();
  t.after(() => stub.stop());
  return stub;
}

function startHubOf(t: TestContext, stub: StubTiller, flags: (write: Write) => string[] = () => []) {
  const folder = createFolder(t);
  const clusters = `clusters:\n- {name: a, upstream: direct, endpoint: "${stub.address}"}\n`;
  return startHub(t, folder, clusters, flags(folder.write));
}
type Write = (name: string, text: string) => string;

describe('--tls-client-auth required', () => {
  let authority: Authority;
  before(() => {
    authority = createAuthority('test authority');
  });
  const tlsFlags = (write: Write) => {
    const { cert, key } = authority.issue('localhost');
    return [
      `--tls-cert-file=${write('cert.pem', cert)}`,
      `--tls-private-key-file=${write('key.pem', key)}`,
      `--tls-ca-file=${write('ca.pem', authority.ca)}`,
      '--tls-client-auth=required',
    ];
  };

  test("opens the gateway's own health to clients without one, and nothing that names a cluster", async t => {
    const stub = await startStub(t);
    const { url } = await startHubOf(t, stub, tlsFlags);
    const statusOf = async (method: string, path: string, headers = {}) =>
      (await fetch(url + path, { method, headers })).status;
    for (const path of ['/healthz', '/healthz?verbose', '/healthz?pretty', '/%68ealthz'])
      assert.equal(await statusOf('GET', path), 200, path);
    assert.equal(await statusOf('HEAD', '/healthz'), 200);
    assert.notEqual(await statusOf('GET', '/readyz'), 401);
    for (const path of [
      '/',
      '/metrics',
      '/openapi.json',
      '/clusters',
      '/clusters/nope/healthz',
      '/clusters/a/healthz',
      '/healthz/',
      '//healthz',
      '/healthz?kube_context=a',
      '/healthz?kube%5Fcontext=a',
      '/healthz?verbose&kube_context=nope',
      version,
    ]) {
      for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'])
        assert.equal(await statusOf(method, path), 401, `${method} ${path}`);
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      assert.equal(await statusOf(method, '/healthz'), 401, method);
    for (const headers of [{ 'x-cluster': 'a' }, { 'x-kubeapiserver': 'https://x', 'x-kubetoken': 't' }])
      assert.equal(await statusOf('GET', '/healthz', headers), 401);
    const refused = await fetch(url + version);
    assert.deepEqual(await refused.json(), {
      code: 16,
      message: 'a client certificate is required',
      reason: 'UNAUTHENTICATED',
    });
    assert.equal(stub.callCount, 0);
  });

  test('over HTTP/2 as well', async t => {
    const { url } = await startHubOf(t, await startStub(t), tlsFlags);
    const session = connect(url);
    t.after(() => session.destroy());
    for (const [path, status] of [
      ['/healthz', 200],
      ['/healthz?kube_context=a', 401],
      [version, 401],
    ] as const) {
      const stream = session.request({ ':path': path });
      const [answer] = await once(stream.resume(), 'response');
      assert.equal(answer[':status'], status, path);
    }
  });
});

describe('a client of /clusters/-/ that leaves ends the calls', () => {
  for (const accept of ['application/json', 'application/x-ndjson']) {
    test(`over HTTP/1.1, ${accept}`, async t => {
      const stub = await startStub(t);
      const { port } = await startHubOf(t, stub);
      stub.answer('ListReleases', { hang: 'before' });
      const request = httpRequest({ port, path: `/clusters/-${list}`, headers: { accept }, agent: false });
      request.on('error', () => {}).end();
      const call = await stub.arrival('ListReleases');
      request.destroy();
      await call.done;
      assert.equal(call.outcome, 'cancelled');
    });

    test(`over HTTP/2, ${accept}`, async t => {
      const stub = await startStub(t);
      const { url } = await startHubOf(t, stub);
      stub.answer('ListReleases', { hang: 'before' });
      const session = connect(url);
      t.after(() => session.destroy());
      const stream = session.request({ ':path': `/clusters/-${list}`, accept });
      stream.on('error', () => {});
      const call = await stub.arrival('ListReleases');
      stream.close();
      await call.done;
      assert.equal(call.outcome, 'cancelled');
      const next = session.request({ ':path': '/clusters' });
      const { clusters } = JSON.parse((await next.setEncoding('utf8').toArray()).join(''));
      assert.equal(clusters[0].calls, 0);
    });
  }
});

describe('pipelined requests', () => {
  test('are answered one by one, and what nobody waits for any more is not begun', async t => {
    const stub = await startStub(t);
    const { port } = await startWholeGateway(t, stub);
    stub.answer('ListReleases', { hang: 'before' });
    const socket = connectTcp(port, '127.0.0.1');
    t.after(() => socket.destroy());
    const write = (path: string) => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    const calls = () => stub.callsOf('GetReleaseStatus').length;
    write('/healthz');
    write(list);
    for (let count = 0; count < 50; count++) write('/tiller/v2/releases/x/status/json');
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 200 OK/);
    const first = await stub.arrival('ListReleases');
    socket.destroy();
    await first.done;
    assert.equal(first.outcome, 'cancelled');
    assert.equal((await fetch(`http://127.0.0.1:${port}${version}`)).status, 200);
    assert.equal(calls(), 0);
  });

  test('all get their answers, in order', async t => {
    const stub = await startStub(t);
    const { port } = await startWholeGateway(t, stub);
    const socket = connectTcp(port, '127.0.0.1');
    t.after(() => socket.destroy());
    const paths = Array.from({ length: 30 }, (_, index) => (index % 3 === 0 ? '/nothing' : version));
    for (const path of paths) socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const text = (await socket.setEncoding('utf8').toArray()).join('');
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));
    assert.deepEqual(statuses, [...paths.map(path => (path === version ? 200 : 404)), 200]);
  });
});

test('a path that no router can read is answered 404, with a line in the log like every other', async t => {
  const { port, lines } = await startWholeGateway(t, await startStub(t));
  for (const path of ['//[', '/%', '/%ff', '*', '/\\', 'http://localhost', '//x?y#z']) {
    const sent = httpRequest({ port, path, agent: false, method: path === '*' ? 'OPTIONS' : 'GET' });
    const [answer] = await once(sent.on('error', () => {}).end(), 'response');
    const body = (await answer.toArray()).join('');
    assert.equal(answer.statusCode, path === 'http://localhost' ? 200 : 404, `${path}: ${body}`);
    if (path !== 'http://localhost') assert.equal(JSON.parse(body).reason, 'NOT_FOUND');
    assert.match(String(answer.headers['x-request-id']), /^[\w-]{36}$/);
  }
  assert.deepEqual(lines, []);
});

test('answers carry security headers, and none that would bind the host to TLS', async t => {
  const { url } = await startWholeGateway(t, await startStub(t));
  for (const path of ['/', version, '/nothing', '/openapi.json']) {
    const { headers } = await fetch(url + path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/);
    assert.equal(headers.get('x-frame-options'), 'DENY');
    for (const name of ['strict-transport-security', 'x-powered-by', 'etag'])
      assert.equal(headers.get(name), null, name);
  }
});

test('past --in-flight-limit large requests are answered 503 with Retry-After, small ones as ever', async t => {
  const { port, url } = await startWholeGateway(t, await startStub(t), ['--in-flight-limit=2MiB']);
  const stalled = connectTcp(port, '127.0.0.1');
  const install = '/tiller/v2/releases/a/json';
  stalled.write(
    `POST ${install} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1500000\r\n\r\n${' '.repeat(1_400_000)}`,
  );
  const send = (bytes: number) => fetch(url + install, { method: 'POST', body: `{${' '.repeat(bytes)}}` });
  await eventually(async () => {
    const answer = await send(100_000);
    const body = await answer.text();
    if (answer.status !== 503) return false;
    assert.equal(JSON.parse(body).reason, 'OVERLOADED');
    assert.equal(answer.headers.get('retry-after'), '1');
    return true;
  });
  assert.notEqual((await send(1000)).status, 503);
  assert.equal((await fetch(url + version)).status, 200);
  stalled.destroy();
  await eventually(async () => (await send(100_000)).status !== 503);
});
