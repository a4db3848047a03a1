import type { Backend, Records, TillerCalls } from '../backends/index.ts';
import { GatewayError, limitExceeded, orAborted, unavailable } from '../protocol/index.ts';
import {
  Breaker,
  type BreakerRules,
  type ClusterReport,
  type ClusterState,
  describeFailure,
  describeReads,
} from './breaker.ts';
import { TillerOnDemand } from './tiller-on-demand.ts';
import type { ClusterEntry, TillerPlace, Upstream, UpstreamEvents } from './upstreams/upstream.ts';

/** Where the clusters' events are logged. */
export type ClusterLog = (
  level: 'error' | 'warn' | 'info' | 'debug',
  message: string,
  fields: Readonly<Record<string, unknown>>,
) => void;

export interface ClusterOptions {
  /** Opens the upstream; `signal` bounds what has to be asked for it. */
  readonly open: (entry: ClusterEntry, events: UpstreamEvents, signal: AbortSignal) => Promise<Upstream>;
  /** Makes room for one more open cluster. @throws GatewayError RESOURCE_EXHAUSTED where there is none */
  readonly admit: () => void;
  /** Runs when the connection was closed because nothing used it. */
  readonly onIdle?: (() => void) | undefined;
  /** Infinity: the connection stays, used or not. */
  readonly idleMs: number;
  /** Calls at the same time. */
  readonly maxCalls: number;
  /** Bound on opening the upstream, and on a probe. */
  readonly connectTimeoutMs: number;
  readonly breaker?: BreakerRules;
  /** Opens the release records of a cluster whose Tiller is reached through Kubernetes. Default: they are not read. */
  readonly records?: ((place: TillerPlace, entry: ClusterEntry) => Records | undefined) | undefined;
  readonly log: ClusterLog;
}

/**
 * One cluster: opened on first use, closed when it was not used for a while, and left alone (but probed) while it is
 * down. It owns its upstream, its timers and the count of its calls.
 */
export class Cluster {
  readonly entry: ClusterEntry;
  readonly #options: ClusterOptions;
  readonly #breaker: Breaker;
  readonly #onDemand: TillerCalls = new TillerOnDemand(this);
  /** Incremented when an upstream is dropped; events of older generations are ignored. */
  #generation = 0;
  #upstream: Upstream | undefined;
  /** Opened with the first upstream. They outlive it: they can be read while Tiller cannot be reached. */
  #records: Records | undefined;
  #opening: Promise<Upstream> | undefined;
  #connected = false;
  #calls = 0;
  /** Work that goes on as long as its clients like. */
  #streams = 0;
  #usedAt = performance.now();
  #idleTimer: NodeJS.Timeout | undefined;
  #probeTimer: NodeJS.Timeout | undefined;
  #tripped = new AbortController();
  readonly #removed = new AbortController();
  #version: string | undefined;
  #roundTripMs: number | undefined;

  constructor(entry: ClusterEntry, options: ClusterOptions) {
    this.entry = entry;
    this.#options = options;
    this.#breaker = new Breaker(options.breaker);
  }

  get name(): string {
    return this.entry.name;
  }

  /** Where reads come from, in a few words; undefined where there is no question of records. */
  get reads(): string | undefined {
    const report = this.#records?.report();
    return report && (report.usable ? 'release records' : `Tiller (${report.reason})`);
  }

  get isOpen(): boolean {
    return this.#upstream !== undefined || this.#opening !== undefined;
  }

  get isBusy(): boolean {
    return this.#calls > 0 || this.#streams > 0;
  }

  /** On the clock of `performance.now()`. */
  get usedAt(): number {
    return this.#usedAt;
  }

