/** A request for another cluster never reaches the gateway's own Tiller. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { test } from 'node:test';
import { startStubTiller } from './support/stub-tiller.ts';
import { callTiller, openTiller } from './support/tiller-client.ts';
import { startWholeGateway } from './support/whole-gateway.ts';

const release = '/tiller/v2/releases/web/json';

/** Each a path's query and headers that name a cluster. */
const selectors: readonly (readonly [string, Record<string, string>])[] = [
  ['?kube_context=prod', {}],
  ['?kube%5Fcontext=prod', {}],
  ['?%6b%75be_context=prod', {}],
  ['?a=1&kube_context=prod&purge=true', {}],
  ['?kube_context=', {}],
  ['?kube_context', {}],
  ['?kube_context=a&kube_context=b', {}],
  ['', { 'X-KubeApiServer': 'https://prod:6443', 'X-KubeToken': 't' }],
  ['', { 'x-kubeapiserver': 'https://prod:6443' }],
  ['', { 'X-KubeToken': 't' }],
  ['?kubeContext=prod', {}],
  ['?KUBE_CONTEXT=prod', {}],
  ['?kube-context=prod', {}],
  ['?x-cluster=prod', {}],
  ['?X-KubeApiServer=https://prod:6443', {}],
  ['', { kube_context: 'prod' }],
  ['?kube_context=prod&kube_context=prod', {}],
  ['?;kube_context=prod&kube_context', {}],
  ['?kube_context=prod', { 'x-cluster': 'prod' }],
  ['', { 'x-cluster': 'prod', 'X-KubeApiServer': 'https://prod:6443' }],
  ['', { 'x-cluster': 'a, b' }],
  ['', { 'x-cluster-bin': 'cHJvZA==' }],
  ['', { 'x-kubeapiserver-bin': 'cHJvZA==' }],
  ['', { 'x-kubetoken-bin': 'cHJvZA==' }],
  ['', { 'x-cluster': 'prod' }],
  ['', { 'X-Cluster': '' }],
  ['', { x_cluster: 'prod' }],
  ['', { x_kubeapiserver: 'https://prod:6443' }],
  ['', { 'x-kube-api-server': 'https://prod:6443' }],
  ['', { 'x-kube_context': 'prod' }],
  ['?kube_context[]=prod', {}],
  ['?kube.context=prod', {}],
  ['?kube_context%00=prod', {}],
  ['?purge=true;kube_context=prod', {}],
  ['?purge=true;a=1;kubeContext=prod', {}],
  ['?kube%255Fcontext=prod', {}],
  ['?%256b%2575be%25255Fcontext=prod', {}],
  ['', { 'grpc-metadata-x-cluster': 'prod' }],
  ['', { 'Grpc-Metadata-Kube-Context': 'prod' }],
  ['', { 'grpcgateway-x-kubeapiserver': 'https://prod:6443' }],
  ['?cluster=prod', {}],
  ['?purge=true&%63luster=prod', {}],
  ['?cluster=', {}],
];

test('without a hub, whoever names a cluster is refused', async t => {
  const stub = await startStubTiller({ replies: { '*': { responses: [Buffer.alloc(0)] } } });
  t.after(() => stub.stop());
  const { url, address } = await startWholeGateway(t, stub);
  const session = connect(url);
  t.after(() => session.destroy());
  for (const [query, headers] of selectors) {
    const what = `${query} ${JSON.stringify(headers)}`;
    const response = await fetch(url + release + query, { method: 'DELETE', headers });
    assert.equal(response.status, 400, what);
    assert.equal(((await response.json()) as { code: number }).code, 3, what);
    const stream = session.request({ ':method': 'DELETE', ':path': release + query, ...headers });
    const [answer] = await once(stream.resume(), 'response');
    assert.equal(answer[':status'], 400, `HTTP/2: ${what}`);
  }
  for (const name of ['x-cluster', 'x-kubeapiserver']) {
    const twice = session.request({ ':method': 'DELETE', ':path': release, [name]: ['prod', 'own'] });
    const [answer] = await once(twice.resume(), 'response');
    assert.equal(answer[':status'], 400, `${name} twice over HTTP/2`);
    const socket = connectTcp(Number(new URL(url).port), '127.0.0.1');
    socket.end(`DELETE ${release} HTTP/1.1\r\nHost: localhost\r\n${`${name}: prod\r\n`.repeat(2)}\r\n`);
    assert.match(String(await socket.setEncoding('utf8').toArray()), /^HTTP\/1\.1 400 /, `${name} twice`);
  }
  using client = openTiller(address);
  for (const metadata of selectors.map(([, headers]) => headers)) {
    if (Object.keys(metadata).length === 0) continue;
    for (const method of ['/appscode.swift.v2.ReleaseService/UninstallRelease', 'UninstallRelease']) {
      const answer = await callTiller(client, method, Buffer.alloc(0), { metadata });
      assert.equal(answer.status, 3, `${method} ${JSON.stringify(metadata)}`);
    }
  }
  assert.equal(stub.callsOf('UninstallRelease').length, 0);
  assert.equal((await fetch(url + release, { method: 'DELETE' })).status, 200);
  assert.equal(stub.callsOf('UninstallRelease').length, 1);
});

test('with a hub, an encoded kube_context is the cluster that it names', async t => {
  const [own, other] = [await startStubTiller(), await startStubTiller()];
  for (const stub of [own, other]) {
    stub.answer('*', { responses: [Buffer.alloc(0)] });
    t.after(() => stub.stop());
  }
  const { createFolder, startHub } = await import('./support/hub-stage.ts');
  const entry = `- {name: other, upstream: direct, endpoint: "${other.address}"}`;
  const hub = await startHub(t, createFolder(t), `clusters:\n${entry}\n`, [
    `--tiller-endpoint=${own.address}`,
  ]);
  for (const [index, query] of ['?kube_context=other', '?kube%5Fcontext=other'].entries()) {
    assert.equal((await fetch(hub.url + release + query, { method: 'DELETE' })).status, 200);
    assert.equal(other.callsOf('UninstallRelease').length, index + 1);
  }
  const byHeader = await fetch(hub.url + release, { method: 'DELETE', headers: { 'x-cluster': 'other' } });
  assert.equal(byHeader.status, 200);
  for (const query of ['?kube%5Fcontext=nope', '?kube_context=']) {
    assert.equal((await fetch(hub.url + release + query, { method: 'DELETE' })).status, 404);
  }
  assert.equal(other.callsOf('UninstallRelease').length, 3);
  assert.equal(own.callsOf('UninstallRelease').length, 0);
});
