import type { Records } from '../../backends/index.ts';
import { type CallContext, type GatewayError, limitExceeded, unavailable } from '../../protocol/index.ts';
import { Feed, type FeedSource, type WatchWish } from './feed.ts';

export type { WatchWish } from './feed.ts';

export interface LiveOptions {
  /** Streams at the same time, of all clusters. */
  readonly maxStreams: number;
  /** After this time without an event a stream gets a heartbeat. */
  readonly heartbeatMs: number;
  /** Of the changes of one cluster that are kept, to resume from and for slow clients. */
  readonly backlogBytes: number;
  /** Fires when the gateway begins to stop: streams end then. */
  readonly stopping?: AbortSignal | undefined;
}

/** For the metrics. */
export interface LiveCounts {
  readonly streams: number;
  /** Events sent on all streams. */
  readonly sent: number;
  /** Streams whose clients were too slow. */
  readonly cut: number;
}

/** Records as far as streams need them. */
export type LiveRecords = FeedSource & Pick<Records, 'ready'>;

/** A change takes a few hundred bytes at the least, so that the bound on bytes is the one that counts. */
const maxChanges = 20_000;

/** How long a stream waits for the first list of the records. */
const readyTimeoutMs = 10_000;

/** The streams of changes of all clusters. */
export class LiveReleases {
  readonly #options: LiveOptions;
  readonly #feeds = new Map<LiveRecords, Feed>();
  #streams = 0;
  #sent = 0;
  #cut = 0;

  constructor(options: LiveOptions) {
    this.#options = options;
    options.stopping?.addEventListener('abort', () => {
      for (const feed of [...this.#feeds.values()]) feed.close(stoppingError());
    });
  }

  counts(): LiveCounts {
    return { streams: this.#streams, sent: this.#sent, cut: this.#cut };
  }

  /**
   * Keeps the changes of these records from now on, until they are given up, so that clients of other replicas can go on
   * here.
   */
  follow(records: LiveRecords): Feed {
    const known = this.#feeds.get(records);
    if (known) return known;
    const { heartbeatMs, backlogBytes, stopping } = this.#options;
    const feed = new Feed(records, {
      heartbeatMs,
      maxBytes: backlogBytes,
      maxChanges,
      onCut: () => void this.#cut++,
      onClose: () => void this.#feeds.delete(records),
    });
    this.#feeds.set(records, feed);
    if (stopping?.aborted) feed.close(stoppingError());
    return feed;
  }

  /**
   * The changes of records, once they are there.
   * @throws GatewayError RESOURCE_EXHAUSTED for a stream too many, RECORDS_UNAVAILABLE, and as `Feed.watch`
   */
  async *watch(
    records: LiveRecords,
    wish: WatchWish,
    context: CallContext,
  ): AsyncGenerator<Buffer, void, undefined> {
    const leave = this.#enter();
    try {
      // a signal with a timer for each of thousands of streams is worth sparing
      if (!records.report().usable)
        await records.ready(AbortSignal.any([context.signal, AbortSignal.timeout(readyTimeoutMs)]));
      const events = this.follow(records).watch(wish, context);
      for await (const event of events) {
        this.#sent++;
        yield event;
      }
    } finally {
      leave();
    }
  }

  /** The events of a stream that another gateway gives, counted and ended as the others. */
  async *relay<T>(
    events: () => AsyncGenerator<T, void, undefined>,
    context: CallContext,
  ): AsyncGenerator<T, void, undefined> {
    const { stopping } = this.#options;
    const leave = this.#enter();
    const stop = () => context.abort?.(stoppingError());
    stopping?.addEventListener('abort', stop, { once: true });
    try {
      for await (const event of events()) {
        this.#sent++;
        yield event;
      }
      throw unavailable("the cluster's gateway ended its stream of changes", { reason: 'UPSTREAM_LOST' });
    } finally {
      stopping?.removeEventListener('abort', stop);
      leave();
    }
  }

  /** Counts a stream until the function that it gives is called. @throws GatewayError where it is one too many */
  #enter(): () => void {
    if (this.#options.stopping?.aborted) throw stoppingError();
    if (this.#streams >= this.#options.maxStreams) {
      throw limitExceeded(`${this.#streams} streams of changes are open already (--max-watchers)`, {
        reason: 'OVERLOADED',
      });
    }
    this.#streams++;
    return () => void this.#streams--;
  }
}

function stoppingError(): GatewayError {
  return unavailable('the gateway is stopping: watch again with resume_after', { reason: 'STOPPING' });
}
