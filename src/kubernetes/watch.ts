import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { GatewayError, readBounded, reasonOf, stepFailed } from '../protocol/index.ts';
import {
  ApiRefused,
  type ClusterAccess,
  connectionOf,
  KeptConnections,
  sendRequest,
  withFreshCredentials,
} from './api.ts';
import { type ListPage, parseListPage } from './list-page.ts';

/*
 * List and watch of one resource, as client-go's reflector. Own code and not @kubernetes/client-node's informer, which
 * lists without pages and keeps every object whole: release records of 1 GiB would be in memory twice.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */

/** The part of any object that is read here. */
export interface KubernetesObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion?: string;
  };
}

/** What happens with the objects. They come one after the other: the next is given when the promise before is settled. */
export interface WatchHandler<T extends KubernetesObject> {
  /** An object of a list. Several of a page may come at the same time. */
  listed(object: T): Promise<void>;
  /** The objects that `firstSelector` selects are listed; now all of them are. */
  begun?(): void;
  /** A list is complete: objects other than these are gone. */
  complete(names: ReadonlySet<string>): void;
  changed(object: T): Promise<void>;
  deleted(object: T): void;
  /** An attempt failed; there will be others. */
  failed(error: GatewayError): void;
}

export interface WatchTimes {
  /** A watch is asked for anew after this time: the API server proves that it is there, and that the rights are. */
  readonly watchMs: number;
  /** A watch on which nothing came for this long is taken for dead. */
  readonly silenceMs: number;
  /** Bound on one page of a list. */
  readonly pageMs: number;
  /** After the first failure, doubled with each further one, up to `maxPauseMs`. */
  readonly minPauseMs: number;
  readonly maxPauseMs: number;
}

export interface WatchOptions<T extends KubernetesObject> {
  readonly access: ClusterAccess;
  /** Such as `/api/v1/namespaces/kube-system/configmaps`. */
  readonly path: string;
  readonly labelSelector: string;
  /** Selects what is needed most. Where the first list has several pages, these objects are listed ahead of all. */
  readonly firstSelector?: string;
  /** Long texts of this key come as Buffers in the objects of lists: `parseWithBytes`. */
  readonly bytesKey?: string;
  /** How error messages begin: `watching the configmaps of kube-system`. */
  readonly step: string;
  readonly handler: WatchHandler<T>;
  readonly times?: Partial<WatchTimes> | undefined;
}

const defaultTimes: WatchTimes = {
  watchMs: 30_000,
  silenceMs: 40_000,
  pageMs: 30_000,
  minPauseMs: 100,
  maxPauseMs: 15_000,
};

/** Pages are asked for so large that they have about this many bytes: parsing one takes a few ms. */
const pageBytes = 1024 * 1024;
const firstPageLimit = 10;
const maxPageLimit = 500;
/** A larger page is asked for again with fewer objects; etcd takes objects of 1.5 MiB. */
const maxPageBytes = 16 * 1024 * 1024;
const maxEventBytes = 16 * 1024 * 1024;
/** Attempts at one page before the list begins anew. */
const pageAttempts = 3;
/** Objects of a page that are handled at the same time: some are unpacked on other threads. */
const handledAtOnce = 4;
/** Work on a page lets other work in after this time. */
const turnMs = 8;

/** How far a watch has come. */
export interface WatchState {
  /** Whether a list was ever complete. */
  isListed: boolean;
  /** Whether what `firstSelector` selects was ever listed. */
  isBegun: boolean;
  /** Of when the objects are at least, on the clock of `performance.now()`: the API server has sent something since. */
  heardAt: number;
  /** Why the latest attempt failed; undefined while the watch is running. */
  failure: GatewayError | undefined;
}

