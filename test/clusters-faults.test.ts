import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { TillerClient } from '../src/backends/tiller/client.ts';
import { createDirectConnector } from '../src/clusters/upstreams/connectors.ts';
import { sharedCertificate } from './support/certificates.ts';
import { eventually, whenStill } from './support/eventually.ts';
import { createTestTiller } from './support/gateway.ts';
import { createTunnelledTiller } from './support/tunnelled-tiller.ts';

const free = { signal: new AbortController().signal, deadline: undefined };
const nothing = Buffer.alloc(0);
const reply = Buffer.from('reply');
const answered = { responses: [reply] };

/** Calls until one is answered, and tells how long that took. */
async function measureGap(t: TestContext, what: string, client: TillerClient): Promise<void> {
  const since = performance.now();
  assert.deepEqual(await client.unary('GetReleaseStatus', nothing, free), reply);
  t.diagnostic(`${what}: answered again after ${Math.round(performance.now() - since)} ms`);
}

/** Calls, each of which is answered, until it is so. */
async function callUntil(client: TillerClient, check: () => boolean): Promise<void> {
  await eventually(async () => {
    assert.deepEqual(await client.unary('GetReleaseStatus', nothing, free), reply);
    return check();
  });
}

/** What keeps a process alive, by kind. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

describe('faults between the gateway and Tiller', { concurrency: 6 }, () => {
  test('the tunnel is cut during a read: the read is answered all the same', async t => {
    const { stub, kubernetes, client } = await createTunnelledTiller(t, {
      stub: { replies: { GetReleaseStatus: { hang: 'before' } } },
    });
    const call = client.unary('GetReleaseStatus', nothing, free);
    await stub.arrival('GetReleaseStatus');
    stub.answer('GetReleaseStatus', answered);
    const since = performance.now();
    kubernetes.misbehave.cutTunnels();
    assert.deepEqual(await call, reply);
    t.diagnostic(`cut: answered ${Math.round(performance.now() - since)} ms later, through a new tunnel`);
    assert.equal(stub.callsOf('GetReleaseStatus').length, 2);
  });

  for (const how of ['cut', 'cut since the pod is replaced']) {
    test(`the tunnel is ${how} during a list: what is unanswered is asked again, an answer is not`, async t => {
      const { stub, kubernetes, client } = await createTunnelledTiller(t, {
        stub: { replies: { ListReleases: { hang: 'before' } } },
      });
      const breakTunnel = () =>
        how === 'cut' ? kubernetes.misbehave.cutTunnels() : void kubernetes.replaceTiller();
      const list = () => Readable.from(client.stream('ListReleases', nothing, free)).toArray();
      const unanswered = list();
      await stub.arrival('ListReleases');
      stub.answer('ListReleases', { responses: [reply, reply] });
      breakTunnel();
      assert.deepEqual(await unanswered, [reply, reply]);
      assert.equal(stub.callsOf('ListReleases').length, 2);
      stub.answer('ListReleases', { responses: [reply], hang: 'after' });
      const begun = client.stream('ListReleases', nothing, free);
      assert.deepEqual((await begun.next()).value, reply);
      breakTunnel();
      await assert.rejects(begun.next(), {
        code: 14,
        reason: 'UPSTREAM_LOST',
        message: /in the middle of the answer$/,
      });
      assert.equal(stub.callsOf('ListReleases').length, 3);
    });
  }

  test('the tunnel is cut during a write: it fails, says so, and is not sent again', async t => {
    const { stub, kubernetes, client } = await createTunnelledTiller(t, {
      stub: { replies: { InstallRelease: { hang: 'before' }, GetReleaseStatus: answered } },
    });
    const call = client.unary('InstallRelease', nothing, free);
    await stub.arrival('InstallRelease');
    kubernetes.misbehave.cutTunnels();
    await assert.rejects(call, { code: 14, message: /lost before Tiller answered/ });
    await measureGap(t, 'cut during a write', client);
    assert.equal(stub.callsOf('InstallRelease').length, 1);
  });

  test('the pod is replaced by one of another name', async t => {
    const { stub, kubernetes, client } = await createTunnelledTiller(t, {
      stub: { replies: { GetReleaseStatus: answered } },
    });
    await client.check(AbortSignal.timeout(10_000));
    const name = kubernetes.replaceTiller();
    await measureGap(t, 'replaced pod', client);
    assert.equal(
      (await client.check(AbortSignal.timeout(10_000))).target,
      `pod kube-system/${name} through ${kubernetes.url}`,
    );
    assert.equal(stub.callsOf('GetReleaseStatus').length, 1);
  });

  test('the API server is away for 10 s: a call that came meanwhile is answered', {
    timeout: 60_000,
  }, async t => {
    const { kubernetes, client } = await createTunnelledTiller(t, {
      stub: { replies: { GetReleaseStatus: answered } },
    });
    await client.check(AbortSignal.timeout(10_000));
    await kubernetes.stop();
    const since = performance.now();
    const call = client.unary('GetReleaseStatus', nothing, free);
    await sleep(10_000);
    await kubernetes.start();
    const back = performance.now();
    assert.deepEqual(await call, reply);
    const now = performance.now();
    t.diagnostic(
      `away: answered ${Math.round(now - since)} ms after it went, ${Math.round(now - back)} ms after it came back`,
    );
  });

  test('the API server stays away: a call fails within its bound and says which step failed', async t => {
    const { kubernetes, client } = await createTunnelledTiller(t, { client: { waitMs: 3_000 } });
    await kubernetes.stop();
    await assert.rejects(client.unary('GetReleaseStatus', nothing, free), {
      code: 14,
      message: `finding Tiller at ${kubernetes.url}: connection refused`,
    });
  });

  test('the tunnel is half-open: it is noticed, and a read is answered', { timeout: 60_000 }, async t => {
    const { stub, kubernetes, client, lost } = await createTunnelledTiller(t, {
      stub: { replies: { GetReleaseStatus: answered } },
    });
    await client.check(AbortSignal.timeout(10_000));
    const noticed = lost();
    const since = performance.now();
    kubernetes.misbehave.freezeTunnels();
    const call = client.unary('GetReleaseStatus', nothing, free);
    assert.match(await noticed, /nothing came through it any more/);
    t.diagnostic(`half-open: noticed after ${Math.round(performance.now() - since)} ms (a ping every 2 s)`);
    assert.deepEqual(await call, reply);
    t.diagnostic(`half-open: answered after ${Math.round(performance.now() - since)} ms`);
    assert.equal(stub.callsOf('GetReleaseStatus').length, 1);
  });

  test('the token has expired when the tunnel breaks: the new one is read', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'faults-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'config');
    const { kubernetes, client, failures } = await createTunnelledTiller(t, {
      stub: { replies: { GetReleaseStatus: answered } },
      connector: { kubeconfig: { file } },
    });
    await kubernetes.writeKubeconfig(file);
    await client.check(AbortSignal.timeout(10_000));
    kubernetes.rotateToken();
    kubernetes.misbehave.cutTunnels();
    const call = client.unary('GetReleaseStatus', nothing, free);
    await eventually(() => failures.some(({ message }) => /does not accept the credentials/.test(message)));
    await kubernetes.writeKubeconfig(file);
    const since = performance.now();
    assert.deepEqual(await call, reply);
    t.diagnostic(
      `expired token: answered ${Math.round(performance.now() - since)} ms after the new one was written`,
    );
    writeFileSync(file, '');
  });

  const refusals: [string, number, RegExp][] = [
    ['forbidden', 403, /get and create on pods\/portforward\): the API server forbids it/],
    ['unauthorised', 401, /the API server does not accept the credentials/],
  ];
  for (const [what, status, message] of refusals) {
    test(`the port-forward is ${what}: calls say so`, async t => {
      const { kubernetes, client } = await createTunnelledTiller(t, { client: { waitMs: 3_000 } });
      kubernetes.misbehave.refuse('portforward', status);
      await assert.rejects(client.unary('GetReleaseStatus', nothing, free), { code: 14, message });
    });
  }

  test('the port refuses: calls say so', async t => {
    const { stub, client } = await createTunnelledTiller(t, { client: { waitMs: 3_000 } });
    await stub.kill();
    await assert.rejects(client.unary('GetReleaseStatus', nothing, free), {
      code: 14,
      message: /error forwarding port 44134 to pod .*ECONNREFUSED/,
    });
  });

  test('the port headers come in pieces', async t => {
    const { kubernetes, client } = await createTunnelledTiller(t, {
      stub: { replies: { GetReleaseStatus: answered } },
    });
    kubernetes.misbehave.splitPortHeaders(true);
    assert.deepEqual(await client.unary('GetReleaseStatus', nothing, free), reply);
  });
});

describe('loads on a tunnel', { concurrency: 4 }, () => {
  test('much goes to a client that takes its time: it arrives whole, and waits in Tiller, not here', async t => {
    const chunk = Buffer.alloc(1024 * 1024, 1);
    let taken = 0;
    let got = 0;
    function* chunks() {
      for (; taken < 60; taken++) yield chunk;
    }
    const { client } = await createTunnelledTiller(t, {
      stub: { replies: { ListReleases: { responses: chunks() } } },
    });
    let mostAhead = 0;
    for await (const message of client.stream('ListReleases', nothing, free)) {
      assert.ok(message.equals(chunk));
      mostAhead = Math.max(mostAhead, taken - ++got);
      await sleep(20);
    }
    t.diagnostic(`slow client: Tiller was at most ${mostAhead} MiB ahead of it`);
    assert.equal(got, 60);
    assert.ok(mostAhead < 30, `Tiller was ${mostAhead} MiB ahead`);
  });

  test('TLS to Tiller goes through the tunnel, and the certificate is the one that Helm expects', async t => {
    const { caPem, certPem, keyPem } = await sharedCertificate(); // it names 127.0.0.1
    const { client } = await createTunnelledTiller(t, {
      stub: {
        replies: { GetReleaseStatus: answered },
        tls: { cert: Buffer.from(certPem), key: Buffer.from(keyPem) },
      },
      client: { tls: { ca: caPem, insecureSkipVerify: false } },
    });
    assert.deepEqual(await client.unary('GetReleaseStatus', nothing, free), reply);
  });

  for (const clientCa of [false, true]) {
    const asking = clientCa ? ' and asks for a certificate' : '';
    test(`a Tiller that speaks TLS${asking}, and no flag that says so: the error says which`, async t => {
      const { caPem, certPem, keyPem } = await sharedCertificate();
      const tls = { cert: Buffer.from(certPem), key: Buffer.from(keyPem) };
      const { stub, client } = await createTunnelledTiller(t, {
        stub: { tls: { ...tls, ...(clientCa && { clientCa: Buffer.from(caPem) }) } },
        client: { waitMs: 8_000 },
      });
      const connector = createDirectConnector(stub.address);
      const direct = createTestTiller(stub.address, { connector, waitMs: 8_000 });
      t.after(() => direct.destroy());
      const rejections = [client, direct].map(each =>
        assert.rejects(each.unary('GetReleaseStatus', nothing, free), {
          code: 14,
          reason: 'UPSTREAM_UNREACHABLE',
          message: /^the HTTP\/2 handshake with .*: this Tiller speaks TLS, .* set --tiller-ca-file, with/,
        }),
      );
      await Promise.all(rejections);
    });
  }

  test('one answer of 20 MiB arrives whole', async t => {
    const large = Buffer.alloc(20 * 1024 * 1024 - 100, 7);
    const { client } = await createTunnelledTiller(t, {
      stub: { replies: { GetReleaseContent: { responses: [large] } } },
    });
    const since = performance.now();
    const got = await client.unary('GetReleaseContent', nothing, free);
    t.diagnostic(`20 MiB in ${Math.round(performance.now() - since)} ms`);
    assert.ok(got.equals(large));
  });

  test('500 calls at once share one tunnel', async t => {
    const { stub, kubernetes, client } = await createTunnelledTiller(t, {
      stub: { replies: { GetReleaseStatus: answered } },
    });
    const since = performance.now();
    const calls = Array.from({ length: 500 }, () => client.unary('GetReleaseStatus', nothing, free));
    for (const got of await Promise.all(calls)) assert.deepEqual(got, reply);
    t.diagnostic(`500 calls in ${Math.round(performance.now() - since)} ms`);
    assert.equal(stub.connectionCount, 1);
    assert.equal(kubernetes.openTunnels, 1);
  });

  test('--tunnels opens several, and calls go through all of them', async t => {
    const { stub, kubernetes, client } = await createTunnelledTiller(t, {
      stub: { replies: { GetReleaseStatus: answered } },
      client: { connections: 3 },
    });
    await callUntil(client, () => stub.connectionCount >= 3);
    assert.equal(kubernetes.openTunnels, 3);
    for (let i = 0; i < 6; i++) await client.unary('GetReleaseStatus', nothing, free);
    assert.equal(stub.connectionCount, 3);
  });

  test('all of several tunnels break at once: reads that were in progress are answered', async t => {
    const { kubernetes, client } = await createTunnelledTiller(t, {
      stub: { replies: { GetReleaseStatus: answered } },
      client: { connections: 4 },
    });
    await callUntil(client, () => kubernetes.openTunnels >= 4);
    for (let round = 0; round < 5; round++) {
      const calls = Array.from({ length: 8 }, () => client.unary('GetReleaseStatus', nothing, free));
      kubernetes.misbehave.cutTunnels();
      for (const got of await Promise.all(calls)) assert.deepEqual(got, reply);
    }
  });

  test('one of several tunnels cannot be opened again: calls go through the others', async t => {
    let opened = 0;
    const { kubernetes, client, lost, failures } = await createTunnelledTiller(t, {
      stub: { replies: { GetReleaseStatus: answered } },
      client: { connections: 2, waitMs: 10_000, onOpened: () => opened++ },
    });
    await callUntil(client, () => opened >= 2);
    kubernetes.misbehave.refuse('portforward', 403);
    const noticed = lost();
    kubernetes.misbehave.cutOneTunnel();
    await noticed;
    await callUntil(client, () => failures.length >= 2);
    for (let i = 0; i < 20; i++)
      assert.deepEqual(await client.unary('GetReleaseStatus', nothing, free), reply);
    assert.equal(opened, 2);
    kubernetes.misbehave.refuse('portforward');
    await callUntil(client, () => opened >= 3);
  });
});

test('breaking it a hundred times leaves no sockets, timers, tunnels or memory behind', {
  timeout: 120_000,
}, async t => {
  const { stub, kubernetes, client } = await createTunnelledTiller(t, {
    stub: { replies: { GetReleaseStatus: answered } },
  });
  const breakIt = async () => {
    await client.unary('GetReleaseStatus', nothing, free);
    kubernetes.misbehave.cutTunnels();
  };
  for (let i = 0; i < 10; i++) await breakIt();
  const settle = async () => {
    await client.unary('GetReleaseStatus', nothing, free);
    await eventually(() => stub.sockets.size <= 1 && kubernetes.openTunnels <= 1);
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const heapBefore = await settle();
  await whenStill(() => process.getActiveResourcesInfo().length);
  const before = resources();
  for (let i = 0; i < 100; i++) await breakIt();
  const growthKiB = Math.round(((await settle()) - heapBefore) / 1024);
  const more = () => Object.entries(resources()).filter(([kind, count]) => count > (before[kind] ?? 0));
  await eventually(() => more().length === 0).catch(() => assert.deepEqual(more(), []));
  t.diagnostic(`a hundred broken tunnels: the heap of all parts together grew by ${growthKiB} KiB`);
  assert.ok(growthKiB < 8 * 1024, `the heap grew by ${growthKiB} KiB`);
});
