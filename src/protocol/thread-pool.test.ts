import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import {
  echo,
  fail,
  fill,
  Gate,
  hold,
  leave,
  measure,
  refuse,
  spin,
} from '../../test/support/thread-work.ts';
import { Budget } from './budget.ts';
import { Code } from './code.ts';
import { GatewayError } from './gateway-error.ts';
import { inThread, maxHereBytes, ThreadPool, type ThreadPoolOptions, whereItFits } from './thread-pool.ts';

const module = new URL('../../test/support/thread-work.ts', import.meta.url).href;
const { signal } = new AbortController();
const job = { what: 'the request body', bytes: 0, signal };

function createPool(options: Partial<ThreadPoolOptions> = {}): ThreadPool {
  return new ThreadPool({ maxThreads: 1, maxWaiting: 1, maxHeapMiB: 128, maxJobMs: 50_000, ...options });
}

test('small work is done here and large work in a thread', async () => {
  const thread = await import('node:worker_threads');
  assert.ok(thread.isMainThread);
  const run = whereItFits(module, measure);
  assert.ok(!(run({ ...job, bytes: maxHereBytes }, Buffer.alloc(1)) instanceof Promise));
  assert.ok(run({ ...job, bytes: maxHereBytes + 1 }, Buffer.alloc(1)) instanceof Promise);
});

test('a view takes its own bytes along and leaves the rest where it is', async () => {
  const whole = Buffer.alloc(1_000_000, 7);
  const part = whole.subarray(1000, 501_000);
  const pool = createPool();
  assert.deepEqual(await inThread(module, measure, pool)(job, part), [500_000, 0, 1]);
  const back = await inThread(module, echo, pool)(job, part);
  assert.ok(Buffer.isBuffer(back) && back.equals(part));
  assert.equal(whole.length, 1_000_000);
});

test('buffers that nobody else has are moved', async () => {
  const whole = Buffer.alloc(1_000_000, 7);
  const back = await inThread(module, echo, createPool())({ ...job, move: true }, whole);
  assert.equal(whole.length, 0);
  assert.ok(back.equals(Buffer.alloc(1_000_000, 7)));
});

test('what the work throws arrives as it is, and a fault of the program as one', async () => {
  const pool = createPool();
  await assert.rejects(inThread(module, refuse, pool)(job), {
    name: 'GatewayError',
    code: Code.INVALID_ARGUMENT,
    reason: 'INVALID_REQUEST',
    message: 'values.raw: no',
  });
  const fault = await inThread(module, fail, pool)(job).catch((error: Error) => error);
  assert.ok(fault instanceof Error && !(fault instanceof GatewayError));
  assert.match(String(fault.stack), /a fault of the program(?:.|\n)*thread-work/);
  assert.equal(GatewayError.from(fault).message, 'internal error');
});

const ends: [string, () => unknown, Partial<ThreadPoolOptions>, object][] = [
  ['ends its thread', leave, {}, { message: 'a thread ended with code 3' }],
  [
    'takes too much memory',
    fill,
    { maxHeapMiB: 32 },
    {
      code: Code.RESOURCE_EXHAUSTED,
      reason: 'LIMIT_EXCEEDED',
      message: 'the request body cannot be read: it takes more than 32 MiB of memory',
    },
  ],
  [
    'takes too long',
    spin,
    { maxJobMs: 1_000 },
    {
      code: Code.RESOURCE_EXHAUSTED,
      reason: 'LIMIT_EXCEEDED',
      message: 'the request body cannot be read: it takes more than 1 s',
    },
  ],
];
for (const [what, work, options, error] of ends) {
  test(`work that ${what} fails alone, and the next gets a new thread`, async () => {
    const pool = createPool(options);
    const bad = inThread(module, work, pool)(job);
    const next = inThread(
      module,
      measure,
      createPool({ ...options, maxJobMs: 50_000 }),
    )(job, Buffer.alloc(3));
    await assert.rejects(bad, error);
    assert.deepEqual((await next)[0], 3);
    // leaves a thread behind that works
    if (options.maxJobMs === undefined)
      assert.equal((await inThread(module, measure, pool)(job, Buffer.alloc(2)))[0], 2);
  });
}

