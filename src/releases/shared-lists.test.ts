import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TillerCalls } from '../backends/index.ts';
import { type CallContext, Code, GatewayError, unavailable } from '../protocol/index.ts';
import { shareWhileRunning } from './shared-lists.ts';

/** A shared read whose calls are answered by the test. */
function createStage() {
  const calls: { request: string; context: CallContext; answer: PromiseWithResolvers<Uint8Array> }[] = [];
  const read = shareWhileRunning(async (_tiller, request, context) => {
    const answer = Promise.withResolvers<Uint8Array>();
    calls.push({ request: String(request), context, answer });
    return answer.promise;
  });
  const tiller = { writes: 0 };
  const ask = (request: string, signal = new AbortController().signal, of = tiller) =>
    read(of as unknown as TillerCalls, Buffer.from(request), { signal, deadline: undefined });
  return { calls, tiller, ask };
}

const gone = new GatewayError(Code.CANCELLED, 'the client has gone');
const late = new GatewayError(Code.DEADLINE_EXCEEDED, 'late');

describe('equal reads', () => {
  test('share a call while it runs, and none afterwards', async () => {
    const { calls, ask } = createStage();
    const answers = [ask('a'), ask('a'), ask('b'), ask('a')];
    assert.deepEqual(
      calls.map(({ request }) => request),
      ['a', 'b'],
    );
    calls[0]?.answer.resolve(Buffer.from('A'));
    calls[1]?.answer.resolve(Buffer.from('B'));
    assert.deepEqual((await Promise.all(answers)).map(String), ['A', 'A', 'B', 'A']);
    void ask('a');
    assert.equal(calls.length, 3);
  });

  test('of two Tillers share nothing', () => {
    const { calls, ask } = createStage();
    void ask('a');
    void ask('a', undefined, { writes: 0 });
    assert.equal(calls.length, 2);
  });

  test('fail together, and the next one asks again', async () => {
    const { calls, ask } = createStage();
    const answers = [ask('a'), ask('a')];
    calls[0]?.answer.reject(unavailable('lost'));
    for (const answer of answers) await assert.rejects(answer, { message: 'lost' });
    void ask('a');
    assert.equal(calls.length, 2);
  });

  test('leave one by one: the last who waits ends the call', async () => {
    const { calls, ask } = createStage();
    const [first, second] = [new AbortController(), new AbortController()];
    const answers = [ask('a', first.signal), ask('a', second.signal)];
    const { signal } = calls[0]!.context;
    first.abort(gone);
    await assert.rejects(answers[0]!, gone);
    assert.equal(signal.aborted, false);
    second.abort(late);
    await assert.rejects(answers[1]!, late);
    assert.equal(signal.reason, late);
    void ask('a');
    assert.equal(calls.length, 2, 'the next one does not wait for what was ended');
  });

  test('are not begun for a caller that has left', async () => {
    const { calls, ask } = createStage();
    await assert.rejects(ask('a', AbortSignal.abort(gone)), gone);
    assert.equal(calls.length, 0);
  });

  test('begin anew after a change', async () => {
    const { calls, tiller, ask } = createStage();
    const before = [ask('a'), ask('a')];
    tiller.writes++;
    const afterwards = ask('a');
    assert.equal(calls.length, 2);
    calls[0]?.answer.resolve(Buffer.from('old'));
    assert.deepEqual((await Promise.all(before)).map(String), ['old', 'old']);
    assert.equal(calls.length, 2);
    const joined = ask('a');
    calls[1]?.answer.resolve(Buffer.from('new'));
    assert.deepEqual((await Promise.all([afterwards, joined])).map(String), ['new', 'new']);
    assert.equal(calls.length, 2);
  });
});
