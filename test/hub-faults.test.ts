/** What becomes of a hub when its clusters, its credentials or its configuration fail. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { renameSync, symlinkSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { startSandboxTiller } from '../src/sandbox/index.ts';
import { eventually } from './support/eventually.ts';
import { startTestGateway } from './support/gateway.ts';
import { createFolder, type HubStage, startCluster, startHub } from './support/hub-stage.ts';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';

const version = '/tiller/v2/version/json';

interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every kind
  json: any;
}

async function get(hub: HubStage, path: string): Promise<Answer> {
  const response = await fetch(hub.url + path);
  return { status: response.status, json: await response.json() };
}

async function stateOf(hub: HubStage, name: string) {
  const { json } = await get(hub, '/clusters');
  return json.clusters.find((cluster: { name: string }) => cluster.name === name);
}

async function startStub(t: TestContext): Promise<StubTiller> {
  const stub = await startStubTiller();
  t.after(() => stub.stop());
  return stub;
}

/** A server on which nothing works as it should. */
async function startRaw(t: TestContext, handle: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    handle(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const direct = (name: string, port: number) =>
  `- {name: ${name}, upstream: direct, endpoint: "127.0.0.1:${port}"}\n`;

describe('a cluster', { concurrency: 4 }, () => {
  test('that is down costs its own entry, is told with the step that fails, and comes back by itself', async t => {
    const good = await startStub(t);
    const folder = createFolder(t);
    // a port that is given up could be somebody else's the next moment, a path could not
    const socket = `${folder.folder}/tiller.sock`;
    const bad = `- {name: bad, upstream: direct, endpoint: "unix:${socket}"}\n`;
    const hub = await startHub(t, folder, `clusters:\n${direct('good', good.port)}${bad}`);
    const { status, json } = await get(hub, `/clusters/bad${version}`);
    assert.equal(status, 503);
    assert.match(json.message, /tiller\.sock: no such file/);
    const failing = await stateOf(hub, 'bad');
    assert.equal(failing.state, 'failing');
    assert.ok(Date.parse(failing.failing.since) <= Date.now());
    assert.match(failing.failing.step, /^connecting/);
    assert.match(failing.failing.message, /no such file/);

    const all = await get(hub, `/clusters/-${version}`);
    assert.equal(all.status, 200);
    assert.deepEqual(
      all.json.clusters.map(({ cluster, ok, error }: Answer['json']) => [cluster, ok, error?.status]),
      [
        ['good', true, undefined],
        ['bad', false, 'UNAVAILABLE'],
      ],
    );

    const tiller = await startSandboxTiller({ listen: 'unix' });
    t.after(() => tiller.stop());
    symlinkSync(tiller.address.replace(/^unix:/, ''), socket);
    await eventually(async () => (await stateOf(hub, 'bad')).state === 'ready');
    assert.equal((await get(hub, `/clusters/bad${version}`)).status, 200);
    assert.ok(
      hub.lines.some(({ message, cluster }) => message === 'the cluster is back' && cluster === 'bad'),
    );
  });

  test('that hangs costs the others nothing and itself the cluster timeout', async t => {
    const [good, stuck] = [await startStub(t), await startStub(t)];
    good.answer('ListReleases', {});
    stuck.answer('ListReleases', { hang: 'before' });
    const text = `clusters:\n${direct('good', good.port)}${direct('stuck', stuck.port)}`;
    const hub = await startHub(t, createFolder(t), text, ['--cluster-timeout=4s']);
    for (const name of ['good', 'stuck']) await get(hub, `/clusters/${name}${version}`);
    const { status, json } = await get(hub, '/clusters/-/tiller/v2/releases/json');
    assert.equal(status, 200);
    assert.equal(json.clusters[0].ok, true);
    assert.equal(json.clusters[1].error.status, 'DEADLINE_EXCEEDED');
    assert.match(json.clusters[1].error.message, /within 4 s \(--cluster-timeout\)|deadline/);
    const call = await stuck.arrival('ListReleases');
    await call.done;
    assert.equal(call.outcome, 'cancelled');
  });

  test('that answers late does not hold up the lines of the others', async t => {
    const [good, slow] = [await startStub(t), await startStub(t)];
    good.answer('ListReleases', {});
    let release = () => {};
    const released = new Promise<void>(resolve => {
      release = resolve;
    });
    slow.answer('ListReleases', async () => {
      await released;
      return {};
    });
    const text = `clusters:\n${direct('slow', slow.port)}${direct('good', good.port)}`;
    const hub = await startHub(t, createFolder(t), text);
    const response = await fetch(`${hub.url}/clusters/-/tiller/v2/releases/json`, {
      headers: { accept: 'application/x-ndjson' },
    });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    assert.equal(JSON.parse((await reader.read()).value ?? '').cluster, 'good');
    release();
    assert.equal(JSON.parse((await reader.read()).value ?? '').cluster, 'slow');
    assert.equal((await reader.read()).done, true);
  });

  test('that is stuck takes no more than its share of calls', async t => {
    const [good, stuck] = [await startStub(t), await startStub(t)];
    stuck.answer('ListReleases', { hang: 'before' });
    const text = `clusters:\n${direct('good', good.port)}${direct('stuck', stuck.port)}`;
    const hub = await startHub(t, createFolder(t), text, ['--cluster-max-calls=2']);
    const end = new AbortController();
    const list = '/clusters/stuck/tiller/v2/releases/json?limit=';
    const hanging = [1, 2].map(limit =>
      fetch(hub.url + list + limit, { signal: end.signal }).catch(() => {}),
    );
    await stuck.arrival('ListReleases', 2);
    const { status, json } = await get(hub, `${list}3`);
    assert.equal(status, 429);
    assert.match(json.message, /^cluster stuck has 2 calls in progress already/);
    assert.equal((await get(hub, `/clusters/good${version}`)).status, 200);
    end.abort();
    await Promise.all(hanging);
    await eventually(async () => (await stateOf(hub, 'stuck')).calls === 0);
  });

  test('that answers garbage is told as failing', async t => {
    const garbage = await startRaw(t, socket => socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
    const member = await startRaw(t, socket =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nnot JSON')),
    );
    const kubernetes = await startCluster(t, garbage);
    kubernetes.setGateway({ host: '127.0.0.1', port: member });
    const folder = createFolder(t);
    await kubernetes.writeKubeconfig(`${folder.folder}/kubeconfig`);
    const proxied = '- {name: proxied, upstream: gateway, kubeconfig: kubeconfig}\n';
    const tunnelled = '- {name: tunnelled, upstream: tunnel, kubeconfig: kubeconfig}\n';
    const hub = await startHub(t, folder, `clusters:\n${direct('garbage', garbage)}${proxied}${tunnelled}`);
    const { json } = await get(hub, `/clusters/-${version}`);
    assert.deepEqual(
      json.clusters.map(({ error }: Answer['json']) => error.status),
      ['UNAVAILABLE', 'INTERNAL', 'UNAVAILABLE'],
    );
    assert.match(json.clusters[0].error.message, /HTTP\/2 handshake/);
    assert.match(json.clusters[1].error.message, /answered something that is not? /);
  });

  test('whose API server breaks off every connection is reached again by proxy', async t => {
    const stub = await startStub(t);
    const member = await startTestGateway(stub.address);
    t.after(() => member[Symbol.asyncDispose]());
    const kubernetes = await startCluster(t, stub.port);
    kubernetes.setGateway({ host: '127.0.0.1', port: Number(new URL(member.url).port) });
    const open = new Set<Socket>();
    let isDown = false;
    const relay = await startRaw(t, socket => {
      if (isDown) return void socket.destroy();
      const onward = connect(Number(new URL(kubernetes.url).port), '127.0.0.1');
      open.add(onward.on('error', () => {}).once('close', () => socket.destroy()));
      socket.once('close', () => onward.destroy());
      socket.pipe(onward).pipe(socket);
    });
    const folder = createFolder(t);
    folder.write('kubeconfig', kubernetes.kubeconfig().replace(kubernetes.url, `https://127.0.0.1:${relay}`));
    const hub = await startHub(
      t,
      folder,
      'clusters:\n- {name: a, upstream: gateway, kubeconfig: kubeconfig}\n',
    );
    assert.equal((await get(hub, `/clusters/a${version}`)).status, 200);
    isDown = true;
    for (const onward of open) onward.destroy();
    const { status, json } = await get(hub, `/clusters/a${version}`);
    assert.equal(status, 503);
    assert.match(
      json.message,
      /^reaching the cluster's gateway through https:\/\/127\.0\.0\.1:\d+: connection /,
    );
    assert.equal((await stateOf(hub, 'a')).state, 'failing');
    for (let tries = 0; tries < 2; tries++) await get(hub, `/clusters/a${version}`);
    isDown = false;
    await eventually(async () => (await stateOf(hub, 'a')).state === 'ready');
    assert.equal((await get(hub, `/clusters/a${version}`)).status, 200);
  });

  for (const upstream of ['tunnel', 'gateway']) {
    test(`whose token expires says so, and takes the new one without a restart (${upstream})`, async t => {
      const stub = await startStub(t);
      const member = await startTestGateway(stub.address);
      t.after(() => member[Symbol.asyncDispose]());
      const kubernetes = await startCluster(t, stub.port);
      kubernetes.setGateway({ host: '127.0.0.1', port: Number(new URL(member.url).port) });
      const folder = createFolder(t);
      const file = `${folder.folder}/kubeconfig`;
      await kubernetes.writeKubeconfig(file);
      const old = kubernetes.token;
      const hub = await startHub(
        t,
        folder,
        `clusters:\n- {name: a, upstream: ${upstream}, kubeconfig: kubeconfig}\n`,
      );
      assert.equal((await get(hub, `/clusters/a${version}`)).status, 200);
      kubernetes.rotateToken();
      kubernetes.misbehave.cutTunnels();
      await eventually(async () => (await get(hub, `/clusters/a${version}`)).status === 503);
      const { failing } = await stateOf(hub, 'a');
      assert.match(failing.message, /the API server does not accept the credentials/);
      await kubernetes.writeKubeconfig(file);
      await eventually(async () => (await get(hub, `/clusters/a${version}`)).status === 200);
      const log = JSON.stringify(hub.lines);
      assert.ok(!log.includes(old) && !log.includes(kubernetes.token));
    });
  }
});

describe('the clusters file', { concurrency: 4 }, () => {
  /** As `kubectl edit` and mounted Secrets do it: the new one takes the place of the old one at once. */
  function replace(hub: HubStage, text: string): void {
    renameSync(hub.write('next.yaml', text), `${hub.folder}/clusters.yaml`);
  }

  test('stays in force where the new one is invalid, which the log and /clusters tell', async t => {
    const stub = await startStub(t);
    const hub = await startHub(t, createFolder(t), `clusters:\n${direct('a', stub.port)}`);
    replace(hub, 'clusters:\n- name: a\n  upstream: bridge\n');
    await eventually(async () => (await get(hub, '/clusters')).json.problem !== undefined);
    const { json } = await get(hub, '/clusters');
    assert.match(json.problem.message, /clusters\.yaml:3: upstream: expected tunnel, gateway, direct/);
    const line = hub.lines.find(({ message }) =>
      String(message).startsWith('the new clusters cannot be used'),
    );
    assert.match(String(line?.error), /clusters\.yaml:3: upstream/);
    assert.equal((await get(hub, `/clusters/a${version}`)).status, 200);

    replace(hub, `clusters:\n${direct('b', stub.port)}`);
    await eventually(async () => (await get(hub, `/clusters/b${version}`)).status === 200);
    assert.equal((await get(hub, '/clusters')).json.problem, undefined);
  });

  test('may change without touching calls to other clusters, and lets those to a removed one finish', async t => {
    const [kept, removed] = [await startStub(t), await startStub(t)];
    const waits: (() => void)[] = [];
    for (const stub of [kept, removed]) {
      stub.answer('ListReleases', async () => {
        await new Promise<void>(resolve => waits.push(resolve));
        return {};
      });
    }
    const text = `clusters:\n${direct('kept', kept.port)}${direct('removed', removed.port)}`;
    const hub = await startHub(t, createFolder(t), text);
    const calls = ['kept', 'removed'].map(name =>
      fetch(`${hub.url}/clusters/${name}/tiller/v2/releases/json`),
    );
    await Promise.all([kept.arrival('ListReleases'), removed.arrival('ListReleases')]);
    replace(hub, `clusters:\n${direct('kept', kept.port)}${direct('added', kept.port)}`);
    await eventually(async () => (await get(hub, `/clusters/added${version}`)).status === 200);
    const gone = await get(hub, `/clusters/removed${version}`);
    assert.equal(gone.status, 404);
    assert.equal(gone.json.message, 'no cluster "removed"; known: kept, added');
    for (const release of waits) release();
    for (const call of calls) assert.equal((await call).status, 200);
    assert.equal(kept.connectionCount, 2); // one of `kept`, untouched, and one of `added`
  });

  test('that is invalid at the start is a reason not to start', async t => {
    await assert.rejects(startHub(t, createFolder(t), 'clusters:\n- {name: a, upstream: direct}\n'), {
      code: 3,
      message: /clusters\.yaml:2: the upstream direct needs an endpoint/,
    });
  });
});

describe('connections', { concurrency: 4 }, () => {
  test('are closed when nothing uses them, and opened again', async t => {
    const stub = await startStub(t);
    const hub = await startHub(t, createFolder(t), `clusters:\n${direct('a', stub.port)}`, [
      '--cluster-idle=1s',
    ]);
    assert.equal(stub.connectionCount, 0);
    assert.equal((await get(hub, `/clusters/a${version}`)).status, 200);
    await eventually(async () => stub.sockets.size === 0);
    assert.equal((await stateOf(hub, 'a')).state, 'idle');
    assert.equal((await get(hub, `/clusters/a${version}`)).status, 200);
    assert.equal(stub.connectionCount, 2);
  });

  test('have a bound: the cluster unused for longest makes room, one in use never does', async t => {
    const stubs = [await startStub(t), await startStub(t), await startStub(t)];
    const entries = stubs.map(({ port }, index) => direct('abc'[index] ?? '', port));
    const hub = await startHub(t, createFolder(t), `clusters:\n${entries.join('')}`, [
      '--max-open-clusters=2',
    ]);
    for (const name of 'abc') assert.equal((await get(hub, `/clusters/${name}${version}`)).status, 200);
    const states = (await get(hub, '/clusters')).json.clusters.map(({ state }: { state: string }) => state);
    assert.deepEqual(states, ['idle', 'ready', 'ready']);
    const end = new AbortController();
    const hanging = [1, 2].map(index => {
      stubs[index]?.answer('ListReleases', { hang: 'before' });
      const path = `/clusters/${'abc'[index]}/tiller/v2/releases/json`;
      return fetch(hub.url + path, { signal: end.signal }).catch(() => {});
    });
    await Promise.all([stubs[1]?.arrival('ListReleases'), stubs[2]?.arrival('ListReleases')]);
    const { status, json } = await get(hub, `/clusters/a${version}`);
    assert.equal(status, 429);
    assert.match(json.message, /--max-open-clusters/);
    end.abort();
    await Promise.all(hanging);
  });
});
