import { createHash, type Hash, randomBytes } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import * as nodeFiles from 'node:fs/promises';
import { join } from 'node:path';
import { Code, GatewayError, limitExceeded, unavailable } from '../../protocol/index.ts';

/** The calls by which the folder is read and written; tests let them fail. */
export type Files = Pick<typeof nodeFiles, 'link' | 'lstat' | 'open' | 'readdir' | 'rename' | 'unlink'>;

/** A file of the folder. */
export interface StoredFile {
  readonly fileName: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  /** Another one when another file has taken the name. */
  readonly identity: string;
}

export interface FolderContent {
  /** Every plain file that may be an upload by its name. */
  readonly packed: readonly StoredFile[];
  /** Files that were checked and are about to become uploads, of other gateways too. */
  readonly ready: readonly StoredFile[];
}

/** No link is followed, and a pipe does not keep the call waiting. */
export const openPlain = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const packedName = /^[A-Za-z0-9][\w.+-]*\.tgz$/;
const temporaryName = /^\.upload-[0-9a-f]{32}\.(part|ready)$/;

/** A file that nobody has written to for so long is a killed process's; a live one touches its files. */
const abandonedMs = 60 * 60_000;
const touchEveryMs = 10 * 60_000;

/**
 * The folder that uploads are kept in. What a name shows is always whole: a file is written under a name of its own,
 * synchronized, and only then gets its place. Several processes may share the folder.
 */
export class UploadFolder {
  readonly path: string;
  readonly #files: Files;

  constructor(path: string, files: Files = nodeFiles) {
    this.path = path;
    this.#files = files;
  }

