/** How a request names its cluster, and what goes on to the cluster with it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { decodeMessage, encodeMessage } from '../src/codec/index.ts';
import type { SandboxKubernetes } from '../src/sandbox/index.ts';
import { sharedCertificate } from './support/certificates.ts';
import { eventually } from './support/eventually.ts';
import { startTestGateway } from './support/gateway.ts';
import { createFolder, type HubStage, startCluster, startHub } from './support/hub-stage.ts';
import { readReleaseTestCalls } from './support/recording.ts';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';
import { callTiller, openTiller } from './support/tiller-client.ts';

const version = '/tiller/v2/version/json';
const swift = '/appscode.swift.v2.ReleaseService';
const nothing = Buffer.alloc(0);

async function get(hub: HubStage, path: string, headers: Record<string, string> = {}) {
  const response = await fetch(hub.url + path, { headers });
  const text = await response.text();
  // biome-ignore lint/suspicious/noExplicitAny: answers of every kind
  return { status: response.status, json: JSON.parse(text) as any, headers: response.headers };
}

function versionOf(semVer: string): Buffer {
  return encodeMessage('hapi.services.tiller.GetVersionResponse', { Version: { sem_ver: semVer } });
}

/** A Tiller that can be told from others by its version. */
async function startStub(t: TestContext, semVer: string): Promise<StubTiller> {
  const stub = await startStubTiller({ replies: { GetVersion: { responses: [versionOf(semVer)] } } });
  t.after(() => stub.stop());
  return stub;
}

/** A cluster with a Tiller and, if it is asked for, the gateway in front of it. */
async function startMember(t: TestContext, stub: StubTiller, gateway: boolean): Promise<SandboxKubernetes> {
  const kubernetes = await startCluster(t, stub.port, { gatewayService: gateway });
  if (gateway) {
    const member = await startTestGateway(stub.address);
    t.after(() => member[Symbol.asyncDispose]());
    kubernetes.setGateway({ host: '127.0.0.1', port: Number(new URL(member.url).port) });
  }
  return kubernetes;
}

/** Three clusters, one for each upstream, and the hub in front of them. */
async function startThree(t: TestContext, flags: readonly string[] = []) {
  const stubs = [
    await startStub(t, 'v2.17.1'),
    await startStub(t, 'v2.17.2'),
    await startStub(t, 'v2.17.3'),
  ] as const;
  const folder = createFolder(t);
  await (await startMember(t, stubs[0], false)).writeKubeconfig(`${folder.folder}/tunnel`);
  await (await startMember(t, stubs[1], true)).writeKubeconfig(`${folder.folder}/proxy`);
  const text = `clusters:
- {name: tunnel, kubeconfig: tunnel}
- {name: proxy, kubeconfig: proxy}
- {name: direct, upstream: direct, endpoint: "${stubs[2].address}"}
`;
  return { stubs, hub: await startHub(t, folder, text, flags) };
}

