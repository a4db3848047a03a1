/** Every kind of odd answer, from a Tiller, a member's gateway and an API server: it costs its own request, and no other. */
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { toFrame } from '../src/protocol/index.ts';
import { Dice } from './support/dice.ts';
import { eventually } from './support/eventually.ts';
import { createFolder, type HubStage, startCluster, startHub } from './support/hub-stage.ts';
import { startOddApiServer } from './support/odd-api-server.ts';
import { faults, startOddTiller, startPeer } from './support/odd-tiller.ts';
import { startStubTiller } from './support/stub-tiller.ts';

const seed = Date.now() % 2 ** 31;
const rounds = 2;
/** How many clusters are asked at once: all their parts and clients are in this process. */
const atOnce = 10;
const paths = [
  'version/json',
  'releases/json',
  'releases/a/content/json',
  'releases/a/status/json',
  'releases/a/test/json',
];

/** Asks by JSON, gRPC-Web and, on a session of its own, gRPC. @returns how many were answered */
async function askAll(hub: HubStage, cluster: string): Promise<number> {
  const timeout = { 'grpc-timeout': '1S', connection: 'close' };
  const signal = AbortSignal.timeout(20_000);
  const json = paths.map(async path => {
    const method = path.endsWith('test/json') ? 'POST' : 'GET';
    const answer = await fetch(`${hub.url}/clusters/${cluster}/tiller/v2/${path}`, {
      method,
      headers: timeout,
      signal,
    });
    assert.ok(answer.status >= 200 && answer.status < 600);
    await answer.arrayBuffer();
  });
  const web = fetch(`${hub.url}/clusters/${cluster}/appscode.swift.v2.ReleaseService/GetReleaseStatus`, {
    method: 'POST',
    headers: { 'content-type': 'application/grpc-web', ...timeout },
    body: new Uint8Array(toFrame(Buffer.from([10, 1, 97]))),
    signal,
  }).then(answer => answer.arrayBuffer());
  const session = http2.connect(hub.url);
  const grpc = [
    '/appscode.swift.v2.ReleaseService/GetVersion',
    '/hapi.services.tiller.ReleaseService/ListReleases',
  ].map(
    path =>
      new Promise<void>((resolve, reject) => {
        const stream = session.request({
          ':method': 'POST',
          ':path': path,
          'content-type': 'application/grpc',
          te: 'trailers',
          'grpc-timeout': '1S',
          'x-cluster': cluster,
        });
        let status: unknown;
        stream.on('error', reject).resume();
        stream.once('response', headers => {
          assert.equal(headers[':status'], 200);
          status = headers['grpc-status'];
        });
        stream.once('trailers', trailers => {
          status = trailers['grpc-status'];
        });
        stream.once('close', () =>
          /^\d{1,2}$/.test(String(status)) ? resolve() : reject(new Error(`status ${status}`)),
        );
        stream.end(toFrame(Buffer.alloc(0)));
      }),
  );
  const all = [...json, web, ...grpc];
  await Promise.all(all).finally(() => session.close());
  return all.length;
}

const direct = (name: string, port: number) =>
  `- {name: ${name}, upstream: direct, endpoint: "127.0.0.1:${port}"}\n`;

async function assertGood(hub: HubStage) {
  for (const path of ['', '/clusters/good']) {
    const answer = await fetch(`${hub.url}${path}/tiller/v2/version/json`);
    assert.equal(answer.status, 200, await answer.text());
  }
}

