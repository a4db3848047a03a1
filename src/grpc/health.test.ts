import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { unavailable } from '../protocol/index.ts';
import { healthHandlers } from './health.ts';
import type { ServerCall } from './server-call.ts';

/** A health whose watchers are counted, and its handler of Watch. */
function createWatched() {
  const watchers = new Set<() => void>();
  let serving = true;
  const health = {
    serving: () => serving,
    onChange(listener: () => void) {
      watchers.add(listener);
      return () => watchers.delete(listener);
    },
  };
  const handlers = new Map(healthHandlers(health, []));
  const change = (next: boolean) => {
    serving = next;
    for (const watcher of watchers) watcher();
  };
  return { watchers, change, watch: handlers.get('/grpc.health.v1.Health/Watch')! };
}

/** A call of which only the request, the replies and the end matter. `onSend` runs with each reply. */
function createCall(onSend: (end: AbortController) => void = () => {}) {
  const end = new AbortController();
  const sent: string[] = [];
  const call = {
    signal: end.signal,
    request: async () => Buffer.alloc(0),
    send: async (reply: Buffer) => {
      sent.push(reply.toString('hex'));
      onSend(end);
    },
  };
  return { call: call as unknown as ServerCall, sent, end };
}

const serving = '0801';
const notServing = '0802';

describe('a health watch', () => {
  test('sends each change once, and leaves nothing behind when its client goes', async () => {
    const { watchers, change, watch } = createWatched();
    const began = Promise.withResolvers<void>();
    const { call, sent, end } = createCall(() => began.resolve());
    const watching = watch(call);
    await began.promise;
    await new Promise(setImmediate); // the handler goes on behind its first reply
    for (const state of [true, false, false, true]) change(state);
    end.abort(unavailable('gone'));
    await assert.rejects(watching, { message: 'gone' });
    assert.deepEqual(sent, [serving, notServing, serving]);
    assert.equal(watchers.size, 0);
  });

  test('whose client goes during the first reply ends, and watches nothing', { timeout: 5_000 }, async () => {
    const { watchers, change, watch } = createWatched();
    const { call, sent } = createCall(end => end.abort(unavailable('gone')));
    await assert.rejects(watch(call), { message: 'gone' });
    change(false);
    assert.deepEqual(sent, [serving]);
    assert.equal(watchers.size, 0);
  });
});
