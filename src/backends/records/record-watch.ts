import { type ClusterAccess, ObjectWatch, type WatchTimes } from '../../kubernetes/index.ts';
import type { GatewayError } from '../../protocol/index.ts';
import {
  decodeRecord,
  faultOf,
  type RecordObject,
  type RecordResource,
  recordSelectors,
  type Storage,
  type StoredRevision,
} from './decode-record.ts';
import { type RecordStore, recordId, sizeOf } from './record-store.ts';
import type { WholeRecords } from './whole-records.ts';

/** Records of one kind in one place. */
export interface RecordSource {
  readonly storage: Storage;
  readonly resource: RecordResource;
  /** All where it is missing. */
  readonly namespace: string | undefined;
}

export interface RecordWatchOptions {
  readonly access: ClusterAccess;
  /** Where summaries go. */
  readonly store: RecordStore;
  /** Where whole releases go that were changed just now: somebody will look at them. */
  readonly whole: WholeRecords;
  readonly times: Partial<WatchTimes> | undefined;
  /** Runs after each record. */
  readonly changed: () => void;
  /** Runs for the first records that cannot be read. @param id of the record */
  readonly refused: (id: string, fault: string) => void;
  readonly failed: (error: GatewayError) => void;
  /** Runs after each list of all records, and after that of those which are not superseded. */
  readonly listed: () => void;
}

/** Keeps the store up to date with the records of one source. A record that cannot be read costs itself only. */
export class RecordWatch {
  /** `configmaps of Helm 2 in namespace kube-system` */
  readonly description: string;
  /** The lists and the watch themselves. */
  readonly objects: ObjectWatch<RecordObject>;
  readonly #source: RecordSource;
  readonly #options: RecordWatchOptions;
  /** What a list brings while reads are answered: put into the store when the list is complete, as one state. */
  #pending: (() => void)[] = [];
  #pendingBytes = 0;

  constructor(source: RecordSource, options: RecordWatchOptions) {
    const { storage, resource, namespace } = source;
    const place = namespace === undefined ? 'all namespaces' : `namespace ${namespace}`;
    this.#source = source;
    this.#options = options;
    this.description = `${resource} of Helm ${storage.slice(-1)} in ${place}`;
    const folder = `${storage}/${resource}/${namespace === undefined ? '' : `${namespace}/`}`;
    this.objects = new ObjectWatch<RecordObject>({
      access: options.access,
      path: `/api/v1${namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`}/${resource}`,
      labelSelector: recordSelectors[storage].all,
      firstSelector: recordSelectors[storage].current,
      bytesKey: 'release',
      step: `watching the ${this.description}`,
      times: options.times,
      handler: {
        listed: object => this.#list(object),
        begun: () => queueMicrotask(options.listed),
        complete: names => {
          this.#putPending();
          options.store.keepOnly(folder, name => names.has(name));
          queueMicrotask(options.listed); // when `isListed` says so as well
        },
        changed: object => this.#change(object),
        deleted: object => {
          const id = this.#idOf(object);
          options.store.delete(id);
          options.whole.forget(id);
        },
        failed: error => {
          this.#pending = [];
          this.#pendingBytes = 0;
          options.failed(error);
        },
      },
    });
  }

  /** Memory that revisions of a list take which is not complete. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  async #list(object: RecordObject): Promise<void> {
    const { store, changed } = this.#options;
    const known = store.get(this.#idOf(object));
    // a second list brings what is known already
    if (known && known.resourceVersion === object.metadata.resourceVersion) return;
    const read = await this.#read(object);
    if (this.objects.closed.aborted) return;
    const { isBegun, isListed } = this.objects.state;
    const isUnseen = !isBegun || (!known && !isListed && read.revision?.status === 'SUPERSEDED');
    if (isUnseen) {
      read.put();
    } else {
      this.#pending.push(read.put);
      this.#pendingBytes += read.revision ? sizeOf(read.revision) : 500;
    }
    changed();
  }

  async #change(object: RecordObject): Promise<void> {
    const { store, whole, changed } = this.#options;
    if (store.get(this.#idOf(object))?.resourceVersion === object.metadata.resourceVersion) return;
    const read = await this.#read(object);
    if (this.objects.closed.aborted) return;
    if (read.revision) whole.keep(read.revision, read.whole);
    read.put();
    changed();
  }

  /** What becomes of a record: a revision, or a fault that is noted. */
  async #read(object: RecordObject): Promise<ReadRecord> {
    const { storage, resource, namespace } = this.#source;
    const { store, refused } = this.#options;
    const id = this.#idOf(object);
    const watch = storage === 'helm2' ? resource : [storage, resource, namespace ?? []].flat().join('-');
    try {
      const source = { storage, resource, watch };
      const { revision, whole } = await decodeRecord(object, source, this.objects.closed);
      return { revision, whole, put: () => store.put(revision) };
    } catch (error) {
      // the error must not be kept: it holds what was unpacked
      const fault = faultOf(error);
      return {
        put: () => {
          if (store.refuse(id, fault)) refused(id, fault);
        },
      };
    }
  }

  #putPending(): void {
    const pending = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    for (const put of pending) put();
  }

  #idOf({ metadata: { namespace, name } }: RecordObject): string {
    return recordId(this.#source.storage, this.#source.resource, namespace, name);
  }
}

/** A record that was read, and what puts it into the store. */
type ReadRecord =
  | { readonly put: () => void; readonly revision: StoredRevision; readonly whole: Buffer }
  | { readonly put: () => void; readonly revision?: undefined };
