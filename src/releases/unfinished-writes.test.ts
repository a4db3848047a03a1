import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallContext } from '../protocol/index.ts';
import { UnfinishedWrites } from './unfinished-writes.ts';

const context: CallContext = { signal: new AbortController().signal, deadline: undefined };

test('requests that are kept are bounded together, also when their clients have left', async () => {
  const writes = new UnfinishedWrites({ maxBytes: 100 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const client = new AbortController();
  const left = writes.run('a', 80, { ...context, signal: client.signal }, () => promise);
  client.abort(new Error('gone'));
  await assert.rejects(left, /gone/);
  let begun = false;
  const refused = writes.run('b', 21, context, async () => {
    begun = true;
  });
  await assert.rejects(refused, { code: 8, reason: 'OVERLOADED', message: /take up 100 bytes/ });
  assert.equal(begun, false);
  const fits = writes.run('c', 20, context, () => promise);
  resolve();
  await fits;
  await writes.run('one alone', 101, context, async () => {});
});

test('the gateway waits for what runs, and names what does not end in time', async () => {
  const own = new UnfinishedWrites();
  assert.deepEqual(await own.drain(60_000), []);
  const other = new UnfinishedWrites();
  const { promise, resolve } = Promise.withResolvers<void>();
  const short = other.run('short', 1, context, () => promise);
  const drained = other.drain(60_000);
  resolve();
  assert.deepEqual(await drained, []);
  await short;
  const late = new UnfinishedWrites();
  const long = late.run(
    'long',
    1,
    context,
    ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  );
  const ended = assert.rejects(long, { reason: 'STOPPING' });
  assert.deepEqual(await late.drain(5), ['long']);
  await ended;
});
