import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { createKubeconfigConnector } from '../src/clusters/upstreams/connectors.ts';
import { createStage, echo, never } from './support/cluster-stage.ts';
import { eventually, whenStill } from './support/eventually.ts';

async function roundTrip(stream: Duplex, text: string): Promise<string> {
  stream.write(text);
  let got = '';
  while (got.length < text.length) got += (await once(stream, 'data'))[0];
  return got;
}

describe('the tunnel', () => {
  test('carries bytes in both directions', async t => {
    const { connect } = await createStage(t, echo);
    assert.equal(await roundTrip(await connect(), 'hello'), 'hello');
  });

  test('takes port headers split over messages', async t => {
    const { kubernetes, connect } = await createStage(t, echo);
    kubernetes.misbehave.splitPortHeaders(true);
    assert.equal(await roundTrip(await connect(), 'hello'), 'hello');
  });

  test('names the pod', async t => {
    const { kubernetes } = await createStage(t, echo);
    const connector = createKubeconfigConnector({ kubeconfig: { contents: kubernetes.kubeconfig() } });
    const { stream, target, authority } = await connector.connect(never);
    stream.destroy();
    assert.match(target, /^pod kube-system\/tiller-deploy-\w+ through https:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(authority, '127.0.0.1:44134');
  });

  test('holds back the pod while nobody reads, and loses nothing', async t => {
    const total = 20 * 1024 * 1024;
    let sent = 0;
    const { connect } = await createStage(t, socket => {
      const push = () => {
        while (sent < total) {
          sent += 64 * 1024;
          if (!socket.write(Buffer.alloc(64 * 1024, 7))) return void socket.once('drain', push);
        }
        socket.end();
      };
      push();
    });
    const stream = await connect();
    const sentBeforeReading = await whenStill(() => sent);
    let got = 0;
    for await (const chunk of stream) got += chunk.length;
    assert.equal(got, total);
    // the kernel's buffers hold some MiB, the programs' own less than one
    assert.ok(sentBeforeReading < total - 4 * 1024 * 1024, `${sentBeforeReading} bytes were taken`);
  });

  test('holds back the writer while the pod does not read, and loses nothing', async t => {
    const total = 20 * 1024 * 1024;
    let got = 0;
    const held: Socket[] = [];
    const { connect } = await createStage(t, socket => {
      socket.pause();
      held.push(socket);
    });
    const stream = await connect();
    let sent = 0;
    const written = (async () => {
      while (sent < total) {
        sent += 64 * 1024;
        if (!stream.write(Buffer.alloc(64 * 1024, 7))) await once(stream, 'drain');
      }
    })();
    const sentBeforeReading = await whenStill(() => sent);
    for (const socket of held) socket.on('data', chunk => (got += chunk.length)).resume();
    await written;
    await eventually(() => got >= total);
    assert.equal(got, total);
    assert.ok(sentBeforeReading < total - 4 * 1024 * 1024, `${sentBeforeReading} bytes were taken`);
  });

  test('ends when the pod closes the connection', async t => {
    const { connect } = await createStage(t, socket => socket.end('bye'));
    const stream = await connect();
    let got = '';
    for await (const chunk of stream) got += chunk;
    assert.equal(got, 'bye');
  });

  test('closes the connection of the pod when it is destroyed', async t => {
    const { kubernetes, sockets, connect } = await createStage(t, echo);
    const stream = await connect();
    await roundTrip(stream, 'x');
    stream.destroy();
    for (const socket of sockets) await once(socket, 'close');
    await eventually(() => kubernetes.openTunnels === 0);
    assert.equal(sockets.size, 0);
  });

  test('says that it was cut', async t => {
    const { kubernetes, connect } = await createStage(t, echo);
    const stream = await connect();
    const failed = once(stream, 'error');
    kubernetes.misbehave.cutTunnels();
    const [error] = await failed;
    assert.equal(error.code, 14);
    assert.match(
      error.message,
      /^the tunnel to pod kube-system\/tiller-\S+ through \S+ broke: the connection to the API server was lost$/,
    );
  });

  test('notices that nothing arrives any more', async t => {
    const { kubernetes, connect } = await createStage(t, echo);
    const stream = await connect({ pingIntervalMs: 100 });
    await roundTrip(stream, 'x');
    const failed = once(stream, 'error');
    kubernetes.misbehave.freezeTunnels();
    const since = performance.now();
    const [error] = await failed;
    t.diagnostic(`noticed after ${Math.round(performance.now() - since)} ms with a ping every 100 ms`);
    assert.match(error.message, /nothing came through it any more/);
  });

  test('is kept open by pings while it is idle', async t => {
    const { connect } = await createStage(t, echo);
    const pongs = t.mock.method(WebSocket.prototype, 'pong').mock;
    const stream = await connect({ pingIntervalMs: 100 });
    await eventually(() => pongs.callCount() >= 4); // the first would end a stream that takes pings for data
    assert.equal(await roundTrip(stream, 'still here'), 'still here');
  });

  test('says that the port refuses', async t => {
    const { connect } = await createStage(t, echo);
    await assert.rejects(
      async () => {
        const stream = await connect({ port: 1 });
        await once(stream, 'close');
      },
      { code: 14, message: /error forwarding port 1 to pod .*connection refused/ },
    );
  });
});