  get state(): ClusterState {
    if (this.#breaker.failure) return 'failing';
    if (this.#connected) return 'ready';
    return this.isOpen ? 'connecting' : 'idle';
  }

  /** Why the cluster cannot be reached, since anything worked. */
  get failure(): GatewayError | undefined {
    return this.#breaker.failure;
  }

  report(): ClusterReport {
    const { failure, since } = this.#breaker;
    return {
      name: this.name,
      upstream: this.#upstream?.kind ?? this.entry.upstream ?? 'auto',
      state: this.state,
      ...(failure && since && { failing: describeFailure(failure, since) }),
      ...(this.#version !== undefined && { tiller: this.#version }),
      ...(this.#roundTripMs !== undefined && { round_trip_ms: Math.round(this.#roundTripMs * 100) / 100 }),
      calls: this.#calls,
      ...(this.#records && { reads: describeReads(this.#records.report()) }),
    };
  }

  /**
   * Gives what answers for the releases. Where that is Tiller, each call to it holds the cluster open by itself, opened if
   * need be: a request that is wrong, or needs no Tiller, is answered as such while Tiller is down, and a change that goes
   * on without its client keeps the cluster open. Where nothing says that it is Tiller, or there may be records, the cluster
   * is opened first.
   * @param isLive the work goes on as long as its client likes: it is no call, and the records stay open for it
   * @throws GatewayError as `use`
   */
  async withBackend<T>(
    signal: AbortSignal,
    work: (backend: Backend) => Promise<T>,
    isLive = false,
  ): Promise<T> {
    const { upstream } = this.entry;
    if (isLive) this.#streams++;
    try {
      const isOpenedFirst = !upstream || (upstream !== 'gateway' && this.#lacksRecords(isLive));
      const kind = isOpenedFirst ? await this.use(signal, async opened => opened.kind) : upstream;
      if (kind === 'gateway') return await this.use(signal, ({ backend }) => work(backend));
      this.#startIdling();
      return await work({ kind: 'tiller', tiller: this.#onDemand, records: this.#records });
    } finally {
      if (isLive) {
        this.#streams--;
        this.#startIdling();
      }
    }
  }

  /** Whether the cluster has to be opened to know its records. */
  #lacksRecords(isLive: boolean): boolean {
    if (this.#records || this.#upstream) return false;
    return isLive || (this.#options.records !== undefined && this.entry.upstream !== 'direct');
  }

  /**
   * Holds the cluster open while `work` runs, and counts it as a call. The upstream may still have to connect.
   * @throws GatewayError RESOURCE_EXHAUSTED where too many calls are running, UNAVAILABLE with the step that failed
   */
  async use<T>(signal: AbortSignal, work: (upstream: Upstream) => Promise<T>): Promise<T> {
    this.#begin();
    try {
      return await work(this.#upstream ?? (await this.open(signal)));
    } finally {
      this.#end();
    }
  }

  /** As `use`, for work that gives its results one by one. */
  async *useStream<T>(
    signal: AbortSignal,
    work: (upstream: Upstream) => AsyncGenerator<T>,
  ): AsyncGenerator<T> {
    this.#begin();
    try {
      yield* work(this.#upstream ?? (await this.open(signal)));
    } finally {
      this.#end();
    }
  }

  #begin(): void {
    this.#usedAt = performance.now(); // also for calls that fail at once: as long as somebody asks, it is probed
    if (this.#removed.signal.aborted) throw GatewayError.from(this.#removed.signal.reason);
    if (this.#breaker.isOpen && this.#breaker.failure) throw this.#breaker.failure;
    if (this.#calls >= this.#options.maxCalls) {
      const message = `cluster ${this.name} has ${this.#calls} calls in progress already (--cluster-max-calls)`;
      throw limitExceeded(message, { reason: 'OVERLOADED' });
    }
    this.#calls++;
    clearTimeout(this.#idleTimer);
    if (!this.#connected) this.#breaker.started(performance.now());
  }

  #end(): void {
    this.#calls--;
    this.#startIdling();
  }

  /** Opens the upstream without a call. @throws GatewayError that says what is wrong with the entry, or the step that failed */
  open(signal: AbortSignal): Promise<Upstream> {
    const bound = AbortSignal.any([signal, this.#tripped.signal, this.#removed.signal]);
    return orAborted(this.#openShared(), bound);
  }

  /** Connects if there is no connection. @returns Tiller's version, if known. @throws GatewayError as `use` */
  async connect(signal: AbortSignal): Promise<string> {
    await this.use(signal, upstream => upstream.connect(signal));
    return this.#version ?? '';
  }

  /** Asks Tiller's version, which opens the cluster and measures its round trip. @throws GatewayError as `use` */
  check(signal: AbortSignal): Promise<string> {
    return this.use(signal, async upstream => {
      await upstream.connect(signal);
      return this.#measure(upstream, signal);
    });
  }

  /** Closes the connection if nothing uses it; the next call opens it again. */
  rest(): void {
    if (this.isBusy) return;
    this.#shut('it was not used');
    if (this.#breaker.isOpen) this.#breaker.rest();
  }

  /** The cluster is gone from the configuration: running calls finish, further ones fail. */
  remove(reason = `cluster ${this.name} is not served any more`): void {
    this.#removed.abort(unavailable(reason));
    this.#shut(reason);
  }

  /** Fails running calls. */
  destroy(reason?: string): void {
    const upstream = this.#upstream;
    this.remove(reason);
    upstream?.destroy();
  }

  #openShared(): Promise<Upstream> {
    if (this.#upstream) return Promise.resolve(this.#upstream);
    if (this.#opening) return this.#opening;
    this.#options.admit();
    const opening = this.#openNew().finally(() => {
      this.#opening = undefined;
    });
    opening.catch(() => {}); // its callers may have gone by the time it fails
    this.#opening = opening;
    return opening;
  }

  async #openNew(): Promise<Upstream> {
    const removed = this.#removed.signal;
    const bound = AbortSignal.any([AbortSignal.timeout(this.#options.connectTimeoutMs), removed]);
    try {
      const upstream = await this.#options.open(this.entry, this.#eventsOf(this.#generation), bound);
      if (removed.aborted) {
        upstream.close('the cluster is not served any more');
        throw removed.reason;
      }
      this.#upstream = upstream;
      if (upstream.kubernetes) this.#records ??= this.#options.records?.(upstream.kubernetes, this.entry);
      return upstream;
    } catch (thrown) {
      const error = GatewayError.from(thrown);
      this.#onFailed(error);
      throw error;
    }
  }

  #eventsOf(generation: number): UpstreamEvents {
    const ifCurrent =
      <A extends unknown[]>(handle: (...args: A) => void) =>
      (...args: A) => {
        if (generation === this.#generation) handle(...args);
      };
    return {
      connected: ifCurrent((version?: string, target?: string) => this.#onConnected(version, target)),
      failed: ifCurrent((error: GatewayError) => this.#onFailed(error)),
      lost: ifCurrent((reason: string) => this.#onLost(reason)),
      written: (...write) => this.#records?.writes.ended(...write),
    };
  }

  #onConnected(version?: string, target?: string): void {
    if (this.#breaker.failure) this.#log('info', 'the cluster is back');
    this.#breaker.succeeded();
    if (version !== undefined) {
      this.#version = version;
      this.#log('info', `connected to Tiller ${version}`, { target });
    }
    if (this.#connected) return;
    this.#connected = true;
    clearTimeout(this.#probeTimer);
    const upstream = this.#upstream;
    if (!upstream || version !== undefined) return;
    void this.#measure(upstream, AbortSignal.timeout(this.#options.connectTimeoutMs)).catch(() => {});
  }

  #onLost(reason: string): void {
    this.#connected = false;
    this.#log('warn', 'the connection was lost', { reason });
  }

  #onFailed(error: GatewayError): void {
    if (this.#removed.signal.aborted) return;
    this.#connected = false;
    const level = error.message === this.#breaker.failure?.message ? 'debug' : 'warn';
    this.#log(level, 'the cluster cannot be reached', { error });
    if (!this.#breaker.failed(error, performance.now())) return;
    // each probe opens a new upstream: by then the Service, the Pod or the credentials may be others
    this.#drop(error.message);
    this.#tripped.abort(error);
    this.#tripped = new AbortController();
    this.#probeLater();
  }

  #probeLater(): void {
    clearTimeout(this.#probeTimer);
    this.#probeTimer = setTimeout(() => void this.#probe(), this.#breaker.pauseMs).unref();
  }

  /** Ends by itself once nobody has asked for the cluster for a while. */
  async #probe(): Promise<void> {
    if (performance.now() - this.#usedAt > this.#options.idleMs) return this.rest();
    const signal = AbortSignal.timeout(this.#options.connectTimeoutMs);
    try {
      const upstream = await orAborted(this.#openShared(), signal);
      await upstream.connect(signal);
      await this.#measure(upstream, signal);
      this.#onConnected();
      if (!this.isBusy) this.#setIdleTimer();
    } catch {
      this.#breaker.probeFailed();
      this.#drop('the cluster cannot be reached');
      if (!this.#removed.signal.aborted) this.#probeLater();
    }
  }

  async #measure(upstream: Upstream, signal: AbortSignal): Promise<string> {
    const startedAt = performance.now();
    this.#version = await upstream.version(signal);
    this.#roundTripMs = performance.now() - startedAt;
    return this.#version;
  }

  /** The cluster was used until now. */
  #startIdling(): void {
    this.#usedAt = performance.now();
    if (!this.isBusy) this.#setIdleTimer();
  }

  #setIdleTimer(): void {
    clearTimeout(this.#idleTimer);
    const { idleMs, onIdle } = this.#options;
    if (!this.isOpen || idleMs === Number.POSITIVE_INFINITY) return;
    this.#idleTimer = setTimeout(() => {
      this.rest();
      onIdle?.();
    }, idleMs).unref();
  }

  #drop(reason: string): void {
    const upstream = this.#upstream;
    this.#generation++;
    this.#upstream = undefined;
    this.#connected = false;
    upstream?.close(reason);
  }

  #shut(reason: string): void {
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#probeTimer);
    this.#drop(reason);
    this.#records?.close();
    this.#records = undefined;
  }

  #log(level: 'info' | 'warn' | 'debug', message: string, fields: Record<string, unknown> = {}): void {
    this.#options.log(level, message, { cluster: this.name, ...fields });
  }
}
