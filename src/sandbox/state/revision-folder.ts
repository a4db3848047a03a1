import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Code, GatewayError, localPath, unavailable } from '../../protocol/index.ts';
import { configMapToRevision, type ReleaseConfigMap } from './config-map.ts';
import type { Revision } from './revision.ts';

/** A file above this is reported, not read. */
const maxFileBytes = 96 * 1024 * 1024;

/** A revision that was kept, with the ConfigMap that it was read from. */
export interface KeptRevision {
  readonly revision: Revision;
  readonly configMap: Pick<ReleaseConfigMap, 'data'> & {
    readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  };
}

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
      await mkdir(localPath(path), { recursive: true, mode: 0o700 });
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
  async *revisions(report: (problem: string) => void): AsyncGenerator<KeptRevision> {
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

  write(configMap: ReleaseConfigMap): Promise<void> {
    return this.#queue(async () => {
      const { name, namespace, creationTimestamp, labels } = configMap.metadata;
      const place = this.#file(name);
      const temporary = `${place}.${process.pid}-${this.#writes++}.tmp`;
      const metadata = { name, namespace, creationTimestamp, labels }; // the rest is of this process alone
      const kept = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: configMap.data };
      const text = JSON.stringify(kept, undefined, 1);
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

  remove(key: string): Promise<void> {
    return this.#queue(() => rm(this.#file(key), { force: true }));
  }

  async #read(name: string): Promise<KeptRevision> {
    const path = join(this.#path, name);
    const { size } = await stat(path);
    if (size > maxFileBytes) throw new Error(`it has ${size} bytes, more than ${maxFileBytes}`);
    const configMap = JSON.parse(await readFile(path, 'utf8'));
    const revision = configMapToRevision(configMap);
    if (name !== `${revision.key}.json`) throw new Error(`it holds ${revision.key}`);
    const { labels } = configMap.metadata ?? {};
    const metadata = { name: revision.key, labels: { ...labels, OWNER: 'TILLER' } };
    return { revision, configMap: { metadata, data: { release: configMap.data.release } } };
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
