import { mkdtempSync } from 'node:fs';
import { lstat, readdir, rmdir, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localPath } from './local-paths.ts';

/** `sun_path` holds 108 bytes with its closing zero; a temporary folder that is deeper than this is not used. */
const maxFolderBytes = 60;

/** Of each folder, with the process that made it. */
const pattern = /^tiller-gateway-(\d{1,10})-\w{6}$/;

/** A folder without a socket may belong to a process that is about to open one; it is left for so long. */
const minAgeMs = 60_000;

/**
 * Makes a folder for Unix sockets that this user alone can enter, in the system's temporary folder. What processes that
 * were killed have left there is removed meanwhile.
 */
export function createSocketFolder(): string {
  const parent = Buffer.byteLength(tmpdir()) > maxFolderBytes ? '/tmp' : tmpdir();
  removeStaleFolders(parent).catch(() => {}); // it is a service to others: without it all works as well
  return localPath(mkdtempSync(join(parent, `tiller-gateway-${process.pid}-`)));
}

/**
 * Removes the folders of processes that are gone: those of this user, with the rights that they were made with, in which
 * there is nothing but sockets on which nobody listens. A process may be gone from here and live in another container.
 */
export async function removeStaleFolders(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = Number(pattern.exec(name)?.[1]);
    if (pid > 0 && !isRunning(pid)) await removeIfStale(join(parent, name)).catch(() => {});
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'; // another user's is running, too
  }
}

async function removeIfStale(folder: string): Promise<void> {
  const stats = await lstat(folder);
  const { mode, uid, mtimeMs } = stats;
  const isOurs = stats.isDirectory() && uid === process.getuid?.() && (mode & 0o777) === 0o700;
  if (!isOurs) return;
  const sockets = (await readdir(folder)).map(name => join(folder, name));
  if (sockets.length === 0 && Date.now() - mtimeMs < minAgeMs) return;
  for (const socket of sockets) {
    if (!(await lstat(socket)).isSocket() || (await isListenedOn(socket))) return;
  }
  for (const socket of sockets) await unlink(socket);
  await rmdir(folder);
}

function isListenedOn(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path).unref();
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED'));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
