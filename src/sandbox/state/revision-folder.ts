import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Code, GatewayError, unavailable } from '../../protocol/index.ts';
import { configMapToRevision, revisionToConfigMap } from './config-map.ts';
import type { Revision } from './revision.ts';

/** A file above this is reported, not read. */
const maxFileBytes = 96 * 1024 * 1024;

/**
 * Keeps revisions as files, one each, in the form of Tiller's ConfigMaps (`kubectl create -f` takes them). A file is
 * written beside its place and moved there, so that a crash leaves the old one or the new one.
 */
export class RevisionFolder {
  readonly #path: string;
  /** Writes go one after another: two for the same revision must land in their order. */
  #lastWrite: Promise<void> = Promise.resolve();
  #writes = 0;

  private constructor(path: string) {
    this.#path = path;
  }

  /** @throws GatewayError UNAVAILABLE when the folder is neither there nor can be made */
  static async open(path: string): Promise<RevisionFolder> {
    try {
      await mkdir(path, { recursive: true, mode: 0o700 });
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw unavailable(`the sandbox's folder ${path} cannot be made: ${code}`, { cause });
    }
    return new RevisionFolder(path);
  }

  /**
   * Everything that can be read, in the order of the names; half-written leftovers of a crash are removed.
   * @param report gets a sentence for each file that cannot be read; the file stays
   */
  async *revisions(report: (problem: string) => void): AsyncGenerator<Revision> {
    const names = (await readdir(this.#path)).sort();
    for (const name of names) {
      if (name.endsWith('.tmp')) await rm(join(this.#path, name), { force: true });
      if (!name.endsWith('.json')) continue;
      try {
        yield await this.#read(name);
      } catch (error) {
        report(`${join(this.#path, name)} is left out: ${(error as Error).message}`);
      }
    }
  }

  write(revision: Revision): Promise<void> {
    return this.#queue(async () => {
      const place = this.#file(revision.key);
      const temporary = `${place}.${process.pid}-${this.#writes++}.tmp`;
      const text = JSON.stringify(await revisionToConfigMap(revision), undefined, 1);
      const file = await open(temporary, 'wx', 0o600);
      try {
        await file.writeFile(`${text}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, place);
    });
  }

  remove(revision: Revision): Promise<void> {
    return this.#queue(() => rm(this.#file(revision.key), { force: true }));
  }

  async #read(name: string): Promise<Revision> {
    const path = join(this.#path, name);
    const { size } = await stat(path);
    if (size > maxFileBytes) throw new Error(`it has ${size} bytes, more than ${maxFileBytes}`);
    const revision = configMapToRevision(JSON.parse(await readFile(path, 'utf8')));
    if (name !== `${revision.key}.json`) throw new Error(`it holds ${revision.key}`);
    return revision;
  }

  /** Keys are DNS names by then (the store sees to it), so no path can lead out of the folder. */
  #file(key: string): string {
    return join(this.#path, `${key}.json`);
  }

  #queue(write: () => Promise<void>): Promise<void> {
    const result = this.#lastWrite.then(write);
    this.#lastWrite = result.catch(() => {}); // told to the one who waits for it
    return result.catch((cause: NodeJS.ErrnoException) => {
      // the code alone: the text of a file system's error names the path
      throw new GatewayError(
        Code.INTERNAL,
        `the sandbox cannot keep the release: ${cause.code ?? 'unknown'}`,
        {
          cause,
        },
      );
    });
  }
}
