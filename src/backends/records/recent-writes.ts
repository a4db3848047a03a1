import { decodeMessage, lastField, messageType, type StatusCode } from '../../codec/index.ts';
import { callScope, orAborted } from '../../protocol/index.ts';
import type { StoredRevision } from './decode-record.ts';
import type { RecordStore } from './record-store.ts';

/** A release as Tiller answered a write with it. */
interface Written {
  readonly name: string;
  readonly version: number;
  readonly status: StatusCode;
}

/** What is awaited of a release that was written through this gateway. */
interface Note {
  /** Whether the records show what was written, or what came after it. */
  isSeen(revisions: readonly StoredRevision[]): boolean;
  /** Whether Tiller made the write, for this gateway: records of Helm 3 do not show it. */
  readonly isOwn: boolean;
  /** What is missing, for people. */
  readonly missing: string;
  /** On the clock of `performance.now()`. */
  readonly endedAt: number;
}

export interface WaitTimes {
  /** How long reads wait for a record, counted from the end of the write; after that Tiller is asked. */
  readonly waitMs: number;
}

/** Releases of which something is awaited. */
const maxNotes = 10_000;

const fieldOf = (type: string, name: string) => messageType(type).byName.get(name)!.number;

/** Field numbers of requests and replies. */
const numbers = {
  purge: fieldOf('hapi.services.tiller.UninstallReleaseRequest', 'purge'),
  released: fieldOf('hapi.services.tiller.InstallReleaseResponse', 'release'),
  name: fieldOf('hapi.release.Release', 'name'),
  version: fieldOf('hapi.release.Release', 'version'),
  info: fieldOf('hapi.release.Release', 'info'),
};

/**
 * The writes of this gateway whose records may not have come yet. A read of such a release waits for its record, so that
 * a client reads what it has written.
 */
export class RecentWrites {
  readonly #store: RecordStore;
  readonly #times: WaitTimes;
  readonly #notes = new Map<string, Note>();
  /** Until then every release may have been written: notes were dropped. */
  #allUntil = 0;

  constructor(store: RecordStore, times: WaitTimes) {
    this.#store = store;
    this.#times = times;
  }

  /**
   * A write has ended. Of what failed, or told nothing of its release, nobody knows which record it has left.
   * @param name of the release, where the request says it
   * @param request and `reply` of `hapi.services.tiller`; without a reply the write has failed
   */
  ended(method: string, name: string, request: Uint8Array, reply: Uint8Array | undefined): void {
    const written = reply && readWritten(reply);
    if (!written) {
      if (name !== '') this.#note(name, `what the last write did to release ${name}`, undecided);
      return;
    }
    const isPurged = method === 'UninstallRelease' && numberOf(request, numbers.purge) === 1;
    const missing = isPurged
      ? `the deletion of release ${written.name}`
      : `revision ${written.version} of release ${written.name}`;
    this.#note(written.name, missing, isPurged ? isGone : isSeenAs(method, written));
  }

  /**
   * Waits until the records show what was written.
   * @param name of the release that is read; undefined for all
   * @param minimum revisions that the client has seen, by release
   * @returns what is missing, where it did not come in time
   */
  async settle(
    name: string | undefined,
    minimum: ReadonlyMap<string, number>,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    if (this.#notes.size === 0 && minimum.size === 0 && this.#allUntil === 0) return undefined;
    const now = performance.now();
    if (now < this.#allUntil) return 'too many writes at once';
    const noted = name === undefined ? [...this.#notes.keys()] : [name];
    const wanted = [...minimum].filter(([release]) => name === undefined || release === name);
    const late = await Promise.all([
      ...noted.map(release => this.#wait(release, this.#notes.get(release), signal)),
      ...wanted.map(([release, version]) => this.#wait(release, atLeast(release, version, now), signal)),
    ]);
    return late.find(missing => missing !== undefined);
  }

  #note(name: string, missing: string, isSeen: Note['isSeen']): void {
    this.#notes.delete(name); // so that the oldest is the first
    this.#notes.set(name, { missing, isSeen, isOwn: true, endedAt: performance.now() });
    if (this.#notes.size <= maxNotes) return;
    const [oldest] = this.#notes.keys();
    if (oldest !== undefined) this.#notes.delete(oldest);
    this.#allUntil = performance.now() + this.#times.waitMs;
  }

  async #wait(name: string, note: Note | undefined, signal: AbortSignal): Promise<string | undefined> {
    if (!note) return undefined;
    const isSeen = () => {
      const named = this.#store.named(name);
      const ofTiller = named.filter(({ storage }) => storage === 'helm2');
      return note.isSeen(note.isOwn || ofTiller.length > 0 ? ofTiller : named);
    };
    const forget = () => {
      if (this.#notes.get(name) === note) this.#notes.delete(name);
      return undefined;
    };
    if (isSeen()) return forget();
    const leftMs = note.endedAt + this.#times.waitMs - performance.now();
    // what a failed write has left is in the records by then, if it ever was
    if (leftMs <= 0) return note.isSeen === undecided ? forget() : note.missing;
    if (note.isSeen === undecided) return note.missing;
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = this.#store.subscribe(() => {
      if (isSeen()) resolve();
    });
    const scope = callScope({ signal, timeoutMs: leftMs });
    await orAborted(promise, scope.signal).catch(() => {});
    scope.end();
    end();
    return isSeen() ? forget() : note.missing;
  }
}

const pending: ReadonlySet<StatusCode> = new Set([
  'PENDING_INSTALL',
  'PENDING_UPGRADE',
  'PENDING_ROLLBACK',
  'DELETING',
]);

const isGone: Note['isSeen'] = revisions => revisions.length === 0;

/** Nothing shows that a write has failed. */
const undecided: Note['isSeen'] = () => false;

/** Tiller writes a record as pending first, and once more when it is done. */
function isSeenAs(method: string, { version, status }: Written): Note['isSeen'] {
  if (method === 'UninstallRelease') {
    return revisions =>
      revisions.length === 0 ||
      revisions.some(one => one.version > version || (one.version === version && one.status === status));
  }
  return revisions =>
    revisions.some(one => one.version > version || (one.version === version && !pending.has(one.status)));
}

function atLeast(name: string, version: number, endedAt: number): Note {
  const isSeen = isSeenAs('', { name, version, status: 'DEPLOYED' });
  return { isSeen, isOwn: false, missing: `revision ${version} of release ${name}`, endedAt };
}

/** Of the release in a reply of Install-, Update-, Rollback- or UninstallRelease. */
function readWritten(reply: Uint8Array): Written | undefined {
  const release = lastField(reply, numbers.released);
  const info = release && lastField(release, numbers.info);
  const name = release && lastField(release, numbers.name);
  if (!release || !info || !name) return undefined;
  const { status } = decodeMessage('hapi.release.Info', info);
  return {
    name: Buffer.from(name).toString(),
    version: numberOf(release, numbers.version),
    status: status?.code ?? 'UNKNOWN',
  };
}

/** A whole number that is not large; 0 where it is missing. */
function numberOf(message: Uint8Array, number: number): number {
  const value = lastField(message, number) ?? new Uint8Array();
  return value.reduceRight((sum, byte) => sum * 128 + (byte & 0x7f), 0);
}
