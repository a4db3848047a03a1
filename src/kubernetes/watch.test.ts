import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { GatewayError } from '../protocol/index.ts';
import { ObjectWatch } from './watch.ts';

test('nothing of a list that is not JSON is shown: it may be a part of a Secret', async t => {
  const server = createServer((_request, response) => void response.end('hunter2')).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settings = { server: url, headers: {}, tls: {}, agent: undefined };
  const { promise, resolve } = Promise.withResolvers<GatewayError>();
  const watch = new ObjectWatch({
    access: { settings: async () => settings, forget: () => {} },
    path: '/secrets',
    labelSelector: '',
    step: 'watching secrets',
    times: { minPauseMs: 1 },
    handler: {
      listed: async () => {},
      complete: () => {},
      changed: async () => {},
      deleted: () => {},
      failed: resolve,
    },
  });
  const { message, cause } = await promise;
  watch.close();
  assert.equal(message, 'watching secrets: the list is not JSON');
  assert.equal(cause, undefined);
});
