import { EventEmitter, once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { decodeMessage } from '../../codec/index.ts';
import { ApiRefused, type ClusterAccess, missingRight, type WatchTimes } from '../../kubernetes/index.ts';
import { type CallContext, Code, GatewayError, unavailable } from '../../protocol/index.ts';
import { translateFailure } from '../tiller/translate-error.ts';
import type { Storage, StoredRevision } from './decode-record.ts';
import { locateTiller } from './locate-tiller.ts';
import { type ReadOptions, RecordReader } from './read-records.ts';
import { RecentWrites } from './recent-writes.ts';
import { type RecordChange, type RecordEvents, RecordStore, type RecordsReport } from './record-store.ts';
import { type RecordSource, RecordWatch } from './record-watch.ts';
import { WholeRecords } from './whole-records.ts';

export type RecordsLog = (
  level: 'warn' | 'info' | 'debug',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

export interface RecordsOptions {
  readonly access: ClusterAccess;
  /** Where to look for Tiller, in this order; undefined is all. */
  readonly tillerNamespaces: () => Promise<readonly (string | undefined)[]>;
  readonly storages: readonly Storage[];
  /** Of Helm 3's records; none is all. */
  readonly helm3Namespaces: readonly string[];
  /** Memory for summaries, and for whole records in what they leave. */
  readonly maxBytes: number;
  /** Whether reads that records cannot answer fail, instead of being asked of Tiller. */
  readonly only: boolean;
  /** How long reads wait for the record of a write through this gateway, before Tiller is asked. */
  readonly waitMs: number;
  /** True gives Tiller's own status codes (always UNKNOWN) instead of what its texts mean. */
  readonly rawErrors: boolean;
  /** Answers must not be older. Default 60 s. */
  readonly maxAgeMs?: number;
  readonly log: RecordsLog;
  readonly times?: Partial<WatchTimes & SetupTimes>;
}

export interface SetupTimes {
  /** Bound on finding Tiller and asking for the own rights. */
  readonly setupMs: number;
  /** After a setup or a list that failed, or rights that were taken away. Doubled with each further failure, up to eight times. */
  readonly retryMs: number;
}

const defaultTimes: SetupTimes = { setupMs: 20_000, retryMs: 15_000 };
const defaultMaxAgeMs = 60_000;

const answered = new Set(['ListReleases', 'GetHistory', 'GetReleaseContent', 'GetReleaseStatus']);

/**
 * The release records of one cluster, kept up to date by watches of its API server. They answer some read methods as its
 * Tiller would. Owns its watches, its timers and its cache.
 */
export class Records {
  readonly #options: RecordsOptions;
  readonly #times: SetupTimes;
  readonly #store = new RecordStore();
  /** The writes of this gateway, for whose records reads wait. */
  readonly writes: RecentWrites;
  readonly #whole: WholeRecords;
  readonly #reader: RecordReader;
  readonly #closed = new AbortController();
  #watches: readonly RecordWatch[] = [];
  /** Why there are no watches; undefined before anything was tried. */
  #problem: string | undefined;
  readonly #subscribers = new Set<RecordEvents>();
  /** Emits `change` to callers that wait for the first list. */
  readonly #waiting = new EventEmitter().setMaxListeners(0);
  /** Setups without a list of all records, since the latest such list. */
  #failures = 0;
  /** Ends the watches; there is one while they run. */
  #round = new AbortController();

  constructor(options: RecordsOptions) {
    this.#options = options;
    this.#times = { ...defaultTimes, ...options.times };
    this.writes = new RecentWrites(this.#store, options);
    const room = () => options.maxBytes - this.#summaryBytes();
    this.#whole = new WholeRecords(options.access, options.maxBytes, room);
    this.#reader = new RecordReader(this.#store, (revisions, { signal }) =>
      this.#whole.get(revisions, signal),
    );
    void this.#run();
  }

  /** Whether reads that records cannot answer fail, instead of being asked of Tiller. */
  get only(): boolean {
    return this.#options.only;
  }

  report(): RecordsReport {
    const { count, named } = this.#store.faults;
    const reason = this.#reason();
    return {
      usable: reason === undefined,
      ...(reason !== undefined && { reason }),
      storage: this.#options.storages,
      held: this.#store.size,
      bytes: this.#store.bytes + this.#whole.bytes,
      unreadable: count,
      faults: named,
      ageMs: this.#ageMs(),
    };
  }

  /**
   * Whether this read of `hapi.services.tiller` can be answered from records. Lists without superseded revisions can be
   * before the others are listed.
   */
  answers(method: string, request: Uint8Array): boolean {
    return answered.has(method) && this.#reasonFor(method, request) === undefined;
  }

  /** Waits until this read can be answered, as long as nothing but the first list is missing. The signal ends the wait. */
  async settle(method: string, request: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#until(() => this.#reasonFor(method, request) === undefined || !this.#isStarting(), signal);
  }

  /** Changes with each change of what is held: what was read before and after at the same one is the same. */
  get sequence(): number {
    return this.#store.sequence;
  }

  /** Which Helm keeps a release of that name: Helm 2 where both do, undefined where none does. */
  storageOf(name: string, namespace?: string): Storage | undefined {
    const storages = this.#store
      .named(name)
      .filter(revision => namespace === undefined || revision.namespace === namespace)
      .map(({ storage }) => storage);
    return storages.includes('helm2') ? 'helm2' : storages[0];
  }

  /** `GetHistory`, `GetReleaseContent`, and `GetReleaseStatus` without resources. @throws GatewayError as Tiller's calls do */
  async unary(
    method: string,
    request: Uint8Array,
    context: CallContext,
    options: ReadOptions = {},
  ): Promise<Uint8Array> {
    this.#requireUsable(method, request);
    try {
      return await this.#reader.unary(method, request, context, options);
    } catch (error) {
      throw this.#translate(error, method);
    }
  }

  /** `ListReleases`. Its releases have no chart contents, manifest and hooks, unless `whole` asks for them. */
  async *stream(
    method: string,
    request: Uint8Array,
    context: CallContext,
    options: ReadOptions = {},
  ): AsyncGenerator<Uint8Array> {
    this.#requireUsable(method, request);
    try {
      yield* this.#reader.list(request, context, options);
    } catch (error) {
      throw this.#translate(error, method);
    }
  }

  /** Settles when the records are listed and can be read. @throws GatewayError why they cannot be, or the signal's reason */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#until(() => this.#isListed(), signal);
    if (!this.#isListed()) throw unusable(this.#reason() ?? this.#problem);
  }

  /** All revisions that are held, in the order of the list. Not to be kept: it changes with the records. */
  all(): readonly StoredRevision[] {
    return this.#store.all();
  }

  /** The listener runs at once with each change after the first list, and must not throw. @returns ends it */
  subscribe(listener: (change: RecordChange) => void, events: RecordEvents = {}): () => void {
    const end = this.#store.subscribe(change => {
      if (this.#isListed()) listener(change);
    });
    this.#subscribers.add(events);
    return () => {
      end();
      this.#subscribers.delete(events);
    };
  }

  close(): void {
    this.#problem = 'the cluster is closed';
    this.#closed.abort();
    this.#stopWatches();
    this.#whole.close();
    this.#wake();
  }

  /** Finds Tiller, asks for the rights, watches; begins anew when rights are taken away or too much is held. */
  async #run(): Promise<void> {
    const closed = this.#closed.signal;
    while (!closed.aborted) {
      this.#round = new AbortController();
      const round = AbortSignal.any([closed, this.#round.signal]);
      try {
        const sources = await this.#findSources(
          AbortSignal.any([round, AbortSignal.timeout(this.#times.setupMs)]),
        );
        if (closed.aborted) return;
        this.#watches = sources.map(source => this.#watch(source));
        await new Promise(resolve => round.addEventListener('abort', resolve, { once: true }));
      } catch (error) {
        this.#setProblem(GatewayError.from(error).message);
      }
      this.#stopWatches();
      this.#failures = Math.min(this.#failures + 1, 4);
      const pauseMs = this.#times.retryMs * 2 ** (this.#failures - 1);
      await wait(pauseMs, undefined, { signal: closed, ref: false }).catch(() => {});
    }
  }

  /** @throws GatewayError that says why records cannot be read */
  async #findSources(signal: AbortSignal): Promise<RecordSource[]> {
    const { access, storages, helm3Namespaces, tillerNamespaces } = this.#options;
    const sources: RecordSource[] = [];
    if (storages.includes('helm2')) {
      const { namespace, resources } = await locateTiller(access, await tillerNamespaces(), signal);
      sources.push(...resources.map(resource => ({ storage: 'helm2' as const, resource, namespace })));
    }
    if (storages.includes('helm3')) {
      const namespaces = helm3Namespaces.length > 0 ? helm3Namespaces : [undefined];
      for (const namespace of namespaces)
        for (const resource of ['secrets', 'configmaps'] as const)
          sources.push({ storage: 'helm3', resource, namespace });
    }
    const rights = sources.flatMap(({ resource, namespace }) =>
      ['get', 'list', 'watch'].map(verb => ({ verb, resource, namespace })),
    );
    const missing = await missingRight(access, rights, signal);
    if (missing !== undefined) throw unavailable(missing);
    return sources;
  }

  #watch(source: RecordSource): RecordWatch {
    return new RecordWatch(source, {
      access: this.#options.access,
      store: this.#store,
      whole: this.#whole,
      times: this.#options.times,
      changed: () => this.#keepBounds(),
      refused: (record, reason) =>
        this.#options.log('warn', 'a release record cannot be read', { record, reason }),
      failed: error => this.#onFailed(error),
      listed: () => this.#onListed(),
    });
  }

  #onListed(): void {
    this.#wake();
    if (!this.#isListed()) return;
    this.#failures = 0;
    for (const { relisted } of this.#subscribers) relisted?.();
  }

  /** Waits until something is so, the signal is aborted, or the records are closed. */
  async #until(isSo: () => boolean, signal: AbortSignal): Promise<void> {
    while (!isSo() && !signal.aborted && !this.#closed.signal.aborted)
      await once(this.#waiting, 'change', { signal }).catch(() => {});
  }

  #wake(): void {
    this.#waiting.emit('change');
  }

  /** Those of a list that is not complete, too. */
  #summaryBytes(): number {
    return this.#watches.reduce((sum, { pendingBytes }) => sum + pendingBytes, this.#store.bytes);
  }

  #keepBounds(): void {
    const { maxBytes } = this.#options;
    if (this.#summaryBytes() <= maxBytes) {
      this.#whole.shrink();
      return;
    }
    const { count } = this.#store.faults;
    const unreadable = count > 0 ? ` and the notes about ${count} unreadable ones` : '';
    this.#setProblem(
      `the summaries of ${this.#store.size} records${unreadable} take more than --records-cache-bytes (${maxBytes})`,
    );
    this.#stopWatches();
  }

  #onFailed(error: GatewayError): void {
    this.#options.log('debug', 'watching release records failed', { error });
    this.#wake();
    if (!(error instanceof ApiRefused && error.status === 403)) return;
    this.#setProblem(error.message);
    this.#stopWatches();
  }

  #stopWatches(): void {
    this.#round.abort();
    const watches = this.#watches;
    this.#watches = []; // first, so that nobody is told that every release was deleted
    for (const { objects } of watches) objects.close();
    if (watches.length === 0) return;
    this.#store.clear();
    for (const { ended } of [...this.#subscribers]) ended?.(unusable(this.#problem));
  }

  #setProblem(problem: string): void {
    if (problem !== this.#problem)
      this.#options.log(this.only ? 'warn' : 'info', 'reads do not come from release records', { problem });
    this.#problem = problem;
    this.#wake();
  }

  /** Whether nothing has failed yet, and only time is missing. */
  #isStarting(): boolean {
    if (this.#watches.length === 0) return this.#problem === undefined;
    return !this.#isListed() && this.#watches.every(({ objects }) => objects.state.failure === undefined);
  }

  /** Why this read cannot be answered at the moment. */
  #reasonFor(method: string, request: Uint8Array): string | undefined {
    const reason = this.#reason();
    return reason !== undefined && isOfCurrent(method, request) ? this.#reason(true) : reason;
  }

  /** Why reads cannot be answered at the moment. @param ofCurrent reads that need no superseded revisions */
  #reason(ofCurrent = false): string | undefined {
    if (this.#watches.length === 0) return this.#problem ?? 'the release records have not been listed yet';
    const unlisted = this.#watches.find(
      ({ objects }) => !(ofCurrent ? objects.state.isBegun : objects.state.isListed),
    );
    if (unlisted)
      return unlisted.objects.state.failure?.message ?? `the ${unlisted.description} are being listed`;
    const ageMs = this.#ageMs();
    const { maxAgeMs = defaultMaxAgeMs } = this.#options;
    if (ageMs <= maxAgeMs) return undefined;
    const failure = this.#watches.find(({ objects }) => objects.state.failure)?.objects.state.failure
      ?.message;
    return `the release records are ${Math.round(ageMs / 1000)} s old${failure === undefined ? '' : `: ${failure}`}`;
  }

  #isListed(): boolean {
    return this.#watches.length > 0 && this.#watches.every(({ objects }) => objects.state.isListed);
  }

  #ageMs(): number {
    if (this.#watches.length === 0) return Number.POSITIVE_INFINITY;
    return performance.now() - Math.min(...this.#watches.map(({ objects }) => objects.state.heardAt));
  }

  #requireUsable(method: string, request: Uint8Array): void {
    const reason = this.#reasonFor(method, request);
    if (reason !== undefined)
      throw unavailable(`reading release records: ${reason}`, { step: 'reading release records' });
  }

  #translate(error: unknown, method: string): GatewayError {
    return this.#options.rawErrors ? GatewayError.from(error) : translateFailure(error, { method });
  }
}

/** Whether a read is a list without superseded revisions: all others may be of such. */
function isOfCurrent(method: string, request: Uint8Array): boolean {
  if (method !== 'ListReleases') return false;
  return !decodeMessage('hapi.services.tiller.ListReleasesRequest', request).status_codes.includes(
    'SUPERSEDED',
  );
}

function unusable(problem: string | undefined): GatewayError {
  return new GatewayError(Code.FAILED_PRECONDITION, `the release records cannot be watched: ${problem}`, {
    reason: 'RECORDS_UNAVAILABLE',
  });
}
