import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Limiter } from '../../protocol/index.ts';
import { SharedTasks, tooManyFetched } from './tasks.ts';

const noSignal = new AbortController().signal;

test('one task for all who want the same', async () => {
  const tasks = new SharedTasks<number>();
  let started = 0;
  const start = async () => ++started;
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => tasks.run('a', noSignal, start))), [1, 1, 1]);
  assert.equal(await tasks.run('a', noSignal, start), 2);
  assert.equal(await tasks.run('b', noSignal, start), 3);
});

test('all hear of a failure, and the next may try again', async () => {
  const tasks = new SharedTasks<number>();
  const failing = () => Promise.reject(new Error('x'));
  const results = await Promise.allSettled([1, 2].map(() => tasks.run('a', noSignal, failing)));
  assert.ok(results.every(({ status }) => status === 'rejected'));
  assert.equal(await tasks.run('a', noSignal, async () => 1), 1);
});

test('the task is aborted when the last has gone, not before', async () => {
  const tasks = new SharedTasks<number>();
  const callers = [new AbortController(), new AbortController()];
  let aborted = false;
  const start = (signal: AbortSignal) =>
    new Promise<number>((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        aborted = true;
        reject(signal.reason);
      });
    });
  const results = callers.map(({ signal }) => tasks.run('a', signal, start));
  callers[0]?.abort(new Error('first'));
  await assert.rejects(results[0] ?? assert.fail(), { message: 'first' });
  assert.equal(aborted, false);
  callers[1]?.abort(new Error('second'));
  await assert.rejects(results[1] ?? assert.fail(), { message: 'second' });
  assert.equal(aborted, true);
});

test('who has gone already starts nothing', async () => {
  const tasks = new SharedTasks<number>();
  const start = () => assert.fail('started');
  await assert.rejects(tasks.run('a', AbortSignal.abort(new Error('gone')), start), { message: 'gone' });
});

test('one more download than may wait is turned away', async () => {
  const limiter = new Limiter(0, 0, tooManyFetched);
  await assert.rejects(
    limiter.run(async () => {}, noSignal),
    { code: 8 },
  );
});
