import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { RepositoryFile } from '../src/charts/repository/repository-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'chart-repositories-'));
const path = join(folder, 'repositories.yaml');

beforeEach(() => rmSync(path, { force: true }));
after(() => rmSync(folder, { recursive: true }));

const names = async () => (await new RepositoryFile(path).read()).map(({ name }) => name);
const start = (prefix: string, count: number) =>
  fork(new URL('charts/add-repositories.ts', import.meta.url), [path, prefix, String(count)]);

test('several gateways that share the file lose none of their additions', async () => {
  const children = ['a', 'b', 'c'].map(prefix => start(prefix, 8));
  for (const [code] of await Promise.all(children.map(child => once(child, 'exit')))) assert.equal(code, 0);
  assert.equal((await names()).length, 24);
  assert.deepEqual(readdirSync(folder), ['repositories.yaml']);
});

test('what was acknowledged is there after kill -9 at any time, and the next is not held up', async () => {
  for (let round = 0; round < 2; round++) {
    const acknowledged: string[] = [];
    const child = start(`r${round}x`, 1000);
    const enough = Promise.withResolvers<void>();
    child.on('message', name => {
      acknowledged.push(String(name));
      if (acknowledged.length === 3 + round) enough.resolve();
    });
    await enough.promise;
    child.kill('SIGKILL');
    await once(child, 'close');
    const last = { name: `after-${round}`, url: 'https://after.example', credentials: {} };
    await new RepositoryFile(path).change(before => [...before, last]);
    const kept = await names();
    for (const name of [...acknowledged, last.name]) assert.ok(kept.includes(name), name);
    assert.deepEqual(readdirSync(folder), ['repositories.yaml']);
  }
});

test('temporary files of a killed process go with the next change', async () => {
  writeFileSync(join(folder, 'repositories.yaml.0.tmp'), 'half');
  const only = { name: 'a', url: 'https://a.example', credentials: {} };
  await new RepositoryFile(path).change(before => [...before, only]);
  assert.deepEqual(readdirSync(folder), ['repositories.yaml']);
});
