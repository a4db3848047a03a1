import { decodeMessage } from '../codec/index.ts';
import { Code, GatewayError, unavailable } from '../protocol/index.ts';
import { Breaker } from './breaker.ts';
import { type ClusterReport, type ClusterState, describeFailure } from './report.ts';
import { callUnary } from './service-call.ts';
import type { ClusterEntry } from './source/cluster-entry.ts';
import type { Way, WayEvents } from './way.ts';

export interface ClusterOptions {
  /** Opens the way; `signal` bounds what has to be asked for it. */
  readonly open: (entry: ClusterEntry, events: WayEvents, signal: AbortSignal) => Promise<Way>;
  /** Makes room for one more open cluster. @throws GatewayError RESOURCE_EXHAUSTED where there is none */
  readonly admit: () => void;
  /** Runs when the connection was closed for want of use. */
  readonly onIdle?: () => void;
  readonly idleMs: number;
  /** Calls under way at the most. */
  readonly maxCalls: number;
  /** Bound on opening the way, and on a probe. */
  readonly connectTimeoutMs: number;
  readonly log: (
    level: 'info' | 'warn' | 'debug',
    message: string,
    fields: Readonly<Record<string, unknown>>,
  ) => void;
}

/**
 * One cluster: opened on first use, closed when it was not used for a while, and left alone (but probed) while it is
 * down. It owns its way, its timers and the count of its calls.
 */
export class Cluster {
  readonly entry: ClusterEntry;
  private readonly options: ClusterOptions;
  private readonly breaker = new Breaker();
  /** Changes when a way is dropped: what it tells after that is of no interest. */
  private generation = 0;
  private way: Way | undefined;
  private opening: Promise<Way> | undefined;
  private connected = false;
  private calls = 0;
  private lastUsedAt = performance.now();
  private idleTimer: NodeJS.Timeout | undefined;
  private probeTimer: NodeJS.Timeout | undefined;
  private tripped = new AbortController();
  private readonly removed = new AbortController();
  private version: string | undefined;
  private roundTripMs: number | undefined;

  constructor(entry: ClusterEntry, options: ClusterOptions) {
    this.entry = entry;
    this.options = options;
  }

  get isOpen(): boolean {
    return this.way !== undefined || this.opening !== undefined;
  }

  get isBusy(): boolean {
    return this.calls > 0;
  }

  /** On the clock of `performance.now()`. */
  get usedAt(): number {
    return this.lastUsedAt;
  }

  get state(): ClusterState {
    if (this.breaker.failure) return 'failing';
    if (this.connected) return 'ready';
    return this.isOpen ? 'connecting' : 'idle';
  }

  report(): ClusterReport {
    const { failure, since } = this.breaker;
    return {
      name: this.entry.name,
      way: this.way?.kind ?? this.entry.way ?? 'auto',
      state: this.state,
      ...(failure && since && { failing: describeFailure(failure, since) }),
      ...(this.version !== undefined && { tiller: this.version }),
      ...(this.roundTripMs !== undefined && { round_trip_ms: Math.round(this.roundTripMs * 100) / 100 }),
      calls: this.calls,
    };
  }

  /**
   * Holds the cluster open while `work` runs, and counts it as a call.
   * @throws GatewayError RESOURCE_EXHAUSTED where too many calls are under way, UNAVAILABLE naming the step that failed
   */
  async use<T>(signal: AbortSignal, work: (way: Way) => Promise<T>): Promise<T> {
    const { name } = this.entry;
    this.lastUsedAt = performance.now(); // also of those that fail at once: as long as somebody asks, it is probed
    if (this.removed.signal.aborted) throw GatewayError.from(this.removed.signal.reason);
    if (this.breaker.isOpen && this.breaker.failure) throw this.breaker.failure;
    if (this.calls >= this.options.maxCalls) {
      const message = `cluster ${name} has ${this.calls} calls under way already (--cluster-max-calls)`;
      throw new GatewayError(Code.RESOURCE_EXHAUSTED, message);
    }
    this.calls++;
    clearTimeout(this.idleTimer);
    try {
      return await work(this.connected && this.way ? this.way : await this.connect(signal));
    } finally {
      this.calls--;
      this.lastUsedAt = performance.now();
      if (this.calls === 0) this.startIdling();
    }
  }

  /** Asks Tiller's version, which opens the cluster and measures its round trip. @throws GatewayError as `use` */
  check(signal: AbortSignal): Promise<string> {
    return this.use(signal, way => this.measure(way, signal));
  }

  /** Closes the connection if nothing uses it; the next call opens it again. */
  rest(): void {
    if (this.calls > 0) return;
    this.drop('it was not used');
    clearTimeout(this.probeTimer);
    if (this.breaker.isOpen) this.breaker.rest();
  }

