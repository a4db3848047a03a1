/** Options of the real program at work: TLS, logs without secrets, limits, metrics. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect as http2Connect } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { createAuthority } from './support/certificates.ts';
import { eventually } from './support/eventually.ts';
import { runMain, startGatewayProcess } from './support/gateway-process.ts';

const authority = createAuthority('test CA');
const folder = mkdtempSync(join(tmpdir(), 'process-options-'));
after(() => rmSync(folder, { recursive: true }));

function writeTlsFiles(): string[] {
  const { cert, key } = authority.issue('gateway');
  const files = { 'tls-cert-file': cert, 'tls-private-key-file': key, 'tls-ca-file': authority.ca };
  return Object.entries(files).map(([flag, content]) => {
    writeFileSync(join(folder, flag), content);
    return `--${flag}=${join(folder, flag)}`;
  });
}

const tlsFlags = writeTlsFiles();

async function httpsGet(port: number, path: string, client = {}): Promise<{ status: number; body: string }> {
  const request = httpsRequest({ host: '127.0.0.1', port, path, ca: authority.ca, agent: false, ...client });
  const [answer] = await once(request.end(), 'response');
  return { status: answer.statusCode, body: (await answer.setEncoding('utf8').toArray()).join('') };
}

async function postJson(port: number, path: string, body: object): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  await answer.arrayBuffer();
  return answer.status;
}

function openSession(t: TestContext, url: string, options = {}): ClientHttp2Session {
  const session = http2Connect(url, options);
  t.after(() => session.destroy());
  return session;
}

/** One unary call of gRPC by hand: the status from the trailers, and the message. */
async function grpcCall(session: ClientHttp2Session, path: string) {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const trailers = once(stream, 'trailers');
  stream.end(Buffer.alloc(5));
  const message = Buffer.concat(await stream.toArray()).subarray(5);
  return { status: (await trailers)[0]['grpc-status'], message: message.toString('latin1') };
}

describe('TLS of the real program', () => {
  test('REST and gRPC mix over one TLS connection, and the health check knows --tls-only', async t => {
    const { port } = await startGatewayProcess(t, [...tlsFlags, '--tls-only']);
    const { status, body } = await httpsGet(port, '/tiller/v2/version/json');
    assert.deepEqual([status, JSON.parse(body).Version.sem_ver], [200, 'v2.17.0']);
    const session = openSession(t, `https://127.0.0.1:${port}`, { ca: authority.ca });
    const rest = session.request({ ':path': '/tiller/v2/version/json' });
    const [native, passedThrough, json] = await Promise.all([
      grpcCall(session, '/appscode.swift.v2.ReleaseService/GetVersion'),
      grpcCall(session, '/hapi.services.tiller.ReleaseService/GetVersion'),
      rest.setEncoding('utf8').toArray(),
    ]);
    assert.deepEqual([native.status, passedThrough.status], ['0', '0']);
    assert.match(native.message + passedThrough.message, /v2\.17\.0.*v2\.17\.0/s);
    assert.equal(json.join(''), body);
    assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 400);
    const checked = await runMain([
      '--health-check=live',
      `--addr=127.0.0.1:${port}`,
      ...tlsFlags,
      '--tls-only',
    ]);
    assert.equal(checked.code, 0);
  });

  test('--tls-client-auth required leaves probes alone', async t => {
    const { port } = await startGatewayProcess(t, [...tlsFlags, '--tls-client-auth=required']);
    assert.equal((await httpsGet(port, '/tiller/v2/version/json')).status, 401);
    assert.equal((await httpsGet(port, '/tiller/v2/version/json', authority.issue('client'))).status, 200);
    assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
    assert.equal((await fetch(`http://127.0.0.1:${port}/metrics`)).status, 401);
  });
});

