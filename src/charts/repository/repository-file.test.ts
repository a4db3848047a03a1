import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, describe, test } from 'node:test';
import { RepositoryFile } from './repository-file.ts';
import type { StoredRepository } from './stored-repository.ts';

const folder = mkdtempSync(join(tmpdir(), 'chart-repositories-'));
const path = join(folder, 'repositories.yaml');

afterEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
});
after(() => rmSync(folder, { recursive: true }));

const plain = (name: string): StoredRepository => ({ name, url: `https://${name}.example`, credentials: {} });
const names = (list: readonly StoredRepository[]) => list.map(({ name }) => name);
const add = (file: RepositoryFile, ...given: StoredRepository[]) =>
  file.change(before => [...before, ...given]);

test('what was kept is read again, credentials included', async () => {
  const secret = {
    name: 'team',
    url: 'https://team.example/charts?a=b',
    credentials: { username: 'true', password: '1: [', insecureSkipVerify: true },
  };
  await add(new RepositoryFile(path), plain('a'), secret);
  assert.deepEqual(await new RepositoryFile(path).read(), [plain('a'), secret]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder), ['repositories.yaml']);
});

test('nothing is kept where a change throws', async () => {
  const file = new RepositoryFile(path);
  await add(file, plain('a'));
  const fail = file.change(() => {
    throw new Error('no');
  });
  await assert.rejects(fail, { message: 'no' });
  await assert.rejects(add(file, plain('b'.repeat(2_000_000))), { code: 8 });
  assert.deepEqual(names(await new RepositoryFile(path).read()), ['a']);
  assert.deepEqual(readdirSync(folder), ['repositories.yaml']);
});

test('what a killed process left is removed, and what cannot be is left', async () => {
  writeFileSync(`${path}.1.tmp`, 'x');
  mkdirSync(`${path}.2.tmp`);
  await add(new RepositoryFile(path), plain('a'));
  assert.deepEqual(readdirSync(folder), ['repositories.yaml', 'repositories.yaml.2.tmp']);
});

test('a link stays a link', async () => {
  const link = join(folder, 'link.yaml');
  writeFileSync(path, 'repositories: []\n');
  symlinkSync(path, link);
  await add(new RepositoryFile(link), plain('a'));
  assert.deepEqual(names(await new RepositoryFile(path).read()), ['a']);
});

test('what another gateway writes is seen', async () => {
  const [one, other] = [new RepositoryFile(path), new RepositoryFile(path)];
  await add(one, plain('a'));
  assert.deepEqual(names(await other.read()), ['a']);
  await add(other, plain('b'));
  assert.deepEqual(names(await one.read()), ['a', 'b']);
});

describe('a damaged file', () => {
  const bodies: [string, string, number][] = [
    ['nothing', '', 1],
    ['zeros', '\0'.repeat(100), 1],
    ['half of it', 'repositories:\n- name: a\n  url: "https://a', 3],
    ['a list', '- a\n', 1],
    ['no list', 'repositories: {}\n', 1],
    ['an entry that is none', 'repositories:\n- name: a\n  url: https://a.example\n- text\n', 4],
    ['no URL', 'repositories:\n- name: a\n', 2],
    [
      'a field of the wrong type',
      'repositories:\n- {name: a, url: "https://a", insecureSkipVerify: "no"}\n',
      2,
    ],
    ['an unknown field', 'repositories:\n- {name: a, url: "https://a", passwort: s3cret}\n', 2],
    ['a name twice', 'repositories:\n- {name: a, url: "https://a"}\n\n- {name: a, url: "https://b"}\n', 4],
    ['a reserved name', 'repositories:\n- {name: uploads, url: "https://a"}\n', 2],
    ['a password in a URL', 'repositories:\n- {name: a, url: "https://u:s3cret@a"}\n', 2],
    ['a certificate without its key', 'repositories:\n- {name: a, url: "https://a", clientKey: s3cret}\n', 2],
  ];
  for (const [title, body, line] of bodies) {
    test(title, async () => {
      const file = new RepositoryFile(path);
      await add(file, plain('a'));
      writeFileSync(path, body);
      const isNamed = (error: Error) =>
        error.message.startsWith(`${path}:${line}: `) && !error.message.includes('s3cret');
      assert.throws(() => new RepositoryFile(path), isNamed);
      const told = { code: 9, message: new RegExp(`damaged at line ${line}$`) };
      await assert.rejects(file.read(), told);
      await assert.rejects(add(file, plain('b')), told);
      assert.equal(readFileSync(path, 'utf8'), body);
    });
  }
});
