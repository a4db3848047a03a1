import { LRUCache } from 'lru-cache';
import { type ClusterAccess, getJson, KeptConnections } from '../../kubernetes/index.ts';
import { limitExceeded, orAborted, stepFailed } from '../../protocol/index.ts';
import {
  decodeRecord,
  faultOf,
  type RecordObject,
  recordSelectors,
  type StoredRevision,
} from './decode-record.ts';
import { maxMessageBytes } from './list-releases.ts';
import { idOf } from './record-store.ts';

const step = 'getting a release record';

/** Bound on one request. Others may wait for its answer, so that no caller's deadline counts. */
const requestMs = 30_000;

/** With more records of a release to get, they are listed. */
const maxSingle = 3;
const pageLimit = 10;

interface ListPage {
  readonly items?: readonly RecordObject[];
  readonly metadata?: { readonly continue?: string };
}

interface Whole {
  readonly resourceVersion: string;
  readonly wire: Buffer;
}

/** Whole releases: the latest used in a bounded cache, the others by a request to the API server. */
export class WholeRecords {
  readonly #access: ClusterAccess;
  readonly #cache: LRUCache<string, Whole>;
  readonly #room: () => number;
  readonly #running = new Map<string, Promise<Buffer | undefined>>();
  readonly #connections = new KeptConnections();
  readonly #closed = new AbortController();

  /** @param room what the cache may take at the moment, in bytes; at the most `maxBytes` */
  constructor(access: ClusterAccess, maxBytes: number, room: () => number) {
    this.#access = access;
    this.#room = room;
    this.#cache = new LRUCache({ maxSize: maxBytes, sizeCalculation: ({ wire }) => wire.length + 200 });
  }

  get bytes(): number {
    return this.#cache.calculatedSize;
  }

  /** Evicts the records that were not used for longest until there is room for the others. */
  shrink(): void {
    while (this.#cache.calculatedSize > Math.max(0, this.#room()) && this.#cache.pop()) {
      // the next one
    }
  }

  keep(revision: StoredRevision, wire: Buffer): void {
    this.#cache.set(idOf(revision), { resourceVersion: revision.resourceVersion, wire });
    this.shrink();
  }

  forget(id: string): void {
    this.#cache.delete(id);
  }

  /**
   * The whole releases in order; undefined for those whose records are gone by now.
   * @throws GatewayError UNAVAILABLE where the API server does not give them, RESOURCE_EXHAUSTED where they are more than
   * Tiller's message may hold
   */
  async get(revisions: readonly StoredRevision[], signal: AbortSignal): Promise<(Buffer | undefined)[]> {
    const missing = revisions.filter(revision => !this.#cached(revision));
    const listed = missing.length > maxSingle ? await this.#list(missing, signal) : new Map<string, Buffer>();
    const whole: (Buffer | undefined)[] = [];
    let bytes = 0;
    for (const revision of revisions) {
      const known = this.#cached(revision) ?? listed.get(idOf(revision));
      const wire = known ?? (await orAborted(this.#getOne(revision), signal));
      bytes += wire?.length ?? 0;
      requireSendable(bytes);
      whole.push(wire);
    }
    return whole;
  }

  close(): void {
    this.#closed.abort();
    this.#cache.clear();
    this.#connections.destroy();
  }

  #cached(revision: StoredRevision): Buffer | undefined {
    const whole = this.#cache.get(idOf(revision));
    return whole?.resourceVersion === revision.resourceVersion ? whole.wire : undefined;
  }

  /** Callers that ask for the same record share one request. */
  #getOne(revision: StoredRevision): Promise<Buffer | undefined> {
    const id = idOf(revision);
    const running = this.#running.get(id);
    if (running) return running;
    const begun = this.#request(revision).finally(() => this.#running.delete(id));
    this.#running.set(id, begun);
    return begun;
  }

  async #request(revision: StoredRevision): Promise<Buffer | undefined> {
    const path = `${folderOf(revision)}/${encodeURIComponent(revision.objectName)}`;
    const signal = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(requestMs)]);
    const connections = this.#connections;
    const object = await getJson(this.#access, path, { step, signal, connections, optional: true });
    return object === undefined ? undefined : this.#decode(object, revision);
  }

  async #list(revisions: readonly StoredRevision[], caller: AbortSignal): Promise<Map<string, Buffer>> {
    const whole = new Map<string, Buffer>();
    const wanted = new Map(revisions.map(revision => [revision.objectName, revision]));
    const [first] = revisions;
    if (!first) return whole;
    const labelSelector = recordSelectors[first.storage].of(first.name);
    let token = '';
    let bytes = 0;
    do {
      const query = new URLSearchParams({ labelSelector, limit: String(pageLimit), continue: token });
      const signal = AbortSignal.any([caller, this.#closed.signal, AbortSignal.timeout(requestMs)]);
      const request = { step, signal, connections: this.#connections };
      const page = (await getJson(this.#access, `${folderOf(first)}?${query}`, request)) as ListPage | null;
      for (const item of page?.items ?? []) {
        const revision = wanted.get(item.metadata?.name);
        if (!revision) continue;
        const wire = await this.#decode(item, revision);
        bytes += wire.length;
        requireSendable(bytes);
        whole.set(idOf(revision), wire);
      }
      token = page?.metadata?.continue ?? '';
    } while (token !== '');
    return whole;
  }

  async #decode(object: unknown, revision: StoredRevision): Promise<Buffer> {
    const { signal } = this.#closed;
    const decoded = await decodeRecord(object as RecordObject, revision, signal).catch(cause => {
      throw stepFailed(step, `${revision.objectName}: ${faultOf(cause)}`, { cause });
    });
    this.keep(decoded.revision, decoded.whole);
    return decoded.whole;
  }
}

function folderOf({ objectNamespace, resource }: StoredRevision): string {
  return `/api/v1/namespaces/${encodeURIComponent(objectNamespace)}/${resource}`;
}

/** In gRPC's words, as Tiller says it. */
function requireSendable(bytes: number): void {
  if (bytes <= maxMessageBytes) return;
  throw limitExceeded(`grpc: trying to send message larger than max (${bytes} vs. ${maxMessageBytes})`);
}