/** The path's objects from the first list on, until it is closed. It owns its connections and its timers. */
export class ObjectWatch<T extends KubernetesObject> {
  readonly #options: WatchOptions<T>;
  readonly #times: WatchTimes;
  readonly #closed = new AbortController();
  #version: string | undefined;
  readonly #state: WatchState = {
    isListed: false,
    isBegun: false,
    heardAt: Number.NEGATIVE_INFINITY,
    failure: undefined,
  };
  #failures = 0;
  /** While a list runs. */
  #connections: KeptConnections | undefined;

  constructor(options: WatchOptions<T>) {
    this.#options = options;
    this.#times = { ...defaultTimes, ...options.times };
    void this.#run();
  }

  get state(): Readonly<WatchState> {
    return this.#state;
  }

  /** Fires when the watch is closed. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  close(): void {
    this.#closed.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) await this.#list();
        const startedAt = performance.now();
        await this.#watch();
        // a server that ends each watch at once must not be asked without a pause
        if (performance.now() - startedAt < this.#times.minPauseMs * 2) await this.#pause();
        else this.#failures = 0;
      } catch (thrown) {
        if (signal.aborted) return;
        // the API server has forgotten what happened since that version
        if (thrown instanceof ApiRefused && thrown.status === 410) this.#version = undefined;
        this.#state.failure = GatewayError.from(thrown);
        this.#options.handler.failed(this.#state.failure);
        await this.#pause();
      }
    }
  }

  async #pause(): Promise<void> {
    const { minPauseMs, maxPauseMs } = this.#times;
    const pauseMs = Math.min(minPauseMs * 2 ** Math.min(this.#failures++, 20), maxPauseMs);
    const signal = this.#closed.signal;
    await wait(pauseMs * (0.75 + Math.random() / 2), undefined, { signal, ref: false }).catch(() => {});
  }

  async #list(): Promise<void> {
    const { labelSelector, firstSelector, handler } = this.#options;
    this.#connections = new KeptConnections();
    try {
      let startedAt = performance.now();
      let begun: ListPage<T>[] = [];
      if (firstSelector !== undefined && !this.#state.isBegun) {
        begun = await this.#firstPages(labelSelector);
        if (begun.at(-1)?.token !== '') {
          begun = []; // all of it comes anew, as one state that is no older than what is listed first
          await this.#takeAll(firstSelector);
          this.#state.isBegun = true;
          this.#state.heardAt = startedAt;
          handler.begun?.();
          startedAt = performance.now();
        }
      }
      const { names, version } = await this.#takeAll(labelSelector, begun);
      handler.complete(names);
      this.#version = version;
      Object.assign(this.#state, { isListed: true, isBegun: true, heardAt: startedAt, failure: undefined });
    } finally {
      this.#connections.destroy();
      this.#connections = undefined;
    }
  }

  /** Two pages, which are all of a small list. */
  async #firstPages(labelSelector: string): Promise<ListPage<T>[]> {
    const first = await this.#page(labelSelector);
    return first.token === '' ? [first] : [first, await this.#page(labelSelector, first)];
  }

  /** Page by page; the next one is asked for while one is handled. @param begun the first pages */
  async #takeAll(
    labelSelector: string,
    begun: readonly ListPage<T>[] = [],
  ): Promise<{ readonly names: ReadonlySet<string>; readonly version: string }> {
    const names = new Set<string>();
    let page = begun[0] ?? (await this.#page(labelSelector));
    for (let count = 1; ; count++) {
      const next = page.token === '' ? undefined : (begun[count] ?? this.#page(labelSelector, page));
      if (next instanceof Promise) next.catch(() => {}); // awaited later, or not at all where this page fails
      await this.#handle(page.items, names);
      if (!next) return { names, version: page.version };
      page = await next;
    }
  }

  async #handle(items: readonly T[], names: Set<string>): Promise<void> {
    const { handler } = this.#options;
    const { signal } = this.#closed;
    const rest = items.values();
    let turnAt = performance.now() + turnMs;
    const work = async () => {
      for (const item of rest) {
        if (signal.aborted) return;
        if (!isObject(item)) continue;
        names.add(`${item.metadata.namespace}/${item.metadata.name}`);
        await handler.listed(item);
        if (performance.now() < turnAt) continue;
        await nextTurn();
        turnAt = performance.now() + turnMs;
      }
    };
    await Promise.all(Array.from({ length: handledAtOnce }, work));
  }

  /** @param before undefined for the first page */
  async #page(labelSelector: string, before?: ListPage<T>): Promise<ListPage<T>> {
    const { step, bytesKey } = this.#options;
    let limit = limitBehind(before);
    for (let attempt = 1; ; attempt++) {
      const query = { labelSelector, limit: String(limit), ...(before && { continue: before.token }) };
      const signal = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(this.#times.pageMs)]);
      try {
        const response = await this.#get(query, signal);
        const bounds = { maxBytes: maxPageBytes, what: 'a page of the list', signal };
        return parseListPage<T>(await readBounded(response, bounds), step, bytesKey);
      } catch (cause) {
        const reason = signal.aborted ? 'no answer in time' : reasonOf(cause);
        const error = cause instanceof GatewayError ? cause : stepFailed(step, reason, { cause });
        if (error.reason === 'BODY_TOO_LARGE' && limit > 1) {
          limit = Math.ceil(limit / 8);
          attempt = 0;
          continue;
        }
        if (error instanceof ApiRefused || attempt === pageAttempts || this.#closed.signal.aborted)
          throw error;
        await wait(this.#times.minPauseMs, undefined, { ref: false });
      }
    }
  }

  /** Ends when the API server ends the watch, as it was asked to. */
  async #watch(): Promise<void> {
    const { step, labelSelector } = this.#options;
    const { watchMs, silenceMs } = this.#times;
    const dead = new AbortController();
    const timer = setTimeout(() => dead.abort(), silenceMs).unref();
    const signal = AbortSignal.any([this.#closed.signal, dead.signal]);
    try {
      const response = await this.#get(
        {
          labelSelector,
          watch: '1',
          allowWatchBookmarks: 'true',
          resourceVersion: this.#version ?? '',
          timeoutSeconds: String(Math.max(1, Math.round(watchMs / 1000))),
        },
        signal,
      );
      response.socket.setKeepAlive(true, 10_000);
      this.#state.heardAt = performance.now();
      this.#state.failure = undefined;
      let rest: Buffer[] = [];
      let restBytes = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        timer.refresh();
        this.#state.heardAt = performance.now();
        let start = 0;
        for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
          const line = Buffer.concat([...rest, chunk.subarray(start, end)]);
          [rest, restBytes, start] = [[], 0, end + 1];
          if (line.length > 0) await this.#take(line);
          timer.refresh();
        }
        rest.push(chunk.subarray(start));
        restBytes += chunk.length - start;
        if (restBytes > maxEventBytes) throw stepFailed(step, `an event is over ${maxEventBytes} bytes`);
      }
    } catch (cause) {
      if (cause instanceof GatewayError) throw cause;
      const reason = dead.signal.aborted ? `nothing was heard for ${silenceMs / 1000} s` : reasonOf(cause);
      throw stepFailed(step, reason, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  async #take(line: Buffer): Promise<void> {
    const { handler, step } = this.#options;
    const { type, object } = parseEvent(line, step);
    if (type === 'ERROR') throw refusalOf(step, object);
    const version = (object as Partial<KubernetesObject> | undefined)?.metadata?.resourceVersion;
    if (isObject(object) && type !== 'BOOKMARK') {
      if (type === 'DELETED') handler.deleted(object as T);
      else await handler.changed(object as T);
    }
    if (version !== undefined && version !== '') this.#version = version;
  }

  /** @throws GatewayError for an answer other than 200 */
  async #get(query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> {
    const { access, path, step } = this.#options;
    const parameters = new URLSearchParams(query);
    return withFreshCredentials(access, signal, async settings => {
      const headers = { ...settings.headers, accept: 'application/json' };
      const options = { ...connectionOf(settings, this.#connections), headers, signal };
      const response = await sendRequest(new URL(`${settings.server}${path}?${parameters}`), options);
      if (response.statusCode === 200) return response;
      const body = await readBounded(response, { maxBytes: 64 * 1024, beyond: 'cut', signal });
      throw new ApiRefused(step, response.statusCode ?? 0, body);
    });
  }
}

/** How many objects the next page shall have. */
function limitBehind(page: ListPage<unknown> | undefined): number {
  if (!page) return firstPageLimit;
  const objectBytes = Math.max(page.bytes / Math.max(page.items.length, 1), 1);
  return Math.min(Math.max(Math.floor(pageBytes / objectBytes), 1), maxPageLimit);
}

function parseEvent(line: Buffer, step: string): { readonly type?: unknown; readonly object?: unknown } {
  try {
    return (JSON.parse(line.toString()) ?? {}) as object;
  } catch {
    throw stepFailed(step, 'an event is not JSON'); // the parser's own text shows a piece of it
  }
}

function isObject(value: unknown): boolean {
  const { name, namespace } = (value as Partial<KubernetesObject> | null)?.metadata ?? {};
  return typeof name === 'string' && typeof namespace === 'string';
}

/** The `v1.Status` in an event of type ERROR. */
function refusalOf(step: string, object: unknown): ApiRefused {
  const { code } = (object ?? {}) as { code?: unknown };
  const body = Buffer.from(JSON.stringify(object ?? null));
  return new ApiRefused(step, typeof code === 'number' ? code : 0, body);
}