describe('a cluster is named', () => {
  test('by path, by kube_context, or not at all', async t => {
    const { hub } = await startThree(t, ['--default-cluster=direct']);
    const semVer = async (path: string) => (await get(hub, path)).json.Version.sem_ver;
    assert.equal(await semVer(`/clusters/tunnel${version}`), 'v2.17.1');
    assert.equal(await semVer(`${version}?kube_context=proxy`), 'v2.17.2');
    assert.equal(await semVer(`${version}?pretty`), 'v2.17.3');
    assert.equal((await get(hub, '/clusters')).json.default, 'direct');
    assert.equal((await fetch(`${hub.url}/readyz`)).status, 200);
  });

  test('wrongly: 404 that names those there are, 400 for two at once', async t => {
    const { hub } = await startThree(t);
    for (const path of [
      `/clusters/nope${version}`,
      `${version}?kube_context=nope`,
      `/clusters/-${version}?cluster=nope`,
    ]) {
      const { status, json } = await get(hub, path);
      assert.equal(status, 404);
      assert.deepEqual(json, {
        code: 5,
        message: 'no cluster "nope"; known: tunnel, proxy, direct',
        reason: 'CLUSTER_NOT_FOUND',
      });
    }
    assert.equal((await get(hub, `/clusters/proxy${version}?kube_context=tunnel`)).status, 400);
    assert.equal((await get(hub, '/clusters/direct/healthz')).status, 404);
    assert.equal((await get(hub, '/clusters/-/tiller/v2/releases/a/json')).status, 404);
    const refused = await fetch(`${hub.url}/clusters`, { method: 'POST' });
    assert.equal(refused.status, 405);
    assert.equal(refused.headers.get('allow'), 'GET, HEAD, OPTIONS');
  });

  test('by the metadata x-cluster, for both gRPC services', async t => {
    const { hub, stubs } = await startThree(t, ['--default-cluster=direct']);
    using client = openTiller(`127.0.0.1:${hub.port}`);
    const names = ['tunnel', 'proxy', 'direct'];
    for (const [index, name] of [...names, undefined].entries()) {
      const metadata = name === undefined ? {} : { 'x-cluster': name };
      const answer = await callTiller(client, `${swift}/GetVersion`, nothing, { metadata });
      assert.equal(answer.status, 0, answer.message);
      const { Version } = decodeMessage('appscode.swift.v2.GetVersionResponse', answer.responses[0]!);
      assert.equal(Version?.sem_ver, `v2.17.${Math.min(index, 2) + 1}`);
    }
    for (const [name, status] of [
      ['tunnel', 0],
      ['proxy', 12],
      ['direct', 0],
      ['nope', 5],
    ] as const) {
      const answer = await callTiller(client, 'GetVersion', nothing, { metadata: { 'x-cluster': name } });
      assert.equal(answer.status, status, answer.message);
    }
    // a stream, and its failure in the middle
    const recorded = readReleaseTestCalls()[1]!;
    for (const [index, name] of names.entries()) {
      stubs[index]?.answer('RunReleaseTest', {
        responses: recorded.responses.map(response => Buffer.from(response, 'base64')),
        status: 5,
        message: 'release: "x" not found',
      });
      const request = Buffer.from(recorded.requests[0]!, 'base64');
      const answer = await callTiller(client, `${swift}/RunReleaseTest`, request, {
        metadata: { 'x-cluster': name },
      });
      assert.equal(answer.responses.length, recorded.responses.length);
      assert.deepEqual([answer.status, answer.message], [5, 'release: "x" not found']);
    }
  });

  test('by API server and token, where its host is allowed, and pooled', async t => {
    const stub = await startStub(t, 'v2.17.9');
    const kubernetes = await startMember(t, stub, false);
    const folder = createFolder(t);
    const ca = folder.write('ca.pem', (await sharedCertificate()).caPem);
    const hub = await startHub(t, folder, undefined, [
      '--allow-adhoc-clusters=127.0.0.1',
      `--adhoc-ca-file=${ca}`,
    ]);
    const at = (server: string, token?: string) =>
      get(hub, version, { 'x-kubeapiserver': server, ...(token !== undefined && { 'x-kubetoken': token }) });
    for (let again = 0; again < 2; again++) {
      const { status, json } = await at(kubernetes.url, kubernetes.token);
      assert.equal(status, 200, JSON.stringify(json));
      assert.equal(json.Version.sem_ver, 'v2.17.9');
    }
    assert.equal(kubernetes.openTunnels, 1);
    assert.equal((await at(kubernetes.url, 'wrong-token')).status, 503);
    assert.equal((await at('https://api.example.com', 'x')).status, 403);
    assert.equal((await at('https://127.0.0.1.example.com', 'x')).status, 403);
    assert.equal((await at(kubernetes.url.replace('https', 'http'), 'x')).status, 400);
    assert.equal((await at(kubernetes.url.replace('//', '//user:pw@'), 'x')).status, 400);
    assert.equal((await at(kubernetes.url)).status, 400);
    const metrics = await (await fetch(`${hub.url}/metrics`)).text();
    assert.match(metrics, /tiller_gateway_cluster_calls_total\{cluster="adhoc",code="OK"\} 2/);
    const log = JSON.stringify(hub.lines);
    assert.ok(!log.includes(kubernetes.token) && !log.includes('wrong-token') && !log.includes('user:pw'));
  });

  test('by API server nowhere unless it is allowed, and never with a certificate of others', async t => {
    const stub = await startStub(t, 'v2.17.9');
    const kubernetes = await startMember(t, stub, false);
    const headers = { 'x-kubeapiserver': kubernetes.url, 'x-kubetoken': kubernetes.token };
    const closed = await startHub(t, createFolder(t), 'clusters: []\n');
    assert.equal((await get(closed, version, headers)).status, 403);
    const open = await startHub(t, createFolder(t), undefined, ['--allow-adhoc-clusters=127.0.0.1']);
    const { status, json } = await get(open, version, headers);
    assert.equal(status, 503);
    assert.match(json.message, /certificate is signed by an unknown authority/);
  });

  test('as a context of the kubeconfig, which is watched', async t => {
    const [one, two] = [await startStub(t, 'v2.17.1'), await startStub(t, 'v2.17.2')];
    const [first, second] = [await startMember(t, one, false), await startMember(t, two, true)];
    const merged = (contexts: Record<string, SandboxKubernetes>) => {
      const documents = Object.entries(contexts).map(([name, cluster]) => {
        const { clusters, users } = JSON.parse(cluster.kubeconfig());
        return { name, cluster: clusters[0].cluster, user: users[0].user };
      });
      return JSON.stringify({
        contexts: documents.map(({ name }) => ({ name, context: { cluster: name, user: name } })),
        clusters: documents.map(({ name, cluster }) => ({ name, cluster })),
        users: documents.map(({ name, user }) => ({ name, user })),
      });
    };
    const folder = createFolder(t);
    const file = folder.write('config', merged({ 'a@x/y': first }));
    const hub = await startHub(t, folder, undefined, ['--kube-contexts=all', `--kubeconfig=${file}`]);
    assert.equal((await get(hub, `/clusters/a%40x%2Fy${version}`)).json.Version.sem_ver, 'v2.17.1');
    folder.write('config', merged({ 'a@x/y': first, b: second }));
    await eventually(async () => (await get(hub, `/clusters/b${version}`)).status === 200, { everyMs: 50 });
    assert.equal((await get(hub, `${version}?kube_context=b`)).json.Version.sem_ver, 'v2.17.2');
  });
});