  /** Reads which files there are, and removes what killed processes have left. */
  async content(): Promise<FolderContent> {
    const packed: StoredFile[] = [];
    const ready: StoredFile[] = [];
    const look = async (fileName: string) => {
      const [isTemporary, stage] = temporaryName.exec(fileName) ?? [];
      if (!isTemporary && !packedName.test(fileName)) return;
      const file = await this.#look(fileName);
      if (!file) return;
      if (!isTemporary) packed.push(file);
      else if (Date.now() - file.modifiedMs > abandonedMs)
        await this.#files.unlink(this.pathOf(fileName)).catch(() => {});
      else if (stage === 'ready') ready.push(file);
    };
    await onDisk('read', async () => Promise.all((await this.#files.readdir(this.path)).map(look)));
    packed.sort((a, b) => (a.fileName < b.fileName ? -1 : 1));
    return { packed, ready };
  }

  pathOf(fileName: string): string {
    return join(this.path, fileName);
  }

  /** A plain file of the folder, never what a link leads to; undefined where there is none. */
  async #look(fileName: string): Promise<StoredFile | undefined> {
    const entry = await this.#files.lstat(this.pathOf(fileName), { bigint: true }).catch(absent);
    if (!entry?.isFile()) return undefined;
    const { size, mtimeMs } = entry;
    return { fileName, bytes: Number(size), modifiedMs: Number(mtimeMs), identity: identityOf(entry) };
  }

  /** A new file that no listing shows. */
  async create(): Promise<TemporaryFile> {
    const path = this.pathOf(`.upload-${randomBytes(16).toString('hex')}.part`);
    const handle = await onDisk('written', () => this.#files.open(path, 'wx', 0o600));
    return new TemporaryFile(path, handle, this.#files);
  }

  /**
   * Gives a temporary file its place, for good once this returns. Of several processes that do so at once without
   * `replace` one succeeds.
   * @throws GatewayError ALREADY_EXISTS where the name is taken and `replace` is not set
   */
  async keep(temporary: TemporaryFile, fileName: string, replace: boolean): Promise<StoredFile> {
    const { path } = temporary;
    const target = this.pathOf(fileName);
    return onDisk('written', async () => {
      if (replace) await this.#files.rename(path, target);
      else await this.#files.link(path, target);
      try {
        await this.#sync();
      } catch (error) {
        if (!replace) await this.#files.unlink(target).catch(() => {});
        throw error;
      }
      if (!replace) await temporary.discard();
      const file = await this.#look(fileName);
      if (!file) throw unavailable('the upload was removed at once', { reason: 'UPLOADS_UNAVAILABLE' });
      return file;
    });
  }

  /** Removes a file for good. @returns whether there was one */
  async remove(fileName: string): Promise<boolean> {
    return onDisk('written', async () => {
      const isGone = await this.#files.unlink(this.pathOf(fileName)).then(() => true, absent);
      if (isGone) await this.#sync();
      return isGone ?? false;
    });
  }

  /** The content of a file; undefined where it is no longer the one that was looked at. */
  async read(fileName: string, identity: string): Promise<Buffer | undefined> {
    return onDisk('read', async () => {
      const handle = await this.#files.open(this.pathOf(fileName), openPlain).catch(absent);
      if (!handle) return undefined;
      try {
        // what was opened counts: another file may have taken the name
        if (identityOf(await handle.stat({ bigint: true })) !== identity) return undefined;
        return await handle.readFile();
      } finally {
        await handle.close();
      }
    });
  }

  /** Makes the names themselves last. */
  async #sync(): Promise<void> {
    const folder = await this.#files.open(this.path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

/** A file that is being written. Whoever has it keeps it or discards it. */
export class TemporaryFile {
  bytes = 0;
  /** Where the file is now. */
  path: string;
  readonly #handle: nodeFiles.FileHandle;
  readonly #files: Files;
  readonly #hash: Hash = createHash('sha256');
  readonly #touch: NodeJS.Timeout;
  #isOpen = true;

  constructor(path: string, handle: nodeFiles.FileHandle, files: Files) {
    this.path = path;
    this.#handle = handle;
    this.#files = files;
    this.#touch = setInterval(() => void this.#touchFile(), touchEveryMs).unref();
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.bytes += chunk.length;
    this.#hash.update(chunk);
    await onDisk('written', () => this.#handle.writeFile(chunk));
  }

  /** All is written, and on the disk. @returns SHA-256 of it in hexadecimal */
  async finish(): Promise<string> {
    await onDisk('written', () => this.#handle.sync().then(() => this.#close()));
    return this.#hash.digest('hex');
  }

  /** Shows all gateways that this is about to be kept. */
  async ready(): Promise<void> {
    const path = this.path.replace(/part$/, 'ready');
    await onDisk('written', () => this.#files.rename(this.path, path));
    this.path = path;
  }

  /** Leaves nothing behind. */
  async discard(): Promise<void> {
    await this.#close().catch(() => {});
    await this.#files.unlink(this.path).catch(() => {});
  }

  async #close(): Promise<void> {
    clearInterval(this.#touch);
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#handle.close();
  }

  async #touchFile(): Promise<void> {
    const now = new Date();
    await this.#handle.utimes(now, now).catch(() => {});
  }
}

function identityOf({ ino, size, mtimeNs }: BigIntStats): string {
  return `${ino}:${size}:${mtimeNs}`;
}

/** Undefined for a file that is not there, or has become a link. @throws every other error */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ELOOP') throw error;
}

const full: readonly (string | undefined)[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** Reads or writes in the folder. @throws GatewayError with what the system says of it, without its path */
export async function onDisk<T>(doing: 'read' | 'written', work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    if (cause instanceof GatewayError || syscall === undefined) throw cause;
    if (code === 'EEXIST') throw new GatewayError(Code.ALREADY_EXISTS, 'the name is taken', { cause });
    if (!full.includes(code)) {
      const message = `the folder of uploads cannot be ${doing}: ${code}`;
      throw unavailable(message, { reason: 'UPLOADS_UNAVAILABLE', cause });
    }
    const message = `there is no room left on the disk of the uploads (${code})`;
    throw limitExceeded(message, { reason: 'UPLOADS_FULL', cause });
  }
}
