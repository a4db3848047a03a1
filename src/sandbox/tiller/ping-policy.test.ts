import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { enforcePingPolicy } from './ping-policy.ts';

/** As much of a session as the policy looks at. */
function createSession() {
  const goaways: string[] = [];
  let nowMs = 1_000_000_000;
  let isClosed = false;
  const session = Object.assign(new EventEmitter(), {
    destroyed: false,
    goaway: (code: number, _last: number, data: Buffer) => goaways.push(`${code} ${data}`),
    close() {
      isClosed = true;
    },
  });
  enforcePingPolicy(session as never, () => nowMs);
  return {
    goaways,
    ping(afterMs = 0) {
      nowMs += afterMs;
      session.emit('ping', Buffer.alloc(8));
    },
    openCall() {
      const stream = new EventEmitter();
      session.emit('stream', stream);
      return () => void stream.emit('close');
    },
    get isClosed() {
      return isClosed;
    },
  };
}

const calm = '11 too_many_pings';

test('the fourth ping without a call ends the connection, however slow they are', () => {
  const session = createSession();
  for (let count = 0; count < 3; count++) session.ping(30_000);
  assert.deepEqual(session.goaways, []);
  session.ping(30_000);
  assert.deepEqual(session.goaways, [calm]);
  assert.ok(session.isClosed);
});

test('with an open call pings may come every 20 s, and no faster', () => {
  const slow = createSession();
  slow.openCall();
  for (let count = 0; count < 100; count++) slow.ping(20_000);
  assert.deepEqual(slow.goaways, []);
  const fast = createSession();
  fast.openCall();
  for (let count = 0; count < 4; count++) fast.ping(19_999);
  assert.deepEqual(fast.goaways, [calm]);
});

test('an answered call forgives the pings before it', () => {
  const session = createSession();
  for (let count = 0; count < 20; count++) {
    session.ping(1_000);
    session.ping(1_000);
    session.openCall()();
  }
  assert.deepEqual(session.goaways, []);
});
