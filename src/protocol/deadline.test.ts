import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, test } from 'node:test';
import { Code } from './code.ts';
import { callScope, orAborted } from './deadline.ts';
import { GatewayError } from './gateway-error.ts';

const never = new Promise<never>(() => {});
const gone = new GatewayError(Code.CANCELLED, 'the client has gone');

/** Waits for a signal to fire and gives its reason. */
function fired(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve(signal.reason);
  return new Promise(resolve =>
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true }),
  );
}

describe('callScope', () => {
  test('fires with the outer signal and its reason, also one that has fired already', async () => {
    const outer = new AbortController();
    const scope = callScope({ signal: outer.signal });
    outer.abort(gone);
    assert.equal(scope.signal.reason, gone);
    assert.equal(callScope({ signal: outer.signal, timeoutMs: 1000 }).signal.reason, gone);
  });

  test('fires at the earlier of deadline and timeout, with the error that was given', async () => {
    const late = new Error('late');
    const scope = callScope({ deadline: performance.now() + 60_000, timeoutMs: 5, late: () => late });
    assert.ok(scope.deadline! < performance.now() + 1000);
    assert.equal(await fired(scope.signal), late);
    const past = callScope({ deadline: performance.now() - 1 });
    assert.equal(GatewayError.from(await fired(past.signal)).code, Code.DEADLINE_EXCEEDED);
  });

  test('a time beyond what timers hold does not fire at once', async () => {
    const scope = callScope({ timeoutMs: 2 ** 40 });
    // Node makes such a time 1 ms, and timers fire in their order
    const short = callScope({ timeoutMs: 2 });
    await fired(short.signal);
    assert.equal(scope.signal.aborted, false);
    scope.end();
  });

  test('end leaves no timer and no listener', () => {
    const outer = new AbortController();
    const scope = callScope({ signal: outer.signal, timeoutMs: 60_000 });
    assert.equal(getEventListeners(outer.signal, 'abort').length, 1);
    scope.end();
    scope.end();
    assert.equal(getEventListeners(outer.signal, 'abort').length, 0);
    assert.equal(scope.signal.aborted, false);
    scope.abort(gone);
    assert.equal(scope.signal.reason, gone);
  });
});

describe('orAborted', () => {
  test('gives what the promise gives, and holds nothing afterwards', async () => {
    const { signal } = new AbortController();
    assert.equal(await orAborted(Promise.resolve(1), signal), 1);
    await assert.rejects(orAborted(Promise.reject(gone), signal), gone);
    assert.equal(getEventListeners(signal, 'abort').length, 0);
  });

  test('gives the reason of the signal, as an error of this program', async () => {
    await assert.rejects(orAborted(never, AbortSignal.abort(gone)), gone);
    await assert.rejects(orAborted(never, AbortSignal.timeout(1)), { code: Code.DEADLINE_EXCEEDED });
    await assert.rejects(orAborted(never, AbortSignal.abort()), { code: Code.CANCELLED });
  });

  test('lets a late failure harm nobody', async () => {
    const { promise, reject } = Promise.withResolvers<never>();
    await assert.rejects(orAborted(promise, AbortSignal.abort(gone)), gone);
    reject(new Error('much later'));
    await new Promise(resolve => setImmediate(resolve)); // an unhandled rejection would be reported by now
  });
});
