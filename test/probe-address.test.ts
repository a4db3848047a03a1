/** `--probe-addr`: probes are answered whatever clients do to the other port, and nothing but probes is. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { createAuthority } from './support/certificates.ts';
import { eventually } from './support/eventually.ts';
import { runMain, startGatewayProcess } from './support/gateway-process.ts';
import { openSocket, readToEnd } from './support/listener-stage.ts';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';
import { startWholeGateway } from './support/whole-gateway.ts';

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const emptySettings = '\0\0\0\x04\0\0\0\0\0';
const versionPath = '/tiller/v2/version/json';
const maxConnections = 12;

/** The beginnings of requests that never go on. */
const stalled: Record<string, string> = {
  'half-sent HTTP/1.1 heads': `GET ${versionPath} HTTP/1.1\r\nHost: localhost\r\nX-A: `,
  "halves of HTTP/2's preface": preface.slice(0, 10),
  'HTTP/2 connections without a request': preface + emptySettings,
  'halves of a TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01',
};

let stub: StubTiller;
let folder: string;
let tls: string[];

before(async () => {
  stub = await startStubTiller();
  folder = mkdtempSync(join(tmpdir(), 'probe-address-'));
  const authority = createAuthority('test CA');
  const { cert, key } = authority.issue('localhost');
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  tls = [`--tls-cert-file=${file('cert', cert)}`, `--tls-private-key-file=${file('key', key)}`];
  tls.push(`--tls-ca-file=${file('ca', authority.ca)}`, '--tls-client-auth=required', '--tls-only');
});

after(async () => {
  await stub.stop();
  rmSync(folder, { recursive: true });
});

/** Those who never go on with their requests are not waited for at the end. */
const briefly = '--drain-timeout=50ms';

async function start(t: TestContext, flags: readonly string[] = [briefly], tiller = stub) {
  const { port, gateway } = await startWholeGateway(t, tiller, [
    '--probe-addr=127.0.0.1:0',
    `--max-connections=${maxConnections}`,
    ...flags,
  ]);
  return { port, probes: gateway.probeAddress?.port ?? 0 };
}

/** Status and body, on a connection of its own. */
async function get(port: number, path: string, method = 'GET'): Promise<[number, string]> {
  const request = httpRequest({ host: '127.0.0.1', port, path, method, agent: new Agent() }).end();
  const [answer] = await once(request, 'response');
  return [answer.statusCode, (await answer.setEncoding('utf8').toArray()).join('')];
}

async function occupy(t: TestContext, port: number, text: string, count: number): Promise<Socket[]> {
  const sockets = await Promise.all(Array.from({ length: count }, () => openSocket(t, port)));
  for (const socket of sockets) socket.on('error', () => {}).write(text, 'latin1');
  return sockets;
}

describe('with all connections taken', () => {
  for (const [name, text] of Object.entries(stalled)) {
    test(`by ${name}: the probes answer, and a whole request gets through`, async t => {
      const { port, probes } = await start(t);
      await occupy(t, port, text, maxConnections);
      for (let round = 0; round < 3; round++) {
        assert.deepEqual(await get(probes, '/healthz'), [200, 'alive\n']);
        assert.equal((await get(probes, '/readyz'))[0], 200);
        assert.equal((await get(port, versionPath))[0], 200);
      }
    });
  }

  test('by requests that take their time: the probes answer, and metrics count who was refused', async t => {
    const slow = await startStubTiller({ replies: { GetHistory: { hang: 'before' } } });
    t.after(() => slow.stop());
    const { port, probes } = await start(t, [briefly], slow);
    const request = 'GET /tiller/v2/releases/a/json HTTP/1.1\r\nHost: localhost\r\n\r\n';
    await occupy(t, port, request, maxConnections);
    await eventually(
      () => slow.calls.filter(({ method }) => method === 'GetHistory').length === maxConnections,
    );
    await assert.rejects(get(port, versionPath), { code: /ECONNRESET|EPIPE/ });
    assert.deepEqual(await get(probes, '/healthz'), [200, 'alive\n']);
    assert.match(
      (await get(probes, '/metrics'))[1],
      /tiller_gateway_refused_total\{what="connections"\} [1-9]/,
    );
  });

  test('of the probe address itself: the oldest make room', async t => {
    const { probes } = await start(t);
    for (const text of Object.values(stalled)) await occupy(t, probes, text, 100);
    assert.deepEqual(await get(probes, '/healthz'), [200, 'alive\n']);
    assert.equal((await get(probes, '/readyz'))[0], 200);
  });
});

describe('the probe address', () => {
  test('answers the pages for probes alone', async t => {
    const { probes } = await start(t);
    for (const path of [
      versionPath,
      '/',
      '/tiller/v2/releases/json',
      '/openapi.json',
      '/clusters',
      '/healthz/x',
    ])
      assert.equal((await get(probes, path))[0], 404, path);
    for (const method of ['POST', 'PUT', 'DELETE', 'TRACE', 'PATCH'])
      assert.notEqual((await get(probes, '/healthz', method))[0], 200, method);
    for (const path of ['/healthz?kube_context=a', '/clusters/a/healthz'])
      assert.ok((await get(probes, path))[0] >= 400, path);
    assert.deepEqual(
      stub.calls.filter(({ method }) => method !== 'GetVersion'), // readiness asks for it
      [],
    );
  });

  test('speaks HTTP/1.1 without TLS alone', async t => {
    const { probes } = await start(t);
    for (const text of [preface + emptySettings, '\x16\x03\x01\x02\x00\x01\x00\x01']) {
      const [socket] = await occupy(t, probes, text, 1);
      assert.equal(await readToEnd(socket!), '');
    }
    const [socket] = await occupy(t, probes, 'GET /healthz HTTP/2.0\r\n\r\n', 1);
    assert.match(await readToEnd(socket!), /^HTTP\/1\.1 505 /);
    assert.equal((await get(probes, '/healthz'))[0], 200);
  });

  test('needs no certificate where the other one demands them', async t => {
    const { probes } = await start(t, [briefly, ...tls]);
    assert.deepEqual(await get(probes, '/healthz'), [200, 'alive\n']);
    assert.match((await get(probes, '/metrics'))[1], /tiller_gateway_build_info/);
    const { code, stdout } = await runMain([
      `--probe-addr=127.0.0.1:${probes}`,
      ...tls,
      '--health-check=ready',
    ]);
    assert.deepEqual([code, stdout], [0, 'Tiller v2.17.0\n']);
  });

  test('answers until requests in progress are finished', async t => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const reply = async () => {
      await answered;
      return {};
    };
    const slow = await startStubTiller({ replies: { GetHistory: reply } });
    t.after(() => slow.stop());
    const flags = ['--connector=direct', `--tiller-endpoint=${slow.address}`, '--probe-addr=127.0.0.1:0'];
    const gateway = await startGatewayProcess(t, flags);
    const said = /^answering probes on .*:(\d+)$/;
    await gateway.seen(said);
    const probes = Number(gateway.lines.map(({ message }) => said.exec(String(message))?.[1]).find(Boolean));
    const late = get(gateway.port, '/tiller/v2/releases/a/json');
    await eventually(() => slow.calls.some(({ method }) => method === 'GetHistory'));
    gateway.signal('SIGTERM');
    await gateway.seen(/^stopping$/);
    assert.deepEqual(await get(probes, '/healthz'), [200, 'alive\n']);
    assert.deepEqual(await get(probes, '/readyz'), [503, 'shutting down\n']);
    answer();
    await late;
    assert.equal(await gateway.exit, 0);
  });
});
