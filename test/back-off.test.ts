/** A Tiller that cannot be reached is tried less and less often, by the connection and by what waits for it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { eventually } from './support/eventually.ts';
import { createTestTiller } from './support/gateway.ts';

test('the pauses between attempts to connect grow', { timeout: 60_000 }, async t => {
  const connections: number[] = [];
  const failures: number[] = [];
  const server = createServer(socket => {
    connections.push(performance.now());
    socket.on('error', () => {}).destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createTestTiller(`127.0.0.1:${(server.address() as AddressInfo).port}`, {
    waitMs: 60_000,
    onAttemptFailed: () => failures.push(performance.now()),
  });
  t.after(() => {
    client.destroy();
    server.close();
  });
  const asking = assert.rejects(client.check(t.signal)); // ends with the client
  await eventually(() => connections.length >= 7 && failures.length >= 5, { timeoutMs: 30_000 });
  client.destroy();
  await asking;
  // the random part at its least gives 2.5 s and 1.3 s; pauses that do not grow at their most 1.2 s and 0.8 s
  // one connection more asks, after the first failure, whether TLS would be answered
  const [firstConnection = 0, , , , , , seventhConnection = 0] = connections;
  assert.ok(seventhConnection - firstConnection > 1_800, `${seventhConnection - firstConnection} ms`);
  const [firstFailure = 0, , , , fifthFailure = 0] = failures;
  assert.ok(fifthFailure - firstFailure > 1_100, `${fifthFailure - firstFailure} ms`);
});
