import type { StoredRevision } from '../../backends/index.ts';
import { createCopier, encodeMessage, messageType, WireWriter } from '../../codec/index.ts';

const response = 'appscode.swift.v2.WatchReleasesResponse';
const summary = 'appscode.swift.v2.ReleaseSummary';

const copySummary = createCopier('hapi.release.Release', summary, {
  flatten: {
    chart: createCopier('hapi.chart.Chart', summary, { rename: { metadata: 'chart_metadata' } }),
  },
});

const releaseField = messageType(response).byName.get('release')!.number;

/** Of a change as a filter sees it. */
export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** What a change takes in memory beside its messages. */
const overheadBytes = 600;

/** A release as bytes, as JSON and as JSON of an event stream. */
const formsOfMessage = 5;

export interface ChangeOptions {
  readonly before: StoredRevision | undefined;
  readonly after: StoredRevision | undefined;
  readonly resource: string;
  /** Of the API server; undefined for a deletion, whose version is not known. */
  readonly version: number | undefined;
  /** The version of the change before it. */
  readonly floor: number;
  readonly id: string;
  /** On the clock of `performance.now()`. */
  readonly at: number;
}

/** One change of a record. Its messages are made once, for all streams. */
export class Change {
  readonly before: StoredRevision | undefined;
  readonly after: StoredRevision | undefined;
  readonly resource: string;
  readonly version: number | undefined;
  readonly floor: number;
  readonly #id: string;
  readonly #at: number;
  readonly #messages = new Map<ChangeType, Buffer>();

  constructor({ before, after, resource, version, floor, id, at }: ChangeOptions) {
    this.before = before;
    this.after = after;
    this.resource = resource;
    this.version = version;
    this.floor = floor;
    this.#id = id;
    this.#at = at;
  }

  /** What the change keeps in memory, nearly. */
  get bytes(): number {
    return overheadBytes + formsOfMessage * (this.after ?? this.before!).wire.length;
  }

  /** What the change is for a list with a filter. @returns undefined where the list does not change */
  typeFor(matches: (revision: StoredRevision) => boolean): ChangeType | undefined {
    const was = this.before !== undefined && matches(this.before);
    const is = this.after !== undefined && matches(this.after);
    if (is) return was ? 'MODIFIED' : 'ADDED';
    return was ? 'DELETED' : undefined;
  }

  /** The `WatchReleasesResponse`; the same bytes object each time. */
  message(type: ChangeType): Buffer {
    const known = this.#messages.get(type);
    if (known) return known;
    const made = toMessage({ type, id: this.#id, at: toTimestamp(this.#at) }, this.after ?? this.before);
    this.#messages.set(type, made);
    return made;
  }
}

/** A message about a revision that was there. */
export function snapshotMessage(revision: StoredRevision): Buffer {
  return toMessage({ type: 'SNAPSHOT' }, revision);
}

/** A message without a release. */
export function markMessage(type: 'SNAPSHOT_END' | 'HEARTBEAT' | 'RESET', id: string, message = ''): Buffer {
  return encodeMessage(response, { type, id, message, at: toTimestamp(performance.now()) });
}

function toMessage(
  head: Parameters<typeof encodeMessage<typeof response>>[1],
  revision?: StoredRevision,
): Buffer {
  const out = new WireWriter(512).raw(encodeMessage(response, head));
  if (!revision) return out.finish();
  const mark = out.tag(releaseField, 2).open();
  copySummary(revision.wire, 0, revision.wire.length, out);
  out.close(mark);
  return out.finish();
}

function toTimestamp(at: number): { seconds: number; nanos: number } {
  const milliseconds = performance.timeOrigin + at;
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanos: Math.floor(milliseconds - seconds * 1000) * 1_000_000 };
}