test('with --tls-client-auth required a probe that could reach a cluster needs a certificate', async t => {
  const hub = ['--connector=sandbox', '--tls-client-auth=required', '--allow-adhoc-clusters=*.example'];
  const { port } = await startGatewayProcess(t, [...tlsFlags, ...hub]);
  const statusOf = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
    await answer.arrayBuffer();
    return answer.status;
  };
  const queries = ['kube_context=x', 'kube%5Fcontext=x', 'verbose&kube_context=x'];
  const headers = { 'x-kubeapiserver': 'https://a.example', 'x-kubetoken': 'hunter2' };
  const inits: RequestInit[] = [
    {},
    { method: 'POST' },
    { method: 'PUT' },
    { method: 'DELETE' },
    { method: 'OPTIONS' },
  ];
  for (const path of ['/healthz', '/readyz']) {
    await eventually(async () => (await statusOf(path)) === 200);
    for (const init of inits) {
      for (const query of queries) assert.equal(await statusOf(`${path}?${query}`, init), 401, query);
      assert.equal(await statusOf(path, { ...init, headers }), 401);
      assert.equal(await statusOf(path, { ...init, headers: { 'x-cluster': 'x' } }), 401);
      assert.equal(await statusOf(`/clusters/x${path}`, init), 401);
    }
  }
});

describe('the log of the real program', () => {
  const secrets = { password: 'hunter2', token: 'hunter2', client_key: 'hunter2', ca_bundle: 'hunter2' };
  const chart_url = 'http://reader:hunter2@127.0.0.1:1/web.tgz';

  test('has a line for every request, and never a secret, also with --log-rpc and debug', async t => {
    const gateway = await startGatewayProcess(t, ['--log-rpc', '--log-level=debug']);
    const body = { chart_url, ...secrets, values: { raw: 'db: {password: hunter2}' } };
    assert.equal(await postJson(gateway.port, '/tiller/v2/releases/web/json', body), 400);
    const answer = await fetch(
      `http://127.0.0.1:${gateway.port}/tiller/v2/releases/none/status/json?token=hunter2`,
      {
        headers: { authorization: 'Bearer hunter2', 'x-request-id': 'asked-for' },
      },
    );
    assert.equal(answer.status, 404);
    await gateway.seen(/^GET \/tiller\/v2\/releases\/none\/status\/json 404$/);
    await gateway.seen(/^rpc InstallRelease request$/);
    const line = gateway.lines.find(({ requestId }) => requestId === 'asked-for');
    assert.deepEqual(
      [line?.method, line?.route, line?.status, line?.grpcCode, typeof line?.durationMs, typeof line?.bytes],
      ['GET', '/tiller/v2/releases/{name}/status/json', 404, 'NOT_FOUND', 'number', 'number'],
    );
    assert.doesNotMatch(JSON.stringify(gateway.lines), /hunter2/);
  });

  test('--log-level and --no-access-log leave lines out', async t => {
    const quiet = await startGatewayProcess(t, ['--no-access-log']);
    await (await fetch(`http://127.0.0.1:${quiet.port}/tiller/v2/version/json`)).arrayBuffer();
    quiet.signal('SIGTERM');
    assert.equal(await quiet.exit, 0);
    assert.ok(!quiet.lines.some(({ message }) => /version/.test(String(message))));
  });
});

describe('limits and metrics of the real program', () => {
  test('--body-limit answers 413, and /metrics counts what was asked', async t => {
    const { port } = await startGatewayProcess(t, ['--body-limit=1KiB']);
    const body = { values: { raw: 'x'.repeat(2000) } };
    assert.equal(await postJson(port, '/tiller/v2/releases/web/json', body), 413);
    await (await fetch(`http://127.0.0.1:${port}/tiller/v2/version/json`)).arrayBuffer();
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assert.match(
      metrics,
      /requests_total\{front="http",verb="POST",route="[^"]+",status="413",code="\w+"\} 1$/m,
    );
    assert.match(
      metrics,
      /requests_total\{front="http",verb="GET",route="\/tiller\/v2\/version\/json",.*\} 1$/m,
    );
    assert.match(metrics, /tiller_calls_total\{method="GetVersion",code="OK"\} 1$/m);
    assert.match(metrics, /connections\{protocol="http1"\} [1-9]/);
  });

  test('a configuration file counts', async t => {
    const file = join(folder, 'gateway.yaml');
    writeFileSync(file, 'body-limit: 1KiB\ntiller-errors: raw\n');
    const { port } = await startGatewayProcess(t, ['--config', file]);
    assert.equal((await fetch(`http://127.0.0.1:${port}/tiller/v2/releases/none/status/json`)).status, 500);
  });
});
