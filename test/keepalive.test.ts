/**
 * A connection to Tiller that is dead without being closed, as when a node loses its power: keepalive ends it, so that
 * calls fail or are answered through another one instead of waiting for ever.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import type { TillerClient, TillerClientOptions } from '../src/backends/index.ts';
import { createInclusterConnector } from '../src/clusters/upstreams/connectors.ts';
import { dial } from '../src/kubernetes/index.ts';
import { createStage, echo, mountServiceAccount } from './support/cluster-stage.ts';
import { createTestTiller } from './support/gateway.ts';
import { type StubTiller, startStubTiller } from './support/stub-tiller.ts';

const free = { signal: new AbortController().signal, deadline: undefined };
const nothing = Buffer.alloc(0);
const reply = Buffer.from('reply');
const pings = { keepaliveMs: 200, keepaliveTimeoutMs: 200 };

interface Network {
  readonly port: number;
  /** From now on the connections that are open carry nothing, in neither direction, and none of them is closed. */
  goSilent(): void;
}

/** What lies between the gateway and Tiller. */
async function startNetwork(t: TestContext, stub: StubTiller): Promise<Network> {
  const sockets = new Set<Socket>();
  const server = createServer(near => {
    const far = connect({ port: stub.port, host: '127.0.0.1' });
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    goSilent() {
      for (const socket of sockets) socket.unpipe().removeAllListeners('data').resume();
    },
  };
}

type Reach = (t: TestContext, port: number, options: Partial<TillerClientOptions>) => Promise<TillerClient>;

const reaches: Record<string, Reach> = {
  'a fixed address': async (_t, port, options) => createTestTiller(`127.0.0.1:${port}`, options),

  'the Service inside a cluster': async (t, port, options) => {
    const { kubernetes } = await createStage(t, echo);
    const connector = createInclusterConnector({
      folder: mountServiceAccount(t, kubernetes),
      environment: {
        KUBERNETES_SERVICE_HOST: '127.0.0.1',
        KUBERNETES_SERVICE_PORT: new URL(kubernetes.url).port,
      },
      open: how => dial({ ...how, address: { host: '127.0.0.1', port } }), // the Service's name leads nowhere here
    });
    return createTestTiller('none:1', { connector, ...options });
  },
};

for (const [place, reach] of Object.entries(reaches)) {
  describe(`keepalive ends a dead connection to ${place}`, { concurrency: true }, () => {
    async function start(t: TestContext, options: Partial<TillerClientOptions> = {}) {
      const stub = await startStubTiller({ replies: { '*': { hang: 'before' } }, pingPolicy: false });
      const network = await startNetwork(t, stub);
      const lost: string[] = [];
      const onLost = (_target: string, reason: string) => void lost.push(reason);
      const client = await reach(t, network.port, { ...pings, waitMs: 10_000, onLost, ...options });
      t.after(async () => {
        client.destroy();
        await stub.stop();
      });
      return { stub, network, client, lost };
    }

    test('a read is answered through a new one', { timeout: 20_000 }, async t => {
      const { stub, network, client, lost } = await start(t);
      const call = client.unary('GetReleaseStatus', nothing, free);
      await stub.arrival('GetReleaseStatus');
      stub.answer('GetReleaseStatus', { responses: [reply] });
      network.goSilent();
      assert.deepEqual(await call, reply);
      assert.equal(lost.length, 1);
      assert.equal(stub.connectionCount, 2);
    });

    test('a write fails and is not sent again', { timeout: 20_000 }, async t => {
      const { stub, network, client } = await start(t);
      const call = client.unary('InstallRelease', nothing, free);
      await stub.arrival('InstallRelease');
      network.goSilent();
      await assert.rejects(call, { code: 14 });
      assert.equal(stub.callsOf('InstallRelease').length, 1);
    });

    test('one that is slow but alive stays', { timeout: 20_000 }, async t => {
      // a busy machine may answer a ping late; the call takes more than twice as long, and twenty pings
      const { stub, client, lost } = await start(t, { keepaliveTimeoutMs: 2_000 });
      stub.answer('InstallRelease', { responses: [reply], delayMs: 4_500 });
      assert.deepEqual(await client.unary('InstallRelease', nothing, free), reply);
      assert.deepEqual(lost, []);
      assert.equal(stub.connectionCount, 1);
    });
  });
}
