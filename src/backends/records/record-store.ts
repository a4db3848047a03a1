import type { GatewayError } from '../../protocol/index.ts';
import type { RecordResource, Storage, StoredRevision } from './decode-record.ts';

export type ChangeType = 'added' | 'modified' | 'deleted';

export interface RecordChange {
  readonly type: ChangeType;
  /** As it is now; of a deleted one, as it was. */
  readonly release: StoredRevision;
  /** Counts the changes of this store: each is one more than the one before. */
  readonly sequence: number;
  /** On the clock of `performance.now()`. */
  readonly at: number;
}

/** Whether reads can be answered from records at the moment, for `/readyz`, `/clusters` and the metrics. */
export interface RecordsReport {
  readonly usable: boolean;
  /** Why not. */
  readonly reason?: string;
  readonly storage: readonly Storage[];
  /** Number of revisions. */
  readonly held: number;
  /** Memory that their summaries and the cache of whole records take, nearly. */
  readonly bytes: number;
  readonly unreadable: number;
  /** The first unreadable records with the reasons. */
  readonly faults: readonly string[];
  /** How old an answer can be: the time since the API server was heard of last. Infinity before the first list. */
  readonly ageMs: number;
}

/** What a subscriber is told beside the changes. */
export interface RecordEvents {
  /** All records were listed anew: of what changed since the watch broke, only the result is known. */
  readonly relisted?: () => void;
  /** The records are given up: no rights any more, or closed. They may be read again later, but nothing of it is told. */
  readonly ended?: (reason: GatewayError) => void;
}

/**
 * What one revision takes beside its bytes: its object, its texts, its places in maps and lists are half of it; as much again
 * is what the collector of garbage lets the heap grow by.
 */
const overheadBytes = 2_000;

/** What a revision takes in memory, nearly. */
export function sizeOf({ wire }: StoredRevision): number {
  return wire.length + overheadBytes;
}

function sizeOfFault(id: string, fault: string): number {
  return id.length + fault.length + 200;
}

/** How many unreadable records are named. */
const maxNamedFaults = 20;

/** Of a record, also in messages: `helm2/configmaps/kube-system/NAME.v1`. */
export function recordId(
  storage: Storage,
  resource: RecordResource,
  namespace: string,
  name: string,
): string {
  return `${storage}/${resource}/${namespace}/${name}`;
}

export function idOf({ storage, resource, objectNamespace, objectName }: StoredRevision): string {
  return recordId(storage, resource, objectNamespace, objectName);
}

/** The summaries of all records, in the order in which Kubernetes lists them, and by release. */
export class RecordStore {
  readonly #byId = new Map<string, StoredRevision>();
  readonly #byName = new Map<string, StoredRevision[]>();
  /** Helm 2's first, then by namespace and name. */
  #ordered: StoredRevision[] = [];
  readonly #faults = new Map<string, string>();
  readonly #listeners = new Set<(change: RecordChange) => void>();
  #sequence = 0;
  #bytes = 0;

  /** Memory that the summaries and the notes about unreadable records take, nearly. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#ordered.length;
  }

  /** Number of the latest change. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Records that cannot be read, by id, with the reason; the first of them. */
  get faults(): { readonly count: number; readonly named: readonly string[] } {
    const named = [...this.#faults].slice(0, maxNamedFaults).map(([id, fault]) => `${id}: ${fault}`);
    return { count: this.#faults.size, named };
  }

  /** All revisions in the order of storage. Not to be changed, and not to be kept: it changes with the store. */
  all(): readonly StoredRevision[] {
    return this.#ordered;
  }

  /** The revisions of all releases of that name. */
  named(name: string): readonly StoredRevision[] {
    return this.#byName.get(name) ?? [];
  }

  get(id: string): StoredRevision | undefined {
    return this.#byId.get(id);
  }

  /** Adds a revision or replaces it; the same version of a record again is no change. */
  put(revision: StoredRevision): void {
    const id = idOf(revision);
    this.#forgive(id);
    const before = this.#byId.get(id);
    if (before && before.resourceVersion === revision.resourceVersion) return;
    if (before) this.#drop(id, before);
    this.#byId.set(id, revision);
    this.#ordered.splice(this.#placeOf(revision), 0, revision);
    const namesakes = this.#byName.get(revision.name);
    if (namesakes) namesakes.push(revision);
    else this.#byName.set(revision.name, [revision]);
    this.#bytes += sizeOf(revision);
    this.#tell(before ? 'modified' : 'added', revision);
  }

  /** Notes a record that cannot be read. What was known of it does not count any more. @returns whether to name it */
  refuse(id: string, fault: string): boolean {
    const isNews = this.#faults.get(id) !== fault;
    this.delete(id);
    this.#faults.set(id, fault);
    this.#bytes += sizeOfFault(id, fault);
    return isNews && this.#faults.size <= maxNamedFaults;
  }

  delete(id: string): void {
    this.#forgive(id);
    const before = this.#byId.get(id);
    if (!before) return;
    this.#drop(id, before);
    this.#tell('deleted', before);
  }

  /**
   * Deletes the records of a folder that are not among these.
   * @param folder `helm3/secrets/`, or `helm2/configmaps/kube-system/`
   * @param isThere whether the record `NAMESPACE/NAME` of the folder's resource is there
   */
  keepOnly(folder: string, isThere: (name: string) => boolean): void {
    for (const id of [...this.#byId.keys(), ...this.#faults.keys()])
      if (id.startsWith(folder) && !isThere(id.split('/').slice(2).join('/'))) this.delete(id);
  }

  /** Forgets everything, which is told nobody. */
  clear(): void {
    this.#byId.clear();
    this.#byName.clear();
    this.#faults.clear();
    this.#ordered = [];
    this.#bytes = 0;
    this.#sequence++;
  }

  /** The listener runs at once with each change, and must not throw. @returns ends it */
  subscribe(listener: (change: RecordChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #forgive(id: string): void {
    const fault = this.#faults.get(id);
    if (fault === undefined) return;
    this.#faults.delete(id);
    this.#bytes -= sizeOfFault(id, fault);
  }

  #drop(id: string, revision: StoredRevision): void {
    this.#byId.delete(id);
    this.#ordered.splice(this.#placeOf(revision), 1);
    const others = this.named(revision.name).filter(other => other !== revision);
    if (others.length > 0) this.#byName.set(revision.name, others);
    else this.#byName.delete(revision.name);
    this.#bytes -= sizeOf(revision);
  }

  /** The place of the first revision that does not come before this one. */
  #placeOf(revision: StoredRevision): number {
    let [low, high] = [0, this.#ordered.length];
    // lists come in order, so that most go to the end
    if (high > 0 && compare(this.#ordered[high - 1]!, revision) < 0) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.#ordered[middle]!, revision) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #tell(type: ChangeType, release: StoredRevision): void {
    const change = { type, release, sequence: ++this.#sequence, at: performance.now() };
    for (const listener of this.#listeners) listener(change);
  }
}

/** Names of objects are ASCII, so that JavaScript's order of texts is etcd's. */
function compare(a: StoredRevision, b: StoredRevision): number {
  return (
    order(a.storage, b.storage) ||
    order(a.objectNamespace, b.objectNamespace) ||
    order(a.objectName, b.objectName) ||
    order(a.resource, b.resource)
  );
}

function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
