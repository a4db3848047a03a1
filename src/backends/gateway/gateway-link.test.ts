import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import type { ClusterAccess, RequestSettings } from '../../kubernetes/index.ts';
import { GatewayLink } from './gateway-link.ts';

const upgraded = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
const options = { maxSockets: 2, connectTimeoutMs: 100 };

function accessTo(server: string, more: Partial<RequestSettings> = {}) {
  const access = { forgotten: 0, read: 0, token: 'one' };
  const cluster: ClusterAccess = {
    async settings() {
      access.read++;
      const headers = { authorization: `Bearer ${access.token}` };
      return { server, headers, tls: {}, agent: undefined, ...more };
    },
    forget: () => {
      access.forgotten++;
    },
  };
  return { access, cluster };
}

describe('a gateway behind its API server', () => {
  test('gives up on a server that takes connections and says nothing', async t => {
    const sockets: Socket[] = [];
    const server = createServer(socket => {
      sockets.push(socket);
      socket.on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const { cluster } = accessTo(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const link = new GatewayLink(cluster, '/p', options);
    await assert.rejects(link.send({ verb: 'GET', path: '/x', headers: {}, signal: t.signal }), {
      code: 'ETIMEDOUT',
    });
    assert.equal(sockets.length, 1);
  });

  test('keeps connections and credentials, and reads those anew that were refused', async t => {
    const { url, told } = await startTelling(t);
    const { access, cluster } = accessTo(url);
    const link = new GatewayLink(cluster, '/proxy', options);
    t.after(() => link.close());
    const send = async () => {
      const response = await link.send({
        verb: 'GET',
        path: '/x?y=1',
        headers: { accept: 'a/b' },
        signal: t.signal,
      });
      for await (const _chunk of response);
    };
    await send();
    await send();
    assert.equal(access.read, 1);
    access.token = 'two';
    link.forget();
    await send();
    assert.equal(access.forgotten, 1);
    assert.deepEqual(told.paths, ['/proxy/x?y=1', '/proxy/x?y=1', '/proxy/x?y=1']);
    assert.deepEqual(told.tokens, ['Bearer one', 'Bearer one', 'Bearer two']);
    assert.equal(told.connections, 1);
  });

  test('sends no upgrade for a client that left while it was prepared', async t => {
    const open = new Set<Socket>();
    const server = createServer(socket => {
      open.add(socket);
      socket.on('error', () => {}).resume();
      socket.once('data', () => socket.write(upgraded)).once('close', () => open.delete(socket));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => void server.close());
    const { cluster } = accessTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const link = new GatewayLink(cluster, '/proxy', options);
    t.after(() => link.close());
    const headers = { connection: 'Upgrade', upgrade: 'websocket' };
    const outgoing = { verb: 'GET', path: '/x', headers, signal: t.signal };
    // each number of promises is one of the moments between the request and the connection
    for (let promises = 0; promises < 40; promises++) {
      const client = new PassThrough();
      if (promises === 0) await once(client.destroy(), 'close');
      const done = link.upgrade(outgoing, client, Buffer.alloc(0)).catch(() => {});
      for (let i = 0; i < promises; i++) await undefined;
      client.destroy();
      await done;
    }
    await eventually(() => open.size === 0);
  });

  test('closes what is unused, and lets a request in progress finish', async t => {
    const { url, told, release } = await startTelling(t);
    const link = new GatewayLink(accessTo(url).cluster, '/proxy', options);
    const waiting = link.send({ verb: 'GET', path: '/wait', headers: {}, signal: t.signal });
    await eventually(() => told.paths.length > 0);
    link.close();
    release();
    const response = await waiting;
    let text = '';
    for await (const chunk of response) text += chunk;
    assert.equal(text, 'ok');
  });
});

async function startTelling(t: TestContext) {
  const told = { paths: [] as string[], tokens: [] as string[], connections: 0 };
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = createHttpServer(async (request, response) => {
    told.paths.push(request.url ?? '');
    told.tokens.push(request.headers.authorization ?? '');
    if (request.url?.endsWith('/wait')) await promise;
    response.end('ok');
  }).listen(0, '127.0.0.1');
  server.on('connection', () => {
    told.connections++;
  });
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    told,
    release: () => resolve(),
  };
}
