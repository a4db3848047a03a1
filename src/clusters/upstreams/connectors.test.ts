import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { createDirectConnector } from './connectors.ts';

const folder = mkdtempSync(join(tmpdir(), 'direct-'));
after(() => rmSync(folder, { recursive: true }));

async function listen(where: { path: string } | { port: number; host: string }): Promise<Server> {
  const server = createServer(socket => socket.end('tiller'));
  await new Promise<void>(resolve => server.listen(where, resolve));
  return server;
}

async function readAll(endpoint: string): Promise<{ text: string; authority: string; target: string }> {
  const connector = createDirectConnector(endpoint);
  const { stream, authority, target } = await connector.connect(new AbortController().signal);
  let text = '';
  for await (const chunk of stream) text += chunk;
  return { text, authority, target };
}

describe('the direct connector', () => {
  test('connects over TCP', async t => {
    const server = await listen({ port: 0, host: '127.0.0.1' });
    t.after(() => server.close());
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    assert.deepEqual(await readAll(`http://${address}`), {
      text: 'tiller',
      authority: address,
      target: address,
    });
  });

  test('connects over a Unix socket', async t => {
    const path = join(folder, 's');
    const server = await listen({ path });
    t.after(() => server.close());
    assert.deepEqual(await readAll(`unix:${path}`), {
      text: 'tiller',
      authority: 'localhost',
      target: `unix:${path}`,
    });
  });

  test('says that the connection was refused', async () => {
    const server = await listen({ port: 0, host: '127.0.0.1' });
    const { port } = server.address() as AddressInfo;
    await new Promise(resolve => server.close(resolve));
    await assert.rejects(createDirectConnector(`127.0.0.1:${port}`).connect(AbortSignal.timeout(5000)), {
      code: 14,
      message: `connecting to 127.0.0.1:${port}: connection refused`,
    });
  });

  test('says that a Unix socket is not there', async () => {
    const connector = createDirectConnector(`unix:${folder}/none`);
    await assert.rejects(connector.connect(AbortSignal.timeout(5000)), { code: 14, message: /no such file/ });
  });

  test('gives up when told to', async () => {
    const connector = createDirectConnector('127.0.0.1:9');
    await assert.rejects(connector.connect(AbortSignal.abort()), { code: 14, message: /given up/ });
  });
});
