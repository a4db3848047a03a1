import { randomBytes } from 'node:crypto';
import type { StoredRevision } from '../../backends/index.ts';
import { Change } from './event.ts';

/** Versions of the API server up to which changes were seen, by `watch` of the records: its changes come in their order. */
type Versions = ReadonlyMap<string, number>;

/** Where a stream stands. */
interface Position {
  /** Of the feed that counted: another replica, or this one before a restart, counts for itself. */
  readonly epoch: string;
  /** Number of the last change. */
  readonly sequence: number;
  readonly versions: Versions;
}

export interface LogBounds {
  readonly maxChanges: number;
  /** Of the messages that are made of the changes. */
  readonly maxBytes: number;
}

/** Where a stream goes on: behind this change, without those that its client has seen from another replica. */
export interface Resumed {
  readonly sequence: number;
  skips(change: Change): boolean;
}

/**
 * The latest changes, numbered without gaps. Streams read from it, so that none has a queue of its own, and a client
 * that comes back goes on where it was, also one that was at another replica: its versions of the API server say what it
 * has seen.
 */
export class ChangeLog {
  readonly #bounds: LogBounds;
  readonly #epoch = randomBytes(4).toString('hex');
  readonly #changes: Change[] = [];
  /** Sequence of the change before the first in the log. */
  #dropped = 0;
  #bytes = 0;
  #versions = new Map<string, number>();
  /** Versions from which on clients of other replicas can be resumed, and the change that they stand behind. */
  #base: { readonly versions: Versions; readonly sequence: number };

  /** @param there the revisions at the start */
  constructor(bounds: LogBounds, there: Iterable<StoredRevision>) {
    this.#bounds = bounds;
    for (const revision of there) this.#see(revision);
    this.#base = { versions: new Map(this.#versions), sequence: 0 };
  }

  /** Sequence of the latest change. */
  get sequence(): number {
    return this.#dropped + this.#changes.length;
  }

  /** Sequence of the latest change that was dropped: streams that stand before it have lost something. */
  get dropped(): number {
    return this.#dropped;
  }

  /** The id of an event that stands behind the latest change. */
  get id(): string {
    return writePosition({ epoch: this.#epoch, sequence: this.sequence, versions: this.#versions });
  }

  /** @param sequence behind `dropped` */
  at(sequence: number): Change {
    return this.#changes[sequence - this.#dropped - 1]!;
  }

  append(before: StoredRevision | undefined, after: StoredRevision | undefined, at: number): void {
    const { watch, resourceVersion } = (after ?? before)!;
    const floor = this.#versions.get(watch) ?? 0;
    const version = after && toVersion(resourceVersion);
    if (after) this.#see(after);
    const id = writePosition({ epoch: this.#epoch, sequence: this.sequence + 1, versions: this.#versions });
    const change = new Change({ before, after, watch, version, floor, id, at });
    this.#changes.push(change);
    this.#bytes += change.bytes;
    // out of order, so this comes from a new list: what happened in between is not known
    if (version === undefined ? after !== undefined : version < floor) this.interrupt();
    this.#trim();
  }

  /** Changes were missed and are known by their result only: clients of other replicas cannot go on from before. */
  interrupt(): void {
    this.#base = { versions: new Map(this.#versions), sequence: this.sequence };
  }

  /** @returns why it cannot be resumed from there */
  resume(id: string): Resumed | string {
    const position = readPosition(id);
    if (!position) return 'the id is none of this gateway';
    return position.epoch === this.#epoch ? this.#resumeOwn(position) : this.#resumeOther(position);
  }

  #resumeOwn({ sequence }: Position): Resumed | string {
    if (sequence < this.#dropped) return 'the events behind it are not kept any more';
    if (sequence > this.sequence) return 'the id is none of this gateway';
    return { sequence, skips: () => false };
  }

  #resumeOther({ versions }: Position): Resumed | string {
    if (this.#base.sequence < this.#dropped) return 'the events behind it are not kept any more';
    const watches = new Set([...this.#base.versions.keys(), ...this.#versions.keys()]);
    // at the version of the start itself a deletion, which has no version, may have come before the start
    const isBefore = [...watches].some(
      watch => (versions.get(watch) ?? 0) <= (this.#base.versions.get(watch) ?? 0),
    );
    if (isBefore || watches.size === 0) return 'the events behind it were not seen by this replica';
    return {
      sequence: this.#base.sequence,
      skips: ({ facts: { watch, version, floor } }) => {
        const seen = versions.get(watch) ?? 0;
        return version === undefined ? seen > floor : seen >= version;
      },
    };
  }

  #see({ watch, resourceVersion }: StoredRevision): void {
    const version = toVersion(resourceVersion) ?? 0;
    if (version > (this.#versions.get(watch) ?? 0)) {
      this.#versions = new Map(this.#versions).set(watch, version);
    }
  }

  #trim(): void {
    const { maxChanges, maxBytes } = this.#bounds;
    let count = 0;
    while (
      this.#changes.length - count > 1 &&
      (this.#changes.length - count > maxChanges || this.#bytes > maxBytes)
    ) {
      this.#bytes -= this.#changes[count++]!.bytes;
    }
    if (count === 0) return;
    this.#changes.splice(0, count);
    this.#dropped += count;
  }
}

/** In more, an id would be long, and another replica would hardly ever have seen all that follows. */
const maxWatches = 8;

/** As the `id` of an event: `EPOCH.SEQUENCE.configmaps-VERSION`. */
function writePosition({ epoch, sequence, versions }: Position): string {
  const told = versions.size > maxWatches ? [] : [...versions];
  return [epoch, sequence, ...told.map(([watch, version]) => `${watch}-${version}`)].join('.');
}

/** @returns undefined for anything that is no id of a feed */
function readPosition(id: string): Position | undefined {
  const match = /^([0-9a-f]{8})\.(\d{1,15})((?:\.[a-z0-9-]{1,80}-\d{1,15}){0,8})$/.exec(id);
  if (!match) return undefined;
  const [, epoch = '', sequence, rest = ''] = match;
  const versions = rest
    .split('.')
    .slice(1)
    .map(part => part.split(/-(?=\d+$)/) as [string, string])
    .map(([watch, version]): [string, number] => [watch, Number(version)]);
  return { epoch, sequence: Number(sequence), versions: new Map(versions) };
}

/** The version as a number, which it is for etcd; undefined where the API server counts otherwise. */
function toVersion(resourceVersion: string): number | undefined {
  return /^\d{1,15}$/.test(resourceVersion) ? Number(resourceVersion) : undefined;
}
