import { type ClusterAccess, ObjectWatch, type WatchTimes } from '../../kubernetes/index.ts';
import type { GatewayError } from '../../protocol/index.ts';
import { decodeRecord, recordLabels } from './decode-record.ts';
import { type RecordStore, recordId } from './record-store.ts';
import { faultOf, type RecordObject, type RecordResource, type Storage } from './unpack-record.ts';
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
  readonly failed: (error: GatewayError) => void;
  /** Runs after each list of all records. */
  readonly listed: () => void;
}

/** Keeps the store up to date with the records of one source. A record that cannot be read costs itself only. */
export class RecordWatch {
  /** `configmaps of Helm 2 in namespace kube-system` */
  readonly description: string;
  readonly #source: RecordSource;
  readonly #options: RecordWatchOptions;
  readonly #watch: ObjectWatch<RecordObject>;

  constructor(source: RecordSource, options: RecordWatchOptions) {
    const { storage, resource, namespace } = source;
    const place = namespace === undefined ? 'all namespaces' : `namespace ${namespace}`;
    this.#source = source;
    this.#options = options;
    this.description = `${resource} of Helm ${storage.slice(-1)} in ${place}`;
    const folder = `${storage}/${resource}/${namespace === undefined ? '' : `${namespace}/`}`;
    this.#watch = new ObjectWatch<RecordObject>({
      access: options.access,
      path: `/api/v1${namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`}/${resource}`,
      labelSelector: recordLabels[storage].owner,
      step: `watching the ${this.description}`,
      times: options.times,
      handler: {
        listed: object => this.#take(object, false),
        complete: names => {
          options.store.keepOnly(folder, name => names.has(name));
          queueMicrotask(options.listed); // when `isListed` says so as well
        },
        changed: object => this.#take(object, true),
        deleted: ({ metadata: { namespace, name } }) => {
          const id = recordId(storage, resource, namespace, name);
          options.store.delete(id);
          options.whole.forget(id);
        },
        failed: options.failed,
      },
    });
  }

  get isListed(): boolean {
    return this.#watch.isListed;
  }

  get heardAt(): number {
    return this.#watch.heardAt;
  }

  get failure(): GatewayError | undefined {
    return this.#watch.failure;
  }

  close(): void {
    this.#watch.close();
  }

  async #take(object: RecordObject, keepWhole: boolean): Promise<void> {
    const { storage, resource } = this.#source;
    const { store, whole, changed } = this.#options;
    const { namespace, name, resourceVersion } = object.metadata;
    const id = recordId(storage, resource, namespace, name);
    // a second list brings what is known already
    if (store.get(id)?.resourceVersion === resourceVersion) return;
    try {
      const decoded = await decodeRecord(object, resource, storage);
      if (this.#watch.isClosed) return;
      if (keepWhole) whole.keep(decoded.revision, decoded.whole);
      store.put(decoded.revision);
    } catch (error) {
      store.refuse(id, faultOf(error));
    }
    changed();
  }
}
