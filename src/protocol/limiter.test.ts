import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Code } from './code.ts';
import { GatewayError } from './gateway-error.ts';
import { Limiter } from './limiter.ts';

const noSignal = new AbortController().signal;
const refusal = () => new GatewayError(Code.RESOURCE_EXHAUSTED, 'full');

/** A task that ends when told to. */
function held() {
  const { promise, resolve } = Promise.withResolvers<void>();
  let started = false;
  const task = () => {
    started = true;
    return promise;
  };
  return { task, resolve, isStarted: () => started };
}

test('no more run than may, and the next in line follows', async () => {
  const limiter = new Limiter(1, 2, refusal);
  const [first, second] = [held(), held()];
  const results = [limiter.run(first.task, noSignal), limiter.run(second.task, noSignal)];
  assert.deepEqual([first.isStarted(), second.isStarted()], [true, false]);
  first.resolve();
  await results[0];
  assert.ok(second.isStarted());
  second.resolve();
  await results[1];
});

test('never more run than may, however they come and end, and all places come back', async () => {
  const limiter = new Limiter(3, 100, refusal);
  let running = 0;
  let most = 0;
  const work = (index: number) => async () => {
    most = Math.max(most, ++running);
    for (let turn = 0; turn < index % 4; turn++) await Promise.resolve();
    running--;
    if (index % 5 === 0) throw new Error('x');
  };
  for (let round = 0; round < 5; round++) {
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => limiter.run(work(index), noSignal)),
    );
    assert.equal(results.filter(({ status }) => status === 'rejected').length, 4);
  }
  assert.equal(most, 3);
  const [first, second, third, fourth] = [held(), held(), held(), held()];
  const tasks = [first, second, third, fourth];
  const all = tasks.map(({ task }) => limiter.run(task, noSignal));
  assert.deepEqual(
    tasks.map(({ isStarted }) => isStarted()),
    [true, true, true, false],
  );
  for (const { resolve } of tasks) resolve();
  await Promise.all(all);
});

test('a task that fails gives its place back', async () => {
  const limiter = new Limiter(1, 0, refusal);
  await assert.rejects(
    limiter.run(() => Promise.reject(new Error('x')), noSignal),
    { message: 'x' },
  );
  assert.equal(await limiter.run(async () => 1, noSignal), 1);
});

test('more than may wait are turned away', async () => {
  const limiter = new Limiter(1, 0, refusal);
  const first = held();
  const running = limiter.run(first.task, noSignal);
  await assert.rejects(
    limiter.run(async () => {}, noSignal),
    { code: 8 },
  );
  first.resolve();
  await running;
});

test('who goes away while waiting never starts, and leaves the line', async () => {
  const limiter = new Limiter(1, 1, refusal);
  const [first, second, third] = [held(), held(), held()];
  const running = limiter.run(first.task, noSignal);
  const gone = new AbortController();
  const waiting = limiter.run(second.task, gone.signal);
  gone.abort(new Error('gone'));
  await assert.rejects(waiting, { message: 'gone' });
  const next = limiter.run(third.task, noSignal);
  first.resolve();
  await running;
  third.resolve();
  await next;
  assert.equal(second.isStarted(), false);
});
