import type { RecordChange, Records, StoredRevision } from '../../backends/index.ts';
import { type CallContext, GatewayError, limitExceeded } from '../../protocol/index.ts';
import { ChangeLog, type LogBounds } from './change-log.ts';
import { markMessage, snapshotMessage } from './event.ts';

/** An id that no stream can be resumed from. */
const unknownPosition = 'unknown';

/** The records that a feed follows; what they report goes into heartbeats. */
export type FeedSource = Pick<Records, 'all' | 'report' | 'subscribe'>;

export interface FeedOptions extends LogBounds {
  /** After this time without an event a stream gets a heartbeat. */
  readonly heartbeatMs: number;
  /** Runs when a stream was cut because its client was too slow. */
  readonly onCut?: () => void;
  /** Runs when the feed has ended: its records were given up, or `close` was called. */
  readonly onClose?: () => void;
}

/** What a stream is asked for. */
export interface WatchWish {
  matches(revision: StoredRevision): boolean;
  readonly snapshot: boolean;
  /** Empty: from now on. */
  readonly resumeAfter: string;
}

interface Stream {
  readonly context: CallContext;
  /** Of the last change that the stream has gone past. */
  sequence: number;
  /** Whether an event was sent since the last beat; if not, the next one is due. */
  isFresh: boolean;
  isBeatDue: boolean;
  /** Ends the stream's sleep. */
  wake(): void;
}

/**
 * The changes of one cluster's records, for any number of streams. A change is kept and made into a message once;
 * each stream has a place in the log and nothing of its own. One that falls behind what the log keeps is cut.
 */
export class Feed {
  readonly #source: FeedSource;
  readonly #options: FeedOptions;
  readonly #log: ChangeLog;
  readonly #last = new Map<string, StoredRevision>();
  readonly #streams = new Set<Stream>();
  readonly #unsubscribe: () => void;
  readonly #timer: NodeJS.Timeout;
  #lastBeat: { readonly id: string; readonly reason: string; readonly message: Buffer } | undefined;
  #end: GatewayError | undefined;

  constructor(source: FeedSource, options: FeedOptions) {
    this.#source = source;
    this.#options = options;
    const there = [...source.all()];
    for (const revision of there) this.#last.set(keyOf(revision), revision);
    this.#log = new ChangeLog(options, there);
    this.#unsubscribe = source.subscribe(change => this.#onChange(change), {
      relisted: () => this.#log.interrupt(),
      ended: reason => this.close(reason),
    });
    this.#timer = setInterval(() => this.#beat(), options.heartbeatMs).unref();
  }

  /** Ends all streams with this error, and every later one at its start. */
  close(reason: GatewayError): void {
    if (this.#end) return;
    this.#end = reason;
    clearInterval(this.#timer);
    this.#unsubscribe();
    for (const stream of this.#streams) this.#stop(stream, reason);
    this.#options.onClose?.();
  }

  /**
   * The events as `WatchReleasesResponse`s in wire format. Changes have the same bytes object for each stream.
   * @throws GatewayError RESOURCE_EXHAUSTED with reason SLOW_CLIENT, the reason of `close`, or of the context's signal
   */
  async *watch(wish: WatchWish, context: CallContext): AsyncGenerator<Buffer, void, undefined> {
    const stream: Stream = {
      context,
      sequence: this.#log.sequence,
      isFresh: false,
      isBeatDue: true, // a client sees that the stream is open
      wake() {},
    };
    const wake = () => stream.wake();
    context.signal.addEventListener('abort', wake, { once: true });
    this.#streams.add(stream);
    try {
      this.#check(stream);
      const place = wish.resumeAfter === '' ? undefined : this.#log.resume(wish.resumeAfter);
      const resumed = typeof place === 'object' ? place : undefined;
      if (resumed) stream.sequence = resumed.sequence;
      if (typeof place === 'string') yield markMessage('RESET', unknownPosition, place);
      if (typeof place === 'string' || (!place && wish.snapshot)) yield* this.#snapshot(stream, wish);
      for (;;) {
        while (stream.sequence < this.#log.sequence) {
          this.#check(stream);
          const change = this.#log.at(++stream.sequence);
          const type = resumed?.skips(change) ? undefined : change.typeFor(wish.matches);
          if (type) yield this.#sent(stream, change.message(type));
        }
        this.#check(stream);
        if (stream.isBeatDue) yield this.#sent(stream, this.#heartbeat());
        else await new Promise<void>(resolve => (stream.wake = resolve));
      }
    } finally {
      this.#streams.delete(stream);
      context.signal.removeEventListener('abort', wake);
    }
  }

  /** What matches now; changes during a slow snapshot wait in the log. */
  async *#snapshot(stream: Stream, { matches }: WatchWish): AsyncGenerator<Buffer, void, undefined> {
    stream.sequence = this.#log.sequence;
    const { id } = this.#log;
    const there: StoredRevision[] = [];
    for (const revision of this.#source.all()) if (matches(revision)) there.push(revision);
    for (const revision of there) {
      yield snapshotMessage(revision);
      this.#check(stream);
    }
    yield this.#sent(stream, markMessage('SNAPSHOT_END', id));
  }

  #onChange({ type, release, at }: RecordChange): void {
    const key = keyOf(release);
    const before = this.#last.get(key);
    const after = type === 'deleted' ? undefined : release;
    if (!before && !after) return;
    if (after) this.#last.set(key, after);
    else this.#last.delete(key);
    this.#log.append(before, after, at);
    for (const stream of this.#streams) {
      if (stream.sequence < this.#log.dropped) this.#cut(stream);
      else stream.wake();
    }
  }

  #beat(): void {
    for (const stream of this.#streams) {
      stream.isBeatDue = !stream.isFresh;
      stream.isFresh = false;
      if (stream.isBeatDue) stream.wake();
    }
  }

  #sent(stream: Stream, message: Buffer): Buffer {
    stream.isFresh = true;
    stream.isBeatDue = false;
    return message;
  }

  /** The same for all streams until something changes. It says so where the records are behind. */
  #heartbeat(): Buffer {
    const { id } = this.#log;
    const { reason = '' } = this.#source.report();
    if (this.#lastBeat?.id !== id || this.#lastBeat.reason !== reason)
      this.#lastBeat = { id, reason, message: markMessage('HEARTBEAT', id, reason) };
    return this.#lastBeat.message;
  }

  #cut(stream: Stream): void {
    if (!this.#streams.delete(stream)) return;
    this.#options.onCut?.();
    this.#stop(stream, slowClient());
  }

  /** A stream whose client takes nothing waits in a write, which the context's end ends. */
  #stop(stream: Stream, reason: GatewayError): void {
    stream.context.abort?.(reason);
    stream.wake();
  }

  #check(stream: Stream): void {
    if (stream.context.signal.aborted) throw GatewayError.from(stream.context.signal.reason);
    if (this.#end) throw this.#end;
    if (stream.sequence < this.#log.dropped) throw slowClient();
  }
}

function keyOf({ resource, objectNamespace, objectName }: StoredRevision): string {
  return `${resource}/${objectNamespace}/${objectName}`;
}

function slowClient(): GatewayError {
  return limitExceeded(
    'the client takes events more slowly than they come (--watch-backlog): watch again with resume_after',
    { reason: 'SLOW_CLIENT' },
  );
}