describe(`odd answers (seed ${seed})`, () => {
  test(`each of ${faults.length} kinds, from a Tiller that is reached directly or through a tunnel`, async t => {
    const stub = await startStubTiller({ record: false });
    t.after(() => stub.stop());
    const folder = createFolder(t);
    let text = `clusters:\n${direct('good', stub.port)}`;
    for (const [index, only] of faults.entries()) {
      const odd = await startOddTiller(new Dice(seed + index), { only });
      t.after(() => odd.stop());
      text += direct(`direct-${only}`, odd.port);
      if (index % 4 > 0) continue; // a sandbox cluster for each would take longer than all the rest
      const kubernetes = await startCluster(t, odd.port);
      const file = folder.write(`${only}.kubeconfig`, kubernetes.kubeconfig());
      text += `- {name: tunnel-${only}, upstream: tunnel, kubeconfig: ${file}}\n`;
    }
    const hub = await startHub(t, folder, text, ['--connector=direct', `--tiller-endpoint=${stub.address}`]);
    const names = [...text.matchAll(/name: ((?:direct|tunnel)-\w+)/g)].map(([, name]) => name!);
    let answered = 0;
    for (let round = 0; round < rounds; round++) {
      for (let from = 0; from < names.length; from += atOnce) {
        const some = names.slice(from, from + atOnce);
        for (const count of await Promise.all(some.map(name => askAll(hub, name)))) answered += count;
      }
      await assertGood(hub);
    }
    t.diagnostic(`${answered} requests to ${names.length} clusters, all answered`);
    const errors = hub.lines.filter(
      ({ level, message }) => level === 'error' || /fault of the program/.test(String(message)),
    );
    assert.deepEqual(errors, []);
  });

  test('an API server, and a member behind it, that answer oddly', async t => {
    const stub = await startStubTiller({ record: false });
    t.after(() => stub.stop());
    const folder = createFolder(t);
    let text = `clusters:\n${direct('good', stub.port)}`;
    const names: string[] = [];
    for (let index = 0; index < 12; index++) {
      const api = await startOddApiServer(new Dice(seed + index));
      t.after(() => api.stop());
      const file = folder.write(
        `${index}.kubeconfig`,
        `{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}],
users: [{name: a, user: {token: t}}], clusters: [{name: a, cluster: {server: "http://127.0.0.1:${api.port}"}}]}`,
      );
      const fields =
        index % 2 === 0 ? 'upstream: tunnel' : 'upstream: gateway, service: "kube-system/swift:http"';
      text += `- {name: odd-${index}, ${fields}, kubeconfig: ${file}}\n`;
      names.push(`odd-${index}`);
    }
    const hub = await startHub(t, folder, text, ['--connector=direct', `--tiller-endpoint=${stub.address}`]);
    for (let round = 0; round < rounds; round++) {
      // a member's answer may break off in the middle: what counts is that it ends
      await Promise.all(
        names.map(name =>
          askAll(hub, name).catch(error => assert.match(String(error), /terminated|fetch failed|Error/)),
        ),
      );
      await assertGood(hub);
    }
    assert.deepEqual(
      hub.lines.filter(({ level }) => level === 'error'),
      [],
    );
  });
});

test('an upgrade leaves no connection behind, on either side, whichever end goes first', async t => {
  const upgraded = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
  const servers: Record<string, (socket: Socket) => void> = {
    silent: () => {},
    upgrades: socket => void socket.write(upgraded),
    leaves: socket => void socket.end(upgraded),
    resets: socket => void socket.write(upgraded, () => setTimeout(() => socket.resetAndDestroy(), 50)),
    refuses: socket => void socket.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 9\r\n\r\nhalf'),
  };
  const clients: Record<string, (socket: Socket) => void> = {
    ends: socket => void socket.end(),
    vanishes: socket => void socket.destroy(),
    resets: socket => void socket.resetAndDestroy(),
  };
  const folder = createFolder(t);
  const peers = new Set<Socket>();
  let asked = 0;
  let text = 'clusters:\n';
  for (const [name, serve] of Object.entries(servers)) {
    const peer = await startPeer(new Map(), socket => {
      socket.once('data', request => {
        // a connection of the hub's own look at the cluster is kept
        if (/upgrade: websocket/i.test(request.toString())) {
          peers.add(socket);
          asked++;
        }
        serve(socket);
      });
      socket.once('close', () => peers.delete(socket));
    });
    t.after(() => peer.stop());
    const file = folder.write(
      name,
      `{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}],
users: [{name: a, user: {token: t}}], clusters: [{name: a, cluster: {server: "http://127.0.0.1:${peer.port}"}}]}`,
    );
    text += `- {name: ${name}, upstream: gateway, service: "kube-system/swift:http", kubeconfig: ${file}}\n`;
  }
  const hub = await startHub(t, folder, text);
  const expected = Object.keys(servers).length * Object.keys(clients).length - 1;
  const left: Promise<void>[] = [];
  for (const path of [
    ...Object.keys(servers).map(name => `/clusters/${name}/x`),
    '/clusters/nobody/x',
    '/x',
  ]) {
    for (const [name, leave] of Object.entries(clients)) {
      if (path.includes('silent') && name === 'ends') continue; // ends with the bound on an upgrade, 10 s
      const socket = connect({ port: hub.port, host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => {}).resume();
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      );
      // a client of a peer that goes first sees that peer's end, the others an answer, if there is one
      const sees = /leaves|resets/.test(path) ? ['end', 'close'] : ['data', 'end', 'close'];
      const seen = new Promise<void>(resolve => {
        for (const event of sees) socket.once(event, () => resolve());
      });
      const moment = path.includes('silent') ? eventually(() => asked === expected) : seen;
      left.push(moment.then(() => leave(socket)));
      t.after(() => socket.destroy());
    }
  }
  await Promise.all(left);
  await eventually(async () => {
    const metrics = await (await fetch(`${hub.url}/metrics`, { headers: { connection: 'close' } })).text();
    return /_connections\{protocol="other"\} 0$/m.test(metrics) && peers.size === 0;
  });
});
