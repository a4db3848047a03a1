/** Bodies that wait for a member's gateway count among the bytes in flight. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect as http2Connect } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { eventually } from './support/eventually.ts';
import { createFolder, startHub } from './support/hub-stage.ts';
import { readToEnd } from './support/listener-stage.ts';

const path = '/clusters/a/tiller/v2/releases/web/json';

/** A hub whose member takes nothing of any body until it is told to, with 4 MiB for bytes in flight. */
async function startStalled(t: TestContext) {
  const waiting: IncomingMessage[] = [];
  let isTaking = false;
  const server = createServer((request, response) => {
    if (request.method === 'GET') return void response.end('{"Version":{"sem_ver":"v2.17.0"}}');
    request.once('end', () => response.setHeader('X-Request-Id', 'a').end('{}'));
    if (isTaking) request.resume();
    else waiting.push(request);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const folder = createFolder(t);
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: api } }],
    contexts: [{ name: 'c', context: { cluster: 'c' } }],
    'current-context': 'c',
  };
  folder.write('kubeconfig', JSON.stringify(config));
  const clusters =
    'clusters: [{name: a, upstream: gateway, kubeconfig: kubeconfig, service: "kube-system/swift:http"}]';
  const { port } = await startHub(t, folder, clusters, ['--in-flight-limit=4MiB', '--drain-timeout=50ms']);
  const take = () => {
    isTaking = true;
    for (const request of waiting) request.resume();
  };
  return { port, waiting, take };
}

const body = Buffer.alloc(2 * 1024 * 1024, 0x20);

describe('uploads that a member does not take', () => {
  test('are refused past the budget with 503, and those within it go through when it takes them', async t => {
    const { port, waiting, take } = await startStalled(t);
    const uploads = 40;
    const answers: string[] = [];
    const all = Array.from({ length: uploads }, async () => {
      const socket = connect(port, '127.0.0.1');
      t.after(() => socket.destroy());
      const answer = readToEnd(socket);
      const head = `PUT ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n`;
      socket.write(`${head}Content-Length: ${body.length}\r\n\r\n`);
      socket.write(body);
      answers.push(await answer);
    });
    const refused = () => answers.filter(text => /^HTTP\/1\.1 503 .*retry-after: 1/is.test(text)).length;
    // a client that is still sending may see its connection reset in place of the answer
    await eventually(() => answers.length > 0 && answers.length + waiting.length >= uploads);
    take();
    await Promise.all(all);
    const passed = answers.filter(text => /^HTTP\/1\.1 200 /.test(text)).length;
    assert.ok(passed > 0 && passed + refused() <= uploads, `${passed} passed, ${refused()} refused`);
    const next = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body,
    });
    assert.equal(next.status, 200);
  });

  test('over HTTP/2 likewise, and the connection stays', async t => {
    const { port, take } = await startStalled(t);
    const session = http2Connect(`http://127.0.0.1:${port}`);
    t.after(() => session.destroy());
    const upload = () => {
      const type = { 'content-type': 'application/json' };
      const stream = session.request({ ':method': 'PUT', ':path': path, ...type });
      stream.on('error', () => {}).end(body);
      return once(stream, 'response').then(([headers]) => headers[':status'] as number);
    };
    const first = Array.from({ length: 3 }, upload);
    assert.equal(await Promise.race(first), 503);
    take();
    const statuses = await Promise.all(first);
    assert.ok(statuses.includes(200), String(statuses));
    assert.equal(await upload(), 200);
  });
});
