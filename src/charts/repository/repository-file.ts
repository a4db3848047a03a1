import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { open, readdir, readFile, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Code, GatewayError, invalidArgument, limitExceeded } from '../../protocol/index.ts';
import { parseYaml, readYamlTree, scalarOf, writeYaml, type YamlValue } from '../../yaml/index.ts';
import { FileLock, fileError } from './file-lock.ts';
import { repositoryToYaml, type StoredRepository, yamlToRepository } from './stored-repository.ts';

type Repositories = readonly StoredRepository[];
type Edit = (before: Repositories) => Repositories;

/** Where repositories that were added by API are kept. */
export interface RepositoryStore {
  readonly kind: 'file' | 'memory';
  /** The repositories, those that other processes have added included. */
  read(): Promise<Repositories>;
  /**
   * Replaces them by what `edit` makes of them, one change at a time. What it throws leaves everything as it is.
   * @throws GatewayError UNAVAILABLE when they cannot be kept
   */
  change(edit: Edit): Promise<void>;
}

/** The sum of all names, URLs and credentials. It also bounds the time in which they are read: a tenth of a second. */
const maxFileBytes = 1024 * 1024;

export class MemoryStore implements RepositoryStore {
  readonly kind = 'memory';
  #list: Repositories = [];

  async read(): Promise<Repositories> {
    return this.#list;
  }

  async change(edit: Edit): Promise<void> {
    const list = edit(this.#list);
    format(list);
    this.#list = list;
  }
}

/**
 * A YAML file that several gateways may share. It is replaced as a whole: who reads it, and who comes after a crash, sees
 * the state before a change or after it. It holds secrets, so only its owner may read it.
 */
export class RepositoryFile implements RepositoryStore {
  readonly kind = 'file';
  readonly #path: string;
  /** What was read last, and the version of the file that it is. */
  #known: { readonly version: string; readonly list: Repositories };
  #lastChange: Promise<unknown> = Promise.resolve();

  /** @throws GatewayError INVALID_ARGUMENT with the line, when it is there and cannot be read */
  constructor(path: string) {
    this.#path = path;
    this.#known = { version: '', list: readAtStart(path) };
  }

  async read(): Promise<Repositories> {
    try {
      const version = await versionOf(this.#path);
      if (version !== this.#known.version) this.#known = { version, list: await this.#readNow() };
      return this.#known.list;
    } catch (cause) {
      throw fileError('the file of chart repositories cannot be read', cause);
    }
  }

  async #readNow(): Promise<Repositories> {
    try {
      checkFileSize((await stat(this.#path)).size, this.#path);
      return parseRepositoryFile(await readFile(this.#path, 'utf8'), this.#path);
    } catch (cause) {
      if (isAbsent(cause)) return [];
      if (!(cause instanceof GatewayError)) throw cause;
      // its place is for the log
      const line = /^.*?:(\d+): /s.exec(cause.message)?.[1] ?? '1';
      const message = `the gateway's file of chart repositories is damaged at line ${line}`;
      throw new GatewayError(Code.FAILED_PRECONDITION, message, { cause });
    }
  }

  change(edit: Edit): Promise<void> {
    const result = this.#lastChange.then(() => this.#change(edit));
    this.#lastChange = result.catch(() => {}); // told to the one who waits for it
    return result;
  }

  async #change(edit: Edit): Promise<void> {
    try {
      // a link stays, and what it leads to is replaced
      const path = await realpath(this.#path).catch(() => this.#path);
      await new FileLock(`${path}.lock`).run(async check => {
        const list = edit(await this.read());
        await replaceFile(path, format(list), check);
        this.#known = { version: await versionOf(path), list };
      });
    } catch (error) {
      throw fileError('the file of chart repositories cannot be written', error);
    }
  }
}

function readAtStart(path: string): Repositories {
  try {
    checkFileSize(statSync(path).size, path);
    return parseRepositoryFile(readFileSync(path, 'utf8'), path);
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    if (isAbsent(cause)) return [];
    throw invalidArgument(`${path}: cannot be read: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** Tells versions of a file apart without reading it: each has a file of its own. */
async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    if (isAbsent(error)) return 'none';
    throw error;
  }
}

/** Under the lock: so temporary files that are there already are of processes that were killed. */
async function replaceFile(path: string, text: string, check: () => Promise<void>): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(path)}.`) || !name.endsWith('.tmp')) continue;
    // another process may have been faster: to clean up is no part of the change
    await unlink(join(folder, name)).catch(() => {});
  }
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await check();
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  const handle = await open(folder);
  await handle.sync().finally(() => handle.close());
}

/** Every mistake has the file and the line, and shows nothing that may be secret. */
function parseRepositoryFile(text: string, path: string): StoredRepository[] {
  const at = (line: number, message: string) => invalidArgument(`${path}:${line}: ${message}`);
  let document: YamlValue;
  try {
    document = parseYaml(text);
  } catch (error) {
    const { problem } = readYamlTree(text);
    throw at(problem?.line ?? 1, `this is not YAML: ${problem?.message ?? GatewayError.from(error).message}`);
  }
  if (!(document instanceof Map)) throw at(1, 'expected a map with the list `repositories`');
  const list = document.get('repositories');
  if (!Array.isArray(list)) throw at(1, '`repositories` is missing, or not a list');
  const names = new Set<string>();
  return list.map((entry, index) => {
    try {
      const repository = yamlToRepository(entry);
      if (names.has(repository.name)) throw invalidArgument(`a second repository named ${repository.name}`);
      names.add(repository.name);
      return repository;
    } catch (error) {
      throw at(lineOf(text, index), GatewayError.from(error).message);
    }
  });
}

/** The line of an entry, from 1. */
function lineOf(text: string, index: number): number {
  const { root, lineOf: line } = readYamlTree(text);
  if (root?.kind !== 'mapping') return 1;
  const isList = ({ key }: (typeof root.items)[number]) =>
    key.kind === 'scalar' && scalarOf(key) === 'repositories';
  const list = root.items.find(isList)?.value;
  const node = list?.kind === 'sequence' ? list.items[index] : undefined;
  return node ? line(node) : 1;
}

function checkFileSize(bytes: number, path: string): void {
  if (bytes > maxFileBytes) throw invalidArgument(`${path}:1: is larger than ${maxFileBytes} bytes`);
}

/** @throws GatewayError RESOURCE_EXHAUSTED when they are too many */
function format(list: Repositories): string {
  const text = writeYaml(new Map([['repositories', list.map(repositoryToYaml)]]));
  if (Buffer.byteLength(text) <= maxFileBytes) return text;
  const message = `all added chart repositories together, with their credentials, may take ${maxFileBytes} bytes`;
  throw limitExceeded(message);
}
