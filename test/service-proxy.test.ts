import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { encodeMessage } from '../src/codec/index.ts';
import { createSandboxKubernetes, type SandboxKubernetes } from '../src/sandbox/index.ts';
import { sharedCertificate } from './support/certificates.ts';
import { startTestGateway } from './support/gateway.ts';
import { startStubTiller } from './support/stub-tiller.ts';
import { startGatewayWith } from './support/whole-gateway.ts';

const prefix = '/api/v1/namespaces/kube-system/services/swift:http/proxy';

/** What is needed to speak to a cluster. */
type Cluster = Pick<SandboxKubernetes, 'url' | 'caPem' | 'token'>;

async function send(
  cluster: Cluster,
  path: string,
  options: RequestOptions & { body?: string } = {},
): Promise<IncomingMessage> {
  const { body, headers, ...others } = options;
  const sent = request(new URL(path, cluster.url), {
    ca: cluster.caPem,
    headers: { authorization: `Bearer ${cluster.token}`, ...headers },
    agent: false,
    ...others,
  });
  sent.end(body);
  const [response] = await once(sent, 'response');
  return response;
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

async function createCluster(t: TestContext): Promise<SandboxKubernetes> {
  const kubernetes = await createSandboxKubernetes({
    tillerTarget: { path: '/nowhere' },
    certificate: await sharedCertificate(),
  });
  t.after(() => kubernetes.close());
  return kubernetes;
}

/** The whole program, with the sandbox it starts by default. */
async function startProgram(t: TestContext): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'service-proxy-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'config');
  await startGatewayWith(t, [
    '--connector=sandbox',
    `--sandbox-kubeconfig=${file}`,
    `--chart-upload-dir=${file}-uploads`, // without it the list of uploads, a link too, is answered 501
  ]);
  const { clusters, users } = JSON.parse(readFileSync(file, 'utf8'));
  const { server, 'certificate-authority-data': ca } = clusters[0].cluster;
  return { url: server, caPem: Buffer.from(ca, 'base64').toString(), token: users[0].user.token };
}

describe("the gateway behind the API server's proxy", () => {
  test('answers, and every link of its page works under the prefix', async t => {
    const cluster = await startProgram(t);
    const releases = await send(cluster, `${prefix}/tiller/v2/releases/json?all=true`);
    assert.equal(releases.statusCode, 200);
    assert.deepEqual(JSON.parse(await textOf(releases)), {});

    const withoutSlash = await send(cluster, prefix);
    assert.equal(withoutSlash.statusCode, 301);
    assert.equal(withoutSlash.headers.location, `${prefix}/`);

    const page = await textOf(await send(cluster, `${prefix}/`));
    const links = [...page.matchAll(/href="([^"]+)"/g)].map(match => match[1] ?? '');
    assert.ok(links.length >= 5);
    for (const link of links) {
      const { pathname } = new URL(link, `${cluster.url}${prefix}/`);
      assert.ok(pathname.startsWith(`${prefix}/`), `${link} leaves the prefix`);
      const response = await send(cluster, pathname);
      response.resume();
      assert.ok([200, 503].includes(response.statusCode ?? 0), `${link}: ${response.statusCode}`);
    }
  });

  test('gives an OpenAPI document whose server is the prefix', async t => {
    const cluster = await startProgram(t);
    const document = JSON.parse(await textOf(await send(cluster, `${prefix}/openapi.json`)));
    const base = new URL(document.servers[0].url, `${cluster.url}${prefix}/openapi.json`);
    assert.equal(base.pathname, `${prefix}/`);
    const version = await send(cluster, `${base.pathname.replace(/\/$/, '')}/tiller/v2/version/json`);
    assert.match(await textOf(version), /v2\.17\.0/);
  });

  test('streams: each line arrives when Tiller sends it', async t => {
    const line = (msg: string) => encodeMessage('hapi.services.tiller.TestReleaseResponse', { msg });
    const firstCame = Promise.withResolvers<void>();
    async function* lines() {
      yield line('RUNNING: one');
      await firstCame.promise; // never, where the first line waits for the last
      yield line('PASSED: one');
    }
    await using stub = await startStubTiller({ replies: { RunReleaseTest: { responses: lines() } } });
    await using gateway = await startTestGateway(stub.address);
    const cluster = await createCluster(t);
    cluster.setGateway({ host: '127.0.0.1', port: Number(new URL(gateway.url).port) });
    const response = await send(cluster, `${prefix}/tiller/v2/releases/r/test/json`, {
      method: 'POST',
      headers: { authorization: `Bearer ${cluster.token}`, 'content-type': 'application/json' },
      body: '{}',
    });
    let text = '';
    for await (const chunk of response) {
      firstCame.resolve();
      text += chunk;
    }
    assert.equal(text, '{"result":{"msg":"RUNNING: one"}}\n{"result":{"msg":"PASSED: one"}}\n');
  });
});

describe("the sandbox's service proxy", () => {
  test('passes an upgrade on, without the login', async t => {
    const cluster = await createCluster(t);
    const http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    const sockets = new WebSocketServer({ server: http });
    sockets.on('connection', (socket, request) => {
      socket.send(`${request.url} ${request.headers.authorization} ${request.headers['x-forwarded-uri']}`);
      socket.on('message', data => socket.send(data));
    });
    t.after(() => {
      for (const client of sockets.clients) client.terminate();
      http.close();
    });
    cluster.setGateway({ host: '127.0.0.1', port: (http.address() as AddressInfo).port });
    const client = new WebSocket(`${cluster.url}${prefix}/watch?x=1`, {
      ca: cluster.caPem,
      headers: { authorization: `Bearer ${cluster.token}` },
    });
    const [greeting] = await once(client, 'message');
    assert.equal(String(greeting), `/watch?x=1 undefined ${prefix}/watch`);
    client.send('echo');
    assert.equal(String((await once(client, 'message'))[0]), 'echo');
    client.close();
    await once(client, 'close');
  });

  const refusals: [string, string, number, RegExp][] = [
    ['nobody is behind it', prefix, 503, /no endpoints available for service \\"swift\\"/],
    ['there is no such service', prefix.replace('swift', 'other'), 404, /services \\"other\\" not found/],
    ['there is no such port', prefix.replace(':http', ':https'), 503, /no service port \\"https\\" found/],
  ];
  for (const [what, path, status, message] of refusals) {
    test(`says that ${what}`, async t => {
      const response = await send(await createCluster(t), `${path}/`);
      assert.equal(response.statusCode, status);
      assert.match(await textOf(response), message);
    });
  }

  test('lets nobody in without the token', async t => {
    const response = await send(await createCluster(t), `${prefix}/`, {
      headers: { authorization: 'Bearer x' },
    });
    assert.equal(response.statusCode, 401);
    response.resume();
  });
});