  /** The cluster is gone from the configuration: calls under way finish, further ones fail. */
  remove(): void {
    this.removed.abort(unavailable(`cluster ${this.entry.name} is not served any more`));
    clearTimeout(this.idleTimer);
    clearTimeout(this.probeTimer);
    this.drop('the cluster is not served any more');
  }

  /** Fails calls under way. */
  destroy(): void {
    const { way } = this;
    this.remove();
    way?.destroy();
  }

  /** Waits for a connection, no longer than the cluster counts as reachable. */
  private async connect(signal: AbortSignal): Promise<Way> {
    const bound = AbortSignal.any([signal, this.tripped.signal, this.removed.signal]);
    this.breaker.started(performance.now());
    const way = this.way ?? (await orAborted(this.openShared(), bound));
    await way.connect(bound);
    return way;
  }

  private openShared(): Promise<Way> {
    if (this.opening) return this.opening;
    this.options.admit();
    const opening = this.openWay().finally(() => {
      this.opening = undefined;
    });
    opening.catch(() => {}); // its callers may have gone by the time it fails
    this.opening = opening;
    return opening;
  }

  private async openWay(): Promise<Way> {
    const bound = AbortSignal.any([AbortSignal.timeout(this.options.connectTimeoutMs), this.removed.signal]);
    try {
      const way = await this.options.open(this.entry, this.eventsOf(this.generation), bound);
      if (this.removed.signal.aborted) {
        way.close('the cluster is not served any more');
        throw this.removed.signal.reason;
      }
      this.way = way;
      return way;
    } catch (thrown) {
      const error = GatewayError.from(thrown);
      this.onFailed(error);
      throw error;
    }
  }

  private eventsOf(generation: number): WayEvents {
    const ifCurrent =
      <A extends unknown[]>(handle: (...args: A) => void) =>
      (...args: A) => {
        if (generation === this.generation) handle(...args);
      };
    return {
      connected: ifCurrent(() => this.onConnected()),
      failed: ifCurrent((error: GatewayError) => this.onFailed(error)),
      lost: ifCurrent((reason: string) => this.onLost(reason)),
    };
  }

  private onConnected(): void {
    if (this.breaker.failure) this.options.log('info', 'the cluster is back', { cluster: this.entry.name });
    this.breaker.succeeded();
    if (this.connected) return;
    this.connected = true;
    clearTimeout(this.probeTimer);
    const { way } = this;
    if (way) void this.measure(way, AbortSignal.timeout(this.options.connectTimeoutMs)).catch(() => {});
  }

  private onLost(reason: string): void {
    this.connected = false;
    this.options.log('info', 'the connection to the cluster was lost', { cluster: this.entry.name, reason });
  }

  private onFailed(error: GatewayError): void {
    if (this.removed.signal.aborted) return;
    this.connected = false;
    const level = error.message === this.breaker.failure?.message ? 'debug' : 'warn';
    this.options.log(level, 'the cluster cannot be reached', { cluster: this.entry.name, error });
    if (!this.breaker.failed(error, performance.now())) return;
    // a way that does not work is made anew for each probe: its Service, its Pod or its credentials may be others by then
    this.drop(error.message);
    this.tripped.abort(error);
    this.tripped = new AbortController();
    this.probeLater();
  }

  private probeLater(): void {
    clearTimeout(this.probeTimer);
    this.probeTimer = setTimeout(() => void this.probe(), this.breaker.pauseMs).unref();
  }

  /** Ends by itself once nobody has asked for the cluster for a while. */
  private async probe(): Promise<void> {
    if (performance.now() - this.lastUsedAt > this.options.idleMs) return this.rest();
    const signal = AbortSignal.timeout(this.options.connectTimeoutMs);
    try {
      const way = await orAborted(this.openShared(), signal);
      await way.connect(signal);
      await this.measure(way, signal);
      this.onConnected();
      if (this.calls === 0) this.startIdling();
    } catch {
      this.breaker.probeFailed();
      this.drop('the cluster cannot be reached');
      if (!this.removed.signal.aborted) this.probeLater();
    }
  }

  private async measure(way: Way, signal: AbortSignal): Promise<string> {
    const startedAt = performance.now();
    const context = { signal, deadline: undefined };
    const reply = await callUnary(way.service, 'GetVersion', Buffer.alloc(0), context);
    this.roundTripMs = performance.now() - startedAt;
    this.version = decodeMessage('appscode.swift.v2.GetVersionResponse', reply).Version?.sem_ver ?? '';
    return this.version;
  }

  private startIdling(): void {
    clearTimeout(this.idleTimer);
    if (!this.isOpen) return;
    this.idleTimer = setTimeout(() => {
      this.rest();
      this.options.onIdle?.();
    }, this.options.idleMs).unref();
  }

  private drop(reason: string): void {
    const { way } = this;
    this.generation++;
    this.way = undefined;
    this.connected = false;
    way?.close(reason);
  }
}

/** The promise, or the signal's reason if that comes first; the promise goes on for others who wait. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(GatewayError.from(signal.reason));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', abort));
}
