import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { Budget } from './budget.ts';

const free = 16 * 1024;

test('the sum of all requests is bounded, bodies to half of it, and freed when a request is over', () => {
  const budget = new Budget(100_000);
  const owners = [new EventEmitter(), new EventEmitter(), new EventEmitter()];
  const [a, b, c] = owners.map(owner => budget.open(owner));
  a!.body(free + 40_000);
  assert.equal(budget.used, 40_000);
  assert.throws(() => b!.body(free + 20_000), { code: 14, reason: 'OVERLOADED' });
  assert.equal(budget.used, 40_000);
  b!.body(free); // small ones always pass
  b!.answer(60_000);
  assert.equal(budget.used, 100_000);
  assert.throws(() => c!.answer(free + 1), { reason: 'OVERLOADED' });
  b!.sent(30_000);
  c!.answer(free + 30_000);
  assert.throws(() => c!.answer(1), { reason: 'OVERLOADED' });
  for (const owner of owners) owner.emit('close');
  assert.equal(budget.used, 0);
  a!.answer(200_000); // too late to count
  assert.equal(budget.used, 0);
});

test('one alone may pass the budget', () => {
  const budget = new Budget(1000);
  const owner = new EventEmitter();
  budget.open(owner).body(100_000);
  assert.throws(() => budget.open(new EventEmitter()).answer(free + 1), { reason: 'OVERLOADED' });
  owner.emit('close');
  assert.equal(budget.used, 0);
});

test('work that others wait for counts by itself, whatever becomes of the request that began it', () => {
  const budget = new Budget(100_000);
  const owner = new EventEmitter();
  const shared = budget.open(owner).separate();
  shared.answer(free + 50_000);
  owner.emit('close');
  assert.equal(budget.used, 50_000);
  shared.end();
  assert.equal(budget.used, 0);
});
