import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { eventually } from '../../test/support/eventually.ts';
import { createSocketFolder, removeStaleFolders } from './socket-folder.ts';

const parent = mkdtempSync(join(tmpdir(), 'socket-folder-'));
after(() => rmSync(parent, { recursive: true }));

/** The id of a process that was killed. */
const gone = spawnSync('sh', ['-c', 'kill -9 $$']).pid;
let made = 0;

/** Leaves a socket there as a killed process does: nobody listens, and nobody removed it. */
function leaveSocket(path: string): void {
  const bound = join(parent, 'bound.sock');
  const server = createServer().listen(bound);
  renameSync(bound, path); // closing removes it only where it was bound
  server.close();
}

function folderOf(pid: number, mode = 0o700): string {
  const folder = join(parent, `tiller-gateway-${pid}-${String(++made).padStart(6, 'x')}`);
  mkdirSync(folder);
  chmodSync(folder, mode);
  return folder;
}

function withSockets(pid: number, mode = 0o700): string {
  const folder = folderOf(pid, mode);
  for (const name of ['1.sock', '2.sock']) leaveSocket(join(folder, name));
  return folder;
}

describe('folders of sockets that processes left', () => {
  test('go, with what is in them, where their process was killed', async () => {
    const empty = folderOf(gone);
    utimesSync(empty, new Date(0), new Date(0));
    const folders = [withSockets(gone), withSockets(gone), empty];
    await removeStaleFolders(parent);
    assert.deepEqual(folders.filter(existsSync), []);
  });

  test('stay where anything else speaks against it', async t => {
    const server = createServer();
    const listening = folderOf(gone);
    await new Promise<void>(resolve => server.listen(join(listening, '1.sock'), resolve));
    t.after(() => server.close());
    const withFile = withSockets(gone);
    writeFileSync(join(withFile, 'file'), '');
    const withFolder = withSockets(gone);
    mkdirSync(join(withFolder, 'folder'));
    const target = withSockets(gone);
    const withLink = folderOf(gone);
    symlinkSync(join(target, '1.sock'), join(withLink, '1.sock'));
    const renamed = join(parent, 'another-folder');
    mkdirSync(renamed, { mode: 0o700 });
    leaveSocket(join(renamed, '1.sock'));
    const link = join(parent, `tiller-gateway-${gone}-linked`);
    symlinkSync(renamed, link);
    const file = join(parent, `tiller-gateway-${gone}-file00`);
    writeFileSync(file, '');
    const kept: Record<string, string> = {
      'its process runs': withSockets(process.pid),
      "another user's process runs": withSockets(1),
      'somebody listens, in another container': listening,
      'others may enter it': withSockets(gone, 0o755),
      'it is new and empty': folderOf(gone),
      'there is a file in it': withFile,
      'there is a folder in it': withFolder,
      'there is a link in it': withLink,
      'it is a link': link,
      'it is a file': file,
      'it has another name': renamed,
    };
    if (process.getuid?.() === 0) {
      const foreign = withSockets(gone);
      chownSync(foreign, 12_345, 12_345);
      kept['another user owns it'] = foreign;
    }
    await removeStaleFolders(parent);
    for (const [why, path] of Object.entries(kept)) assert.ok(existsSync(path), why);
    assert.ok(existsSync(join(withLink, '..', 'another-folder', '1.sock')), 'what a link leads to stays');
    for (const folder of [withFile, withFolder]) assert.ok(existsSync(join(folder, '1.sock')));
  });

  test('go when the next one is made, which its user alone can enter', async () => {
    const left = mkdtempSync(join(tmpdir(), `tiller-gateway-${gone}-`));
    leaveSocket(join(left, '1.sock'));
    const folder = createSocketFolder();
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    await eventually(() => !existsSync(left));
    assert.ok(existsSync(folder));
    rmSync(folder, { recursive: true });
  });
});
