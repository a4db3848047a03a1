import type { CallContext, GatewayError } from '../../protocol/index.ts';
import type { Storage, StoredRevision } from './decode-record.ts';
import type { ReadOptions } from './read-records.ts';
import type { RecentWrites } from './recent-writes.ts';
import type { RecordChange } from './record-store.ts';

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

/** The release records of one cluster, kept up to date by watches. They answer some read methods as its Tiller would. */
export interface Records {
  report(): RecordsReport;
  /** Whether reads that records cannot answer fail, instead of being asked of Tiller. */
  readonly only: boolean;
  /**
   * Whether this read of `hapi.services.tiller` can be answered from records. Lists without superseded revisions can be
   * before the others are listed.
   */
  answers(method: string, request: Uint8Array): boolean;
  /**
   * Waits until this read can be answered, as long as nothing but the first list is missing. The signal ends the wait.
   */
  settle(method: string, request: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Changes with each change of what is held: what was read before and after at the same one is the same. */
  readonly sequence: number;
  /** Which Helm keeps a release of that name: Helm 2 where both do, undefined where none does. */
  storageOf(name: string, namespace?: string): Storage | undefined;
  /** `GetHistory`, `GetReleaseContent`, and `GetReleaseStatus` without resources. @throws GatewayError as Tiller's calls do */
  unary(
    method: string,
    request: Uint8Array,
    context: CallContext,
    options?: ReadOptions,
  ): Promise<Uint8Array>;
  /** `ListReleases`. Its releases have no chart contents, manifest and hooks, unless `whole` asks for them. */
  stream(
    method: string,
    request: Uint8Array,
    context: CallContext,
    options?: ReadOptions,
  ): AsyncGenerator<Uint8Array, void, undefined>;
  /** The writes of this gateway, for whose records reads wait. */
  readonly writes: RecentWrites;
  /** Settles when the records are listed and can be read. @throws GatewayError why they cannot be, or the signal's reason */
  ready(signal: AbortSignal): Promise<void>;
  /** All revisions that are held, in the order of the list. Not to be kept: it changes with the records. */
  all(): readonly StoredRevision[];
  /** The listener runs at once with each change after the first list, and must not throw. @returns ends it */
  subscribe(listener: (change: RecordChange) => void, events?: RecordEvents): () => void;
  close(): void;
}
