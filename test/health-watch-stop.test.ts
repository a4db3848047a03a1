/** Stopping the whole program ends health watches at once: none is waited for, none is cut off. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { startStubTiller } from './support/stub-tiller.ts';
import { openTiller } from './support/tiller-client.ts';
import { startWholeGateway } from './support/whole-gateway.ts';

test('health watches end with the gateway, long before the drain timeout', { timeout: 30_000 }, async t => {
  const stub = await startStubTiller();
  t.after(() => stub.stop());
  const { gateway, address, lines } = await startWholeGateway(t, stub, ['--drain-timeout=1h']);
  using tiller = openTiller(address);
  const same = (bytes: Buffer) => bytes;
  const watches = Array.from({ length: 3 }, () =>
    tiller.client.makeServerStreamRequest('/grpc.health.v1.Health/Watch', same, same, Buffer.alloc(0)),
  );
  await Promise.all(watches.map(watch => once(watch, 'data')));
  const ended = watches.map(async watch => (await once(watch.resume(), 'error'))[0]);
  await gateway.stop();
  for (const { code, details } of await Promise.all(ended)) {
    assert.deepEqual([code, details], [14, 'the gateway is stopping']);
  }
  assert.deepEqual(
    lines.filter(line => line.includes('cut off')),
    [],
  );
});
