/** Gateways that share a folder of uploads and are killed while they write: nothing half-written shows, nothing kept is lost. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createTestCharts } from './support/test-charts.ts';

const writer = new URL('support/upload-writer.ts', import.meta.url).pathname;
/** Processes that write at the same time, each killed at a moment of its own. More by hand. */
const processes = Number(process.env.UPLOAD_KILLS ?? 3);

test('kill -9 while writing', async t => {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'uploads-killed-'));
  t.after(() => rmSync(folder, { recursive: true }));
  /** The digest of the latest that was said to be kept, by the file's name. */
  const kept = new Map<string, string>();
  const writeAndKill = async (_: unknown, index: number) => {
    const child = spawn(process.execPath, [writer, folder, `chart${index}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(child, 'close');
    const lines = createInterface({ input: child.stdout }).on('line', line => {
      const [fileName = '', digest = ''] = line.split(' ');
      kept.set(fileName, digest);
    });
    for (let count = 1 + Math.random() * 4; count > 0; count--) await once(lines, 'line');
    await pause(Math.random() * 50);
    child.kill('SIGKILL');
    await closed;
  };
  await Promise.all(Array.from({ length: processes }, writeAndKill));

  const { uploads } = createTestCharts({ uploadDir: folder, maxUploads: 10_000 });
  const { signal } = new AbortController();
  const listed = new Map((await uploads.list(signal)).map(({ fileName, digest }) => [fileName, digest]));
  for (const fileName of kept.keys()) assert.ok(listed.has(fileName), fileName);
  for (const [fileName, digest] of listed) {
    const bytes = readFileSync(join(folder, fileName));
    assert.equal(createHash('sha256').update(bytes).digest('hex'), digest);
  }
  // of the one that was being written when the kill came nobody was told: it is there as a whole or not at all
  const unsaid = [...listed].filter(([fileName, digest]) => kept.get(fileName) !== digest);
  assert.ok(unsaid.length <= processes, `one for each process at the most, not ${unsaid.length}`);

  const files = readdirSync(folder);
  assert.deepEqual(files.filter(name => name.endsWith('.tgz')).sort(), [...listed.keys()].sort());
  const left = files.filter(name => !listed.has(name));
  for (const name of left) {
    assert.match(name, /^\.upload-[0-9a-f]{32}\.(?:part|ready)$/);
    utimesSync(join(folder, name), 1, 1);
  }
  await uploads.list(signal);
  assert.deepEqual(readdirSync(folder).sort(), [...listed.keys()].sort(), 'what was left is gone');
  t.diagnostic(`${listed.size} uploads, ${left.length} files left by ${processes} killed processes`);
});
