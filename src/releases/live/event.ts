import { type StoredRevision, storageField } from '../../backends/index.ts';
import { createCopier, encodeMessage, messageType, WireWriter } from '../../codec/index.ts';

const response = 'appscode.swift.v2.WatchReleasesResponse';
const summary = 'appscode.swift.v2.ReleaseSummary';

/** Of a whole release, or of what records keep of one. */
export const copySummary = createCopier('hapi.release.Release', summary, {
  beside: { [storageField.summary]: 'storage' },
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

/** What happened to a record. At least one of `before` and `after` is there. */
interface ChangeFacts {
  readonly before: StoredRevision | undefined;
  readonly after: StoredRevision | undefined;
  readonly watch: string;
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
  readonly facts: ChangeFacts;
  readonly #messages = new Map<ChangeType, Buffer>();

  constructor(facts: ChangeFacts) {
    this.facts = facts;
  }

  /** What the change keeps in memory, nearly. */
  get bytes(): number {
    return overheadBytes + formsOfMessage * this.#revision.wire.length;
  }

  get #revision(): StoredRevision {
    return (this.facts.after ?? this.facts.before)!;
  }

  /** What the change is for a list with a filter. @returns undefined where the list does not change */
  typeFor(matches: (revision: StoredRevision) => boolean): ChangeType | undefined {
    const { before, after } = this.facts;
    const was = before !== undefined && matches(before);
    const is = after !== undefined && matches(after);
    if (is) return was ? 'MODIFIED' : 'ADDED';
    return was ? 'DELETED' : undefined;
  }

  /** The `WatchReleasesResponse`; the same bytes object each time. */
  message(type: ChangeType): Buffer {
    const known = this.#messages.get(type);
    if (known) return known;
    const { id, at } = this.facts;
    const made = toMessage({ type, id, at: toTimestamp(at) }, this.#revision);
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