test('who leaves ends its work or its wait, and nobody else is kept waiting', async () => {
  const pool = createPool();
  const gate = new Gate();
  const gone = new GatewayError(Code.CANCELLED, 'the client has gone');
  const [running, waiting] = [new AbortController(), new AbortController()];
  const first = inThread(module, hold, pool)({ ...job, signal: running.signal }, gate.state);
  await gate.held();
  const second = inThread(module, hold, pool)({ ...job, signal: waiting.signal }, gate.state);
  waiting.abort(gone);
  await assert.rejects(second, gone);
  const third = inThread(module, measure, pool)(job, Buffer.alloc(1));
  running.abort(gone);
  await assert.rejects(first, gone);
  assert.equal((await third)[0], 1);
});

test('of large jobs one runs at a time, and small ones beside it', async () => {
  const pool = createPool({ maxThreads: 2, maxWaiting: 2 });
  const gate = new Gate();
  const large = { ...job, bytes: 17 * 1024 * 1024 };
  const first = inThread(module, hold, pool)(large, gate.state);
  await gate.held();
  const done: string[] = [];
  const second = inThread(module, measure, pool)(large, Buffer.alloc(1)).then(() => done.push('large'));
  await inThread(module, measure, pool)(job, Buffer.alloc(1)).then(() => done.push('small'));
  gate.open();
  assert.equal(await first, 'done');
  await second;
  assert.deepEqual(done, ['small', 'large']);
});

test('a bounded number waits; one more is refused with a reason to try again', async () => {
  const pool = createPool();
  const gate = new Gate();
  const first = inThread(module, hold, pool)(job, gate.state);
  await gate.held();
  const second = inThread(module, measure, pool)(job, Buffer.alloc(1));
  await assert.rejects(inThread(module, measure, pool)(job, Buffer.alloc(1)), {
    code: Code.UNAVAILABLE,
    reason: 'OVERLOADED',
  });
  gate.open();
  assert.equal(await first, 'done');
  assert.equal((await second)[0], 1);
});

test('the budget shows what a thread holds while it works, and refuses nobody for it', async () => {
  const budget = new Budget(1_000_000);
  const gate = new Gate();
  const held = { ...job, bytes: 800_000, hold: budget.open(new EventEmitter()) };
  const first = inThread(module, hold, createPool())(held, gate.state);
  await gate.held();
  assert.ok(budget.used > 1_500_000, `${budget.used}`);
  budget.open(new EventEmitter()).answer(900_000);
  gate.open();
  await first;
  assert.ok(budget.used < 900_000, `${budget.used}`);
});

test('what waits for a thread counts in the budget, and is free again however the waiting ends', async () => {
  const budget = new Budget(1_000_000);
  const pool = createPool({ maxWaiting: 3 });
  const gate = new Gate();
  const first = inThread(module, hold, pool)({ ...job, hold: budget.open(new EventEmitter()) }, gate.state);
  await gate.held();
  const waiting = new AbortController();
  const wait = (bytes: number, signal = waiting.signal) =>
    inThread(
      module,
      measure,
      pool,
    )({ ...job, bytes, signal, hold: budget.open(new EventEmitter()) }, Buffer.alloc(1));
  const leaves = wait(500_000);
  assert.ok(budget.used > 480_000, `${budget.used}`);
  await assert.rejects(wait(600_000), { code: Code.UNAVAILABLE, reason: 'OVERLOADED' });
  const stays = wait(400_000, signal);
  waiting.abort(new GatewayError(Code.CANCELLED, 'the client has gone'));
  await assert.rejects(leaves, { code: Code.CANCELLED });
  assert.ok(budget.used < 400_000, `${budget.used}`);
  gate.open();
  await Promise.all([first, stays]);
  assert.equal(budget.used, 0);
});

test('a thread takes part in the cache of compiled code that the process has enabled', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'compiled-'));
  const program = `
    import { enableCompileCache, getCompileCacheDir } from 'node:module';
    enableCompileCache(${JSON.stringify(folder)});
    const { inThread } = await import(${JSON.stringify(new URL('./thread-pool.ts', import.meta.url))});
    const job = { what: '', bytes: 0, signal: new AbortController().signal };
    const there = await inThread(${JSON.stringify(module)}, { name: 'compiledFolder' })(job);
    console.log(JSON.stringify([there, getCompileCacheDir()]));`;
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', program],
      { env: { PATH: process.env.PATH } },
    );
    const [there, here] = JSON.parse(stdout);
    assert.ok(here?.startsWith(folder), here);
    assert.equal(there, here);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
