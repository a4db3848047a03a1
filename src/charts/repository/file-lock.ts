import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError, unavailable } from '../../protocol/index.ts';

const pollMs = 20;

/** Where a process id means something: this run of this machine, this namespace of processes. */
const place = readPlace();
/** Locks that this process holds now; another with its id is of a process before it. */
const held = new Set<string>();

/**
 * A lock between processes that share a folder, also from several machines: a file that only one of them can create. One
 * whose holder was killed is broken: at once where that can be seen, else when it has not changed for ten seconds by this
 * process' own clock.
 */
export class FileLock {
  readonly #path: string;
  readonly #staleMs: number;
  readonly #maxWaitMs: number;

  /** @param staleMs after which an unchanged lock counts as a dead process's: far above the time that a small file takes */
  constructor(path: string, { staleMs = 10_000, maxWaitMs = 20_000 } = {}) {
    this.#path = path;
    this.#staleMs = staleMs;
    this.#maxWaitMs = maxWaitMs;
  }

  /**
   * Runs work while no other process runs any under this lock.
   * @param work is given a check to make just before it commits: it throws where another process has broken the lock
   * @throws GatewayError UNAVAILABLE when others hold it for too long, or this process was held up and lost it; the file
   * system's errors
   */
  async run<T>(work: (check: () => Promise<void>) => Promise<T>): Promise<T> {
    const mine = `${place} ${process.pid} ${randomUUID()}`;
    held.add(mine);
    try {
      await this.#acquire(mine);
      return await work(async () => {
        if ((await this.#read()) !== mine) throw unavailable('another process took over the lock; try again');
      });
    } finally {
      if ((await this.#read().catch(() => '')) === mine) await unlink(this.#path).catch(() => {});
      held.delete(mine);
    }
  }

  async #acquire(mine: string): Promise<void> {
    const until = performance.now() + this.#maxWaitMs;
    let seen: { readonly holder: string; readonly since: number } | undefined;
    while (!(await this.#create(mine))) {
      // a lock without a text is one just made, just gone, or a link to nothing: it counts as held, so that this ends
      const holder = (await this.#read()) ?? '';
      if (seen?.holder !== holder) seen = { holder, since: performance.now() };
      if (isDead(holder) || performance.now() - seen.since > this.#staleMs) await this.#break(holder);
      else if (performance.now() > until) throw unavailable('other processes hold the lock; try again');
      else await sleep(pollMs * (0.5 + Math.random()));
    }
  }

  async #create(mine: string): Promise<boolean> {
    try {
      await writeFile(this.#path, mine, { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  async #read(): Promise<string | undefined> {
    try {
      return await readFile(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /**
   * Takes the lock's file aside. Where another process was faster and this one is its new lock, it is put back. What a crash
   * leaves here goes with the temporary files.
   */
  async #break(holder: string): Promise<void> {
    const aside = `${this.#path}.${randomUUID()}.tmp`;
    try {
      await rename(this.#path, aside);
      if ((await readFile(aside, 'utf8')) !== holder) await link(aside, this.#path).catch(() => {});
      await unlink(aside);
    } catch (error) {
      // another one has broken the lock, or cleans up
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Whether the holder was a process of this place that is no more; false where that cannot be known. */
function isDead(holder: string): boolean {
  const [where, id] = holder.split(' ');
  const pid = Number(id);
  if (where !== place || !Number.isInteger(pid) || pid <= 0) return false;
  if (pid === process.pid) return !held.has(holder);
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function readPlace(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** What the file system says, as the caller may see it: without the path. */
export function fileError(what: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof GatewayError || syscall === undefined) return error;
  return unavailable(`${what}: ${code}`, { cause: error });
}
