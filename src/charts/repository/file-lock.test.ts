import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FileLock } from './file-lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'file-lock-'));
const path = join(folder, 'lock');
after(() => rmSync(folder, { recursive: true }));

test('work under one lock runs one after the other', async () => {
  const log: string[] = [];
  const work = (name: string) =>
    new FileLock(path).run(async check => {
      log.push(`${name} begins`);
      await check();
      log.push(`${name} ends`);
    });
  await Promise.all(['a', 'b', 'c'].map(work));
  for (let i = 0; i < log.length; i += 2) assert.equal(log[i]?.[0], log[i + 1]?.[0]);
  assert.deepEqual(readdirSync(folder), []);
});

test('work that throws lets go of it', async () => {
  await assert.rejects(
    new FileLock(path).run(async () => Promise.reject(new Error('no'))),
    { message: 'no' },
  );
  assert.deepEqual(readdirSync(folder), []);
});

async function textOfLock(): Promise<string> {
  let text = '';
  await new FileLock(path).run(async () => {
    text = readFileSync(path, 'utf8');
  });
  return text;
}

test('the lock of a process that is no more is broken without waiting', async () => {
  const text = await textOfLock();
  for (const pid of [spawnSync('true').pid, process.pid]) {
    writeFileSync(path, text.replace(/ \d+ /, ` ${pid} `));
    const never = Number.POSITIVE_INFINITY;
    await new FileLock(path, { staleMs: never, maxWaitMs: never }).run(check => check());
  }
  assert.deepEqual(readdirSync(folder), []);
});

test('that of another machine is broken when it does not change', async () => {
  for (const text of ['another machine 1 x', '']) {
    writeFileSync(path, text);
    await assert.rejects(
      new FileLock(path, { staleMs: 60_000, maxWaitMs: 30 }).run(check => check()),
      {
        code: 14,
        message: /hold the lock/,
      },
    );
    assert.equal(readFileSync(path, 'utf8'), text);
    await new FileLock(path, { staleMs: 30, maxWaitMs: 60_000 }).run(check => check());
    assert.deepEqual(readdirSync(folder), []);
  }
});

test('a link to nothing in its place is waited for no longer than another lock', async () => {
  symlinkSync('nothing', path);
  await assert.rejects(
    new FileLock(path, { staleMs: 60_000, maxWaitMs: 30 }).run(check => check()),
    { code: 14, message: /hold the lock/ },
  );
  rmSync(path);
});

test('who lost the lock does not commit', async () => {
  const lost = new FileLock(path).run(async check => {
    writeFileSync(path, 'another process');
    await check();
  });
  await assert.rejects(lost, { code: 14, message: /another process took over/ });
  assert.equal(readFileSync(path, 'utf8'), 'another process');
});
