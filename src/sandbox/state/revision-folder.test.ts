import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { releaseOf } from '../../../test/support/tiller-messages.ts';
import { type ReleaseConfigMap, revisionToConfigMap } from './config-map.ts';
import { releaseToRevision } from './revision.ts';
import { RevisionFolder } from './revision-folder.ts';

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tg-test-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const recordOf = (name: string, version = 1, modifiedAt?: number): Promise<ReleaseConfigMap> =>
  revisionToConfigMap(releaseToRevision(releaseOf(name, version), 1_000, modifiedAt));

async function readAll(path: string): Promise<{ keys: string[]; problems: string[] }> {
  const problems: string[] = [];
  const keys: string[] = [];
  const folder = await RevisionFolder.open(path);
  for await (const { revision } of folder.revisions(problem => problems.push(problem))) {
    keys.push(revision.key);
  }
  return { keys, problems };
}

test('a folder that cannot be made is named, with the reason', async context => {
  const file = join(await temporaryFolder(context), 'file');
  await writeFile(file, '');
  await assert.rejects(RevisionFolder.open(join(file, 'x')), /folder .*file\/x cannot be made: ENOTDIR/);
});

test('what is written is read again, for this user only', async context => {
  const path = join(await temporaryFolder(context), 'new', 'sandbox');
  const folder = await RevisionFolder.open(path);
  await Promise.all([
    folder.write(await recordOf('a')),
    folder.write(await recordOf('b')),
    folder.write(await recordOf('a', 2)),
  ]);
  assert.deepEqual(await readAll(path), { keys: ['a.v1', 'a.v2', 'b.v1'], problems: [] });
  assert.equal((await stat(path)).mode & 0o777, 0o700);
  assert.equal((await stat(join(path, 'a.v1.json'))).mode & 0o777, 0o600);
  await folder.remove('a.v1');
  assert.deepEqual((await readAll(path)).keys, ['a.v2', 'b.v1']);
});

test('of writes to one revision the last stays', async context => {
  const path = await temporaryFolder(context);
  const folder = await RevisionFolder.open(path);
  await Promise.all(
    Array.from({ length: 20 }, async (_, index) => folder.write(await recordOf('a', 1, index))),
  );
  const { metadata } = JSON.parse(await readFile(join(path, 'a.v1.json'), 'utf8'));
  assert.equal(metadata.labels.MODIFIED_AT, '19');
  assert.deepEqual(await readdir(path), ['a.v1.json']);
});

test('broken files are reported and left, leftovers of a crash removed', async context => {
  const path = await temporaryFolder(context);
  const folder = await RevisionFolder.open(path);
  await folder.write(await recordOf('good'));
  await writeFile(join(path, 'cut.v1.json'), '{"apiVersion":');
  await writeFile(join(path, 'other.v1.json'), await readFile(join(path, 'good.v1.json')));
  await writeFile(join(path, 'half.v1.json.1-0.tmp'), 'x');
  await writeFile(join(path, 'README'), 'not ours');
  const { keys, problems } = await readAll(path);
  assert.deepEqual(keys, ['good.v1']);
  assert.equal(problems.length, 2);
  assert.match(problems[0]!, /cut.v1.json is left out: .*JSON/);
  assert.match(problems[1]!, /other.v1.json is left out: it holds good.v1/);
  assert.deepEqual((await readdir(path)).sort(), ['README', 'cut.v1.json', 'good.v1.json', 'other.v1.json']);
});

test('a write that fails says so and does not stop the next', async context => {
  const path = await temporaryFolder(context);
  const folder = await RevisionFolder.open(path);
  await rm(path, { recursive: true });
  await assert.rejects(folder.write(await recordOf('a')), {
    code: 13,
    message: 'the sandbox cannot keep the release: ENOENT',
  });
  await RevisionFolder.open(path);
  await folder.write(await recordOf('b'));
  assert.deepEqual((await readAll(path)).keys, ['b.v1']);
});
