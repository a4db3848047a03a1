/** Release records without a Kubernetes API: a test puts them. */
import type { RecordChange, RecordEvents, RecordsReport } from '../../src/backends/index.ts';
import { summarize } from '../../src/backends/records/decode-record.ts';
import { RecentWrites } from '../../src/backends/records/recent-writes.ts';
import { RecordStore } from '../../src/backends/records/record-store.ts';
import { encodeMessage, type StatusCode } from '../../src/codec/index.ts';
import type { GatewayError } from '../../src/protocol/index.ts';
import type { LiveRecords } from '../../src/releases/live/live-releases.ts';

export interface FakeRelease {
  readonly name: string;
  readonly version?: number;
  readonly status?: StatusCode;
  readonly namespace?: string;
  readonly values?: string;
  readonly storage?: 'helm2' | 'helm3';
  /** Of the API server, that brings it. */
  readonly watch?: string;
}

export class FakeRecords implements LiveRecords {
  readonly store = new RecordStore();
  readonly writes = new RecentWrites(this.store, { waitMs: 2_000 });
  /** The API server's version, counted up with each change. */
  version: number;

  /** Why the records are not up to date. */
  problem: string | undefined;
  readonly #subscribers = new Set<RecordEvents>();

  /** @param firstVersion of the first change */
  constructor(firstVersion = 100) {
    this.version = firstVersion;
  }

  put(release: FakeRelease, resourceVersion = ++this.version): void {
    const { name, version = 1, status = 'DEPLOYED', namespace = 'default', values = '' } = release;
    const { storage = 'helm2', watch = 'configmaps' } = release;
    const whole = encodeMessage('hapi.release.Release', {
      name,
      version,
      namespace,
      info: { status: { code: status } },
      chart: { metadata: { name: 'web', version: '1.0.0' } },
      config: { raw: values },
    });
    this.store.put({
      ...summarize(whole, storage),
      storage,
      watch,
      resource: 'configmaps',
      objectNamespace: 'kube-system',
      objectName: `${name}.v${version}`,
      resourceVersion: String(resourceVersion),
    });
  }

  delete(name: string, version = 1): void {
    this.version++;
    this.store.delete(`helm2/configmaps/kube-system/${name}.v${version}`);
  }

  all() {
    return this.store.all();
  }

  subscribe(listener: (change: RecordChange) => void, events: RecordEvents = {}): () => void {
    this.#subscribers.add(events);
    return this.store.subscribe(listener);
  }

  /** As after the API server has forgotten the past. */
  relisted(): void {
    for (const { relisted } of this.#subscribers) relisted?.();
  }

  /** As when the rights are taken away. */
  end(reason: GatewayError): void {
    for (const { ended } of this.#subscribers) ended?.(reason);
  }

  report(): RecordsReport {
    const { size: held, bytes } = this.store;
    const reason = this.problem;
    const common = { storage: ['helm2' as const], held, bytes, unreadable: 0, faults: [], ageMs: 0 };
    return { usable: reason === undefined, ...(reason !== undefined && { reason }), ...common };
  }

  async ready(): Promise<void> {}

  close(): void {}
}
