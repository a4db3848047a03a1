import { decodeMessage, messageType, WireType, wireFields, wireToJson } from '../codec/index.ts';
import { invalidArgument, limitExceeded, whereItFits } from '../protocol/index.ts';

const responseName = 'appscode.swift.v2.SummarizeReleasesResponse';
const responseType = messageType(responseName);
const timestampType = messageType('google.protobuf.Timestamp');
const summaryType = messageType('appscode.swift.v2.ReleaseSummary');

/** How to put the lists of clusters together: sorted, and no more than the limit. */
export interface ReleaseQuery {
  readonly sortBy: 'NAME' | 'LAST_RELEASED' | 'CHART_NAME';
  readonly descending: boolean;
  /** 0: all. */
  readonly limit: number;
}

/** What a cluster answered. Only what can be given to a thread is in it. */
export interface ClusterReply {
  readonly cluster: string;
  /** Of SummarizeReleases, in wire format; undefined where the cluster failed. */
  readonly reply?: Uint8Array;
  /** What else the answer says of the cluster. */
  readonly about: Readonly<Record<string, unknown>>;
}

/** A release where it stands in its cluster's reply, as far as sorting looks at it. */
interface Summary {
  readonly cluster: string;
  readonly name: string;
  readonly key: string;
  readonly reply: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** The most that lists are merged of, in bytes: in memory they take about six times as much until the answer is sent. */
const maxMergedBytes = 64 * 1024 * 1024;

/**
 * Reads the filters of the query, which are those of one cluster's list. Each cluster is asked for the whole limit, since
 * all of the first releases may be in one.
 * @param request of SummarizeReleases, in wire format
 * @throws GatewayError INVALID_ARGUMENT for an `offset`, which is a release of one cluster
 */
export function readReleaseQuery(request: Uint8Array): ReleaseQuery {
  const { limit, offset, sort_by, sort_order } = decodeMessage(
    'appscode.swift.v2.SummarizeReleasesRequest',
    request,
  );
  if (offset !== '') {
    throw invalidArgument('offset: a list over many clusters has no pages; raise limit or ask one cluster');
  }
  if (limit < 0) throw invalidArgument(`limit: ${limit} is negative`);
  return { sortBy: sort_by === 'UNKNOWN' ? 'NAME' : sort_by, descending: sort_order === 'DESC', limit };
}

/** @throws GatewayError RESOURCE_EXHAUSTED where the lists are too large to be merged */
export function checkMergedBytes(bytes: number): void {
  if (bytes <= maxMergedBytes) return;
  const size = `${Math.ceil(bytes / 2 ** 20)} MiB, of at most ${maxMergedBytes / 2 ** 20}`;
  throw limitExceeded(
    `the lists of these clusters are too large for one answer (${size}): ask for a lower limit, fewer clusters, or each cluster's list on a line (Accept: application/x-ndjson)`,
  );
}

/**
 * The lists of all clusters as one JSON document: the releases, each with its cluster, then how each cluster answered.
 * May run in a thread.
 */
export function mergeReplies(query: ReleaseQuery, replies: readonly ClusterReply[]): Buffer {
  const releases: Summary[] = [];
  let total = 0;
  const results = replies.map(({ cluster, reply, about }) => {
    if (!reply) return { cluster, ...about };
    const page = readPage(cluster, reply, query.sortBy);
    for (const release of page.releases) releases.push(release);
    total += page.total;
    return { cluster, ok: true, count: String(page.releases.length), total: String(page.total), ...about };
  });
  const sorted = releases.sort(comparator(query.descending));
  const shown = query.limit > 0 ? sorted.slice(0, query.limit) : sorted;
  return Buffer.concat([
    Buffer.from(`{"count":"${shown.length}","total":"${total}","releases":[`),
    ...toJson(shown),
    Buffer.from(`],"clusters":${JSON.stringify(results)}}`),
  ]);
}

/** One cluster's list as a line of its own, in the order of its reply. May run in a thread. */
export function replyToLine({ cluster, reply, about }: ClusterReply): Buffer {
  if (!reply) return Buffer.from(`${JSON.stringify({ cluster, ...about })}\n`);
  const { releases, total } = readPage(cluster, reply, 'NAME');
  const head = { cluster, ok: true, count: String(releases.length), total: String(total) };
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(head).slice(0, -1)},"releases":[`),
    ...toJson(releases),
    Buffer.from(`],${JSON.stringify(about).slice(1)}\n`),
  ]);
}

export const mergeWhereItFits = whereItFits(import.meta.url, mergeReplies);
export const toLineWhereItFits = whereItFits(import.meta.url, replyToLine);

const chunkBytes = 1024 * 1024;

/** The releases as JSON, with commas between, in a few large pieces: a small one for each release would take a kilobyte. */
function toJson(releases: readonly Summary[]): Buffer[] {
  const pieces: Buffer[] = [];
  let chunk = Buffer.allocUnsafeSlow(0);
  let length = 0;
  const add = (bytes: Uint8Array) => {
    if (length + bytes.length > chunk.length) {
      pieces.push(chunk.subarray(0, length));
      chunk = Buffer.allocUnsafeSlow(Math.max(chunkBytes, bytes.length));
      length = 0;
    }
    chunk.set(bytes, length);
    length += bytes.length;
  };
  let separator = '';
  for (const { cluster, reply, start, end } of releases) {
    const json = wireToJson(summaryType, reply.subarray(start, end));
    add(Buffer.from(`${separator}{"cluster":${JSON.stringify(cluster)}${json.length > 2 ? ',' : ''}`));
    add(json.subarray(1));
    separator = ',';
  }
  return [...pieces, chunk.subarray(0, length)];
}

function readPage(
  cluster: string,
  reply: Uint8Array,
  sortBy: ReleaseQuery['sortBy'],
): { releases: Summary[]; total: number } {
  const releases: Summary[] = [];
  const number = responseType.byName.get('releases')?.number;
  for (const field of wireFields(reply)) {
    if (field.number !== number || field.wireType !== WireType.BYTES) continue;
    const { valueStart: start, end } = field;
    const wire = reply.subarray(start, end);
    const name = textAt(wire, ['name']);
    releases.push({ cluster, name, key: sortBy === 'NAME' ? name : keyOf(wire, sortBy), reply, start, end });
  }
  const { total } = decodeMessage(responseName, without(reply, number));
  return { releases, total: total || releases.length };
}

/** A message without the fields of a number. */
function without(wire: Uint8Array, number: number | undefined): Buffer {
  const rest = [...wireFields(wire)].filter(field => field.number !== number);
  return Buffer.concat(rest.map(({ start, end }) => wire.subarray(start, end)));
}

function keyOf(wire: Uint8Array, sortBy: ReleaseQuery['sortBy']): string {
  if (sortBy === 'CHART_NAME') return textAt(wire, ['chart_metadata', 'name']);
  const deployed = bytesAt(wire, ['info', 'last_deployed']);
  if (!deployed) return '';
  // RFC 3339 with a varying number of digits behind the point, made to sort as text
  const time = String(JSON.parse(wireToJson(timestampType, deployed).toString()));
  const [, seconds = '', digits = ''] = /^([^.Z]*)(?:\.(\d+))?Z?$/.exec(time) ?? [];
  return `${seconds}.${digits.padEnd(9, '0')}`;
}

function textAt(wire: Uint8Array, path: readonly string[]): string {
  const bytes = bytesAt(wire, path);
  return bytes ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString() : '';
}

/** The last field of that name, as its bytes; of a path of names, in the message before. */
function bytesAt(
  wire: Uint8Array,
  [name = '', ...rest]: readonly string[],
  { byName } = summaryType,
): Uint8Array | undefined {
  const field = byName.get(name);
  let value: Uint8Array | undefined;
  for (const { number, wireType, valueStart, end } of wireFields(wire))
    if (number === field?.number && wireType === WireType.BYTES) value = wire.subarray(valueStart, end);
  if (!value || rest.length === 0) return value;
  return typeof field?.type === 'object' && field.type.kind === 'message'
    ? bytesAt(value, rest, field.type)
    : undefined;
}

/** As Tiller sorts, by bytes; equal ones by cluster, so that the order is always the same. */
function comparator(descending: boolean) {
  return (a: Summary, b: Summary): number => {
    const byKey = order(a.key, b.key) * (descending ? -1 : 1);
    return byKey || order(a.name, b.name) || order(a.cluster, b.cluster);
  };
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
