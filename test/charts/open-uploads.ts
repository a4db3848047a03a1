import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Files } from '../../src/charts/uploads/upload-folder.ts';
import { Uploads } from '../../src/charts/uploads/uploads.ts';
import { makeChart } from './make-archive.ts';

export const bounds = {
  maxBytes: 256 * 1024,
  maxEntries: 50,
  maxNestedArchives: 2,
  maxUnpackedBytes: 2 ** 20,
  maxUploadBytes: 2 ** 20,
  maxUploads: 10,
};
export const { signal } = new AbortController();
export const once = { signal, force: false };
export const again = { signal, force: true };

/** For the whole process, since several test files may share it. On a disk most of the time would go into waiting for it. */
const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'uploads-'));
process.once('exit', () => rmSync(root, { recursive: true }));
let count = 0;

/** Uploads in an empty folder of their own. */
export async function openUploads(options: Partial<typeof bounds> = {}, files?: Files) {
  const uploadDir = join(root, String(count++));
  await mkdir(uploadDir);
  const another = () => new Uploads({ ...bounds, ...options, uploadDir }, files);
  return { uploads: another(), another, uploadDir };
}

/** A chart that does not pack well, so that it has about so many bytes. */
export function chartOf(name: string, version: string, bytes = 0): Buffer {
  const metadata = `name: ${name}\nversion: ${version}\nappVersion: "2.7"\nkeywords: [a, b]\ndescription: about ${name}\n`;
  return makeChart({ 'Chart.yaml': metadata, 'values.yaml': 'a: 1\n', noise: randomBytes(bytes) }, name);
}

export async function names(uploads: Uploads): Promise<string[]> {
  return (await uploads.list(signal)).map(({ name, version }) => `${name} ${version}`);
}
