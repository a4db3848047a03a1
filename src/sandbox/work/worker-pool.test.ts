import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chartOf } from '../../../test/support/tiller-messages.ts';
import { defaultPoolOptions, WorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

const release = {
  name: 'r',
  namespace: 'default',
  revision: 1,
  isInstall: true,
  isUpgrade: false,
  time: new Date(),
};
const render = (template: string) => ({
  chart: chartOf('c', { 'NOTES.txt': template }),
  values: { raw: '' },
  release,
  subNotes: false,
});

async function withPool(options: Partial<WorkerPoolOptions>, body: (pool: WorkerPool) => Promise<void>) {
  const pool = new WorkerPool({ ...defaultPoolOptions, ...options });
  try {
    await body(pool);
  } finally {
    await pool.close();
  }
}

test('tasks give values and errors as they would in this thread', { timeout: 60_000 }, async () => {
  await withPool({}, async ({ work }) => {
    const { notes, notesAreUtf8 } = await work.render(render('{{ .Release.Name }}'));
    assert.deepEqual([notes, notesAreUtf8], ['r', true]);
    await assert.rejects(work.render(render('{{ nope }}')), {
      name: 'HelmRenderError',
      message: /not defined$/,
    });
    await assert.rejects(work.readObjects('just text', 'default'), { code: 2, message: /must be a map/ });
    const [object] = await work.readObjects('apiVersion: v1\nkind: Pod\nmetadata: {name: p}', 'default');
    assert.equal(object?.outcome?.succeeded, true);
  });
});

/** Derives keys, and so does not look at the clock. */
const endless = '{{ range until 5000 }}{{ $p := derivePassword 1 "long" "p" "u" "s" }}{{ end }}';

test('a task that takes too long is ended', { timeout: 60_000 }, async () => {
  await withPool({ maxTaskMs: 1_000, maxWorkers: 1 }, async ({ work }) => {
    await assert.rejects(work.render(render(endless)), {
      name: 'HelmRenderError',
      message: 'rendering template failed: it took more than 1 s, so the sandbox ended it',
    });
    assert.equal((await work.readObjects('', 'default')).length, 0, 'a new thread takes its place');
  });
});

test('no task waits for one that does not end', { timeout: 60_000 }, async () => {
  let long: Promise<unknown> | undefined;
  await withPool({ maxTaskMs: 50_000 }, async ({ work }) => {
    long = work.render(render(endless)).catch((error: Error) => error.message);
    assert.equal((await work.render(render('quick'))).notes, 'quick');
  });
  assert.match(String(await long), /the sandbox is stopping/);
});

test('what waits is bounded, and fails when the pool closes', { timeout: 60_000 }, async () => {
  const pool = new WorkerPool({ ...defaultPoolOptions, maxWorkers: 1, maxQueued: 2 });
  const results = Array.from({ length: 3 }, () =>
    pool.work.render(render('x')).catch((error: Error) => error),
  );
  const refused = (await results[2]) as Error;
  assert.match(refused.message, /^the sandbox works on charts of 3 requests already$/);
  await pool.close();
  for (const result of results.slice(0, 2)) {
    assert.match(String(await result), /the sandbox is stopping, so the sandbox ended it/);
  }
});