/** A cluster whose "gateway" tells what it got. */
async function startTelling(t: TestContext) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    let body = '';
    request.setEncoding('utf8').on('data', chunk => {
      body += chunk;
    });
    request.on('end', () => {
      response.setHeader('X-Request-Id', String(request.headers['x-request-id']));
      response.end(JSON.stringify({ path: request.url, headers: request.headers, body }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    socket.send(`${request.url} ${request.headers['impersonate-user'] ?? 'nobody'}`);
    socket.on('message', message => socket.send(message));
  });
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  const kubernetes = await startCluster(t, 9);
  kubernetes.setGateway({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  const folder = createFolder(t);
  await kubernetes.writeKubeconfig(`${folder.folder}/kubeconfig`);
  const hub = await startHub(
    t,
    folder,
    'clusters:\n- {name: a, upstream: gateway, kubeconfig: kubeconfig}\n',
  );
  return { hub, requests, kubernetes };
}

describe('by the upstream gateway', () => {
  test('request id and deadline go along, and nothing that says who somebody is', async t => {
    const { hub } = await startTelling(t);
    const { json, headers } = await get(hub, '/clusters/a/tiller/v2/releases/json?limit=2&filter=%5Ea', {
      'x-request-id': 'req-7',
      'grpc-timeout': '20S',
      authorization: 'Bearer client',
      cookie: 'a=b',
      'impersonate-user': 'admin',
    });
    assert.equal(headers.get('x-request-id'), 'req-7');
    assert.equal(json.path, '/tiller/v2/releases/json?limit=2&filter=%5Ea');
    assert.equal(json.headers['x-request-id'], 'req-7');
    assert.match(json.headers['grpc-timeout'], /^(1\d{4}|20000)m$/);
    for (const name of ['authorization', 'cookie', 'impersonate-user'])
      assert.equal(json.headers[name], undefined);
  });

  test('bodies of HTTP/1.1 and HTTP/2 are streamed on', async t => {
    const { hub } = await startTelling(t);
    const body = JSON.stringify({ text: 'x'.repeat(1_000_000) });
    const response = await fetch(`${hub.url}/clusters/a/tiller/v2/releases/b/json`, { method: 'POST', body });
    assert.equal(((await response.json()) as { body: string }).body, body);
    const session = connect(hub.url);
    t.after(() => session.destroy());
    const stream = session.request({ ':method': 'PUT', ':path': '/clusters/a/tiller/v2/releases/b/json' });
    stream.end(body);
    let text = '';
    for await (const chunk of stream.setEncoding('utf8')) text += chunk;
    assert.equal(JSON.parse(text).body, body);
  });

  test('a path never leaves the service proxy', async t => {
    const { hub, requests } = await startTelling(t);
    for (const path of [
      '/../../../../secrets',
      '/%2e%2e/%2e%2e/secrets',
      '/a%2f..%2fb',
      '//x',
      '/tiller/./x',
    ]) {
      const sent = httpRequest({ port: hub.port, host: '127.0.0.1', path: `/clusters/a${path}` }).end();
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      response.resume();
      assert.equal(response.statusCode, 404, path);
    }
    assert.equal(requests.length, 0);
  });

  test('a client that leaves ends the request to the cluster, and a deadline that passes too', async t => {
    const stub = await startStub(t, 'v2.17.0');
    stub.answer('ListReleases', { hang: 'before' });
    const kubernetes = await startMember(t, stub, true);
    const folder = createFolder(t);
    await kubernetes.writeKubeconfig(`${folder.folder}/kubeconfig`);
    const hub = await startHub(
      t,
      folder,
      'clusters:\n- {name: a, upstream: gateway, kubeconfig: kubeconfig}\n',
    );
    assert.equal((await get(hub, `/clusters/a${version}`)).status, 200);
    const list = '/clusters/a/tiller/v2/releases/json';
    const leaving = new AbortController();
    const left = fetch(hub.url + list, { signal: leaving.signal }).catch(() => 'left');
    const first = await stub.arrival('ListReleases');
    leaving.abort();
    assert.equal(await left, 'left');
    await first.done;
    assert.equal(first.outcome, 'cancelled');
    const late = await get(hub, list, { 'grpc-timeout': '300m' });
    assert.equal(late.status, 504);
    const second = await stub.arrival('ListReleases', 2);
    await second.done;
    const { clusters } = (await get(hub, '/clusters')).json;
    assert.deepEqual([clusters[0].state, clusters[0].calls], ['ready', 0]);
  });

  test('a read whose kept connection is closed in that moment is sent once more, a write is not', async t => {
    const seen: string[] = [];
    const apiServer = createServer((request, response) => {
      const what = `${request.method} ${new URL(request.url ?? '', 'http://h').pathname.replace(/^.*\/proxy/, '')}`;
      const isFirst = !seen.includes(what);
      seen.push(what);
      if (isFirst) return void request.socket.destroy();
      response.setHeader('X-Request-Id', String(request.headers['x-request-id']));
      request.resume().on('end', () => response.end('{}'));
    }).listen(0, '127.0.0.1');
    await once(apiServer, 'listening');
    t.after(() => {
      apiServer.closeAllConnections();
      apiServer.close();
    });
    const folder = createFolder(t);
    const server = `http://127.0.0.1:${(apiServer.address() as AddressInfo).port}`;
    folder.write(
      'kubeconfig',
      JSON.stringify({
        'current-context': 'c',
        contexts: [{ name: 'c', context: { cluster: 'c' } }],
        clusters: [{ name: 'c', cluster: { server } }],
      }),
    );
    const entry = '- {name: a, upstream: gateway, service: "kube-system/swift:http", kubeconfig: kubeconfig}';
    const hub = await startHub(t, folder, `clusters:\n${entry}\n`);
    const list = '/tiller/v2/releases/json';
    const rollback = '/tiller/v2/releases/b/rollback/json';
    assert.equal((await get(hub, `/clusters/a${list}`)).status, 200);
    assert.equal((await get(hub, `/clusters/a${rollback}`)).status, 503);
    const written = await fetch(`${hub.url}/clusters/a${list}`, { method: 'POST', body: '{}' });
    assert.equal(written.status, 503);
    const lost = (await written.json()) as Record<string, unknown>;
    assert.equal(lost.reason, 'UPSTREAM_LOST');
    assert.match(
      String(lost.message),
      /: connection reset: the release may have been changed all the same; ask/,
    );
    const versions = await get(hub, `/clusters/-${version}`);
    assert.equal(versions.json.clusters[0].ok, true);
    const ofVersion = `GET ${version}`;
    const asked = seen.filter(what => what !== ofVersion);
    assert.deepEqual(asked, [`GET ${list}`, `GET ${list}`, `GET ${rollback}`, `POST ${list}`]);
    assert.ok(seen.filter(what => what === ofVersion).length >= 2);
  });

  test('an upgrade becomes a WebSocket of the cluster', async t => {
    const { hub } = await startTelling(t);
    const socket = new WebSocket(`ws://127.0.0.1:${hub.port}/clusters/a/live?x=1`, {
      headers: { 'impersonate-user': 'admin' },
    });
    t.after(() => socket.terminate());
    const [hello] = await once(socket, 'message');
    assert.equal(String(hello), '/live?x=1 nobody');
    socket.send('ping');
    const [echo] = await once(socket, 'message');
    assert.equal(String(echo), 'ping');
    assert.equal((await get(hub, '/clusters')).json.clusters[0].calls, 1);
    socket.close();
    await once(socket, 'close');
  });

  test('an upgrade on another path is refused', async t => {
    const { hub } = await startTelling(t);
    for (const [path, status] of [
      ['/live', 400],
      ['/clusters/nope/live', 404],
      ['/clusters/a/%2e%2e/live', 404],
    ] as const) {
      const socket = new WebSocket(`ws://127.0.0.1:${hub.port}${path}`);
      socket.on('error', () => {});
      const [, response] = await once(socket, 'unexpected-response');
      assert.equal(response.statusCode, status, path);
      socket.terminate();
    }
  });

  test('what the API server itself refuses is no answer of the cluster', async t => {
    const { hub, kubernetes } = await startTelling(t);
    kubernetes.setGateway({ path: '/nowhere' });
    const { status, json } = await get(hub, `/clusters/a${version}`);
    assert.equal(status, 503);
    assert.match(json.message, /^reaching the cluster's gateway: .*error trying to reach service/);
  });
});
