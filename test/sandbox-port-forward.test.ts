import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { connect } from 'node:tls';
import { WebSocket } from 'ws';
import type { SandboxKubernetes } from '../src/sandbox/index.ts';
import { createStage, echo } from './support/cluster-stage.ts';

/* What is known of a real API server's port-forward, message by message. */

const protocol = 'v4.channel.k8s.io';

function tillerOf(kubernetes: SandboxKubernetes): string {
  const { url } = kubernetes;
  return `${url}/api/v1/namespaces/kube-system/pods/${kubernetes.tillerPod}/portforward?ports=44134`;
}

function open(
  kubernetes: SandboxKubernetes,
  url = tillerOf(kubernetes),
  token = kubernetes.token,
): WebSocket {
  const headers = { authorization: `Bearer ${token}` };
  return new WebSocket(url, protocol, { ca: kubernetes.caPem, headers });
}

/** Everything that arrives until the WebSocket is closed. */
async function record(socket: WebSocket): Promise<{ messages: Buffer[]; code: number }> {
  const messages: Buffer[] = [];
  socket.on('message', message => messages.push(message as Buffer));
  const [code] = await once(socket, 'close');
  return { messages, code };
}

async function refusalOf(socket: WebSocket): Promise<{ status: number; body: string }> {
  const [, response] = await once(socket, 'unexpected-response');
  let body = '';
  for await (const chunk of response) body += chunk;
  socket.on('error', () => {}).terminate();
  return { status: response.statusCode, body };
}

describe("the sandbox's port-forward", () => {
  test('begins both channels with the port, then sends pieces of 32 KiB, then closes with 1000', async t => {
    const size = 100_000;
    const { kubernetes } = await createStage(t, socket => socket.end(Buffer.alloc(size, 7)));
    const { messages, code } = await record(open(kubernetes));
    assert.deepEqual(messages.slice(0, 2), [Buffer.of(0, 0x66, 0xac), Buffer.of(1, 0x66, 0xac)]);
    const data = messages.slice(2);
    assert.ok(data.every(message => message[0] === 0 && message.length <= 32 * 1024 + 1));
    assert.equal(
      data.reduce((sum, message) => sum + message.length - 1, 0),
      size,
    );
    assert.equal(code, 1000);
  });

  test('takes a message of 1 MiB, answers pings, and ignores what means nothing', async t => {
    const { kubernetes } = await createStage(t, echo);
    const socket = open(kubernetes);
    let got = 0;
    const { promise: whole, resolve } = Promise.withResolvers<void>();
    socket.on('message', (message: Buffer) => {
      if (message[0] === 0) got += message.length - 1;
      if (got === 2 + 1024 * 1024) resolve(); // the port's two bytes come first
    });
    await once(socket, 'open');
    for (const ignored of [Buffer.of(), Buffer.of(0), Buffer.from('\x01text'), Buffer.from('\x05text')])
      socket.send(ignored);
    socket.send(Buffer.concat([Buffer.of(0), Buffer.alloc(1024 * 1024)]));
    socket.ping();
    await Promise.all([whole, once(socket, 'pong')]);
    socket.close();
    await once(socket, 'close');
  });

  test('tells of a port that refuses on the error channel, then closes with 1000', async t => {
    const { kubernetes } = await createStage(t, echo);
    const { messages, code } = await record(open(kubernetes, tillerOf(kubernetes).replace('44134', '80')));
    assert.deepEqual(messages.slice(0, 2), [Buffer.of(0, 80, 0), Buffer.of(1, 80, 0)]);
    assert.equal(messages[2]![0], 1);
    assert.match(messages[2]!.toString().slice(1), /^error forwarding port 80 to pod /);
    assert.equal(code, 1000);
  });

  const refusals: [string, (url: string) => string, number][] = [
    ['an unknown pod', url => url.replace('tiller-deploy', 'other'), 404],
    ['a bad port', url => url.replace('44134', 'x'), 400],
    ['no port', url => url.replace('?ports=44134', ''), 400],
    ['another resource', url => url.replace('portforward', 'exec'), 404],
  ];
  for (const [what, change, status] of refusals) {
    test(`answers ${what} with ${status}`, async t => {
      const { kubernetes } = await createStage(t, echo);
      const refusal = await refusalOf(open(kubernetes, change(tillerOf(kubernetes))));
      assert.equal(refusal.status, status);
      assert.equal(JSON.parse(refusal.body).kind, 'Status');
    });
  }

  test('answers a bad token with 401', async t => {
    const { kubernetes } = await createStage(t, echo);
    assert.equal((await refusalOf(open(kubernetes, tillerOf(kubernetes), 'other'))).status, 401);
  });

  test('takes the token as a subprotocol, too', async t => {
    const { kubernetes } = await createStage(t, echo);
    const token = Buffer.from(kubernetes.token).toString('base64url');
    const protocols = [`base64url.bearer.authorization.k8s.io.${token}`, protocol];
    const socket = new WebSocket(tillerOf(kubernetes), protocols, { ca: kubernetes.caPem });
    await once(socket, 'open');
    assert.equal(socket.protocol, protocol);
    socket.terminate();
  });

  test('answers an unknown subprotocol with 403 and nothing else', async t => {
    const { kubernetes } = await createStage(t, echo);
    const headers = { authorization: `Bearer ${kubernetes.token}` };
    const socket = new WebSocket(tillerOf(kubernetes), 'v9.channel.k8s.io', {
      ca: kubernetes.caPem,
      headers,
    });
    assert.deepEqual(await refusalOf(socket), { status: 403, body: '' });
  });

  test('answers without a subprotocol where none was offered', async t => {
    const { kubernetes } = await createStage(t, echo);
    const { port, pathname, search } = new URL(tillerOf(kubernetes));
    const socket = connect({ host: '127.0.0.1', port: Number(port), ca: kubernetes.caPem });
    t.after(() => socket.destroy());
    socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${kubernetes.token}\r\nConnection: Upgrade\r\n` +
        'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const [answer] = await once(socket, 'data');
    assert.match(answer.toString('latin1'), /^HTTP\/1\.1 101 .*\r\nSec-WebSocket-Protocol: \r\n/s);
  });
});
