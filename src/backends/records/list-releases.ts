import { RE2JS } from 're2js';
import { type ListReleasesRequest, type StatusCode, WireWriter } from '../../codec/index.ts';
import { type GatewayError, invalidArgument } from '../../protocol/index.ts';
import { compareUtf8 } from '../../yaml/index.ts';
import { goSort } from './go-sort.ts';
import { tillerError } from './tiller-texts.ts';

/** What Tiller's list looks at in a stored revision. */
export interface ListedRevision {
  readonly name: string;
  readonly namespace: string;
  readonly status: StatusCode;
  readonly lastDeployedSeconds: number;
  readonly chartName: string;
}

export interface ReleasePage<R> {
  readonly page: readonly R[];
  /** `offset` of the page behind it; empty on the last one. */
  readonly next: string;
  /** Of all pages. */
  readonly total: number;
}

export interface ListOptions<R> {
  /** What is thrown for a negative limit, on which a real Tiller crashes. Default: INVALID_ARGUMENT */
  readonly negativeLimit?: (limit: number) => GatewayError;
  /** What an `offset` says of a revision. Default: its name, as for Tiller. */
  readonly offsetOf?: (revision: R) => string;
}

/** What a limit of 0 stands for. */
const defaultLimit = 512;

/** Longer filters are refused, so that compiling one stays cheap. */
const maxFilterLength = 1_000;

/** Tiller's bound on a message; a list is cut into chunks below it. */
export const maxMessageBytes = 20 * 1024 * 1024;

/** Of `ListReleasesResponse`. */
const field = { count: 1, next: 2, total: 3, releases: 4 };

/**
 * Selects, sorts and cuts as Tiller 2.17 does. The one place that knows how: reads from records and the sandbox's Tiller
 * both come here.
 * @param stored in the order in which Kubernetes lists the records: by `NAME.vVERSION`
 * @throws GatewayError UNKNOWN with Tiller's text
 */
export function selectReleases<R extends ListedRevision>(
  stored: Iterable<R>,
  request: ListReleasesRequest,
  options: ListOptions<R> = {},
): ReleasePage<R> {
  const { offset, limit } = request;
  const { offsetOf = ({ name }: R) => name, negativeLimit = refuseLimit } = options;
  const matches = createMatcher(request);
  const matching = sort([...stored].filter(matches), request);
  // where an offset stands for several revisions, the last of them counts
  const start = offset === '' ? 0 : matching.findLastIndex(revision => offsetOf(revision) === offset);
  if (start < 0) throw tillerError(`offset ${JSON.stringify(offset)} not found`);
  if (limit < 0) throw negativeLimit(limit);
  const end = start + (limit === 0 ? defaultLimit : limit);
  const after = matching[end];
  return {
    page: matching.slice(start, end),
    next: after ? offsetOf(after) : '',
    total: matching.length,
  };
}

/**
 * A page as `ListReleasesResponse`s in wire format, made one at a time; none at all for an empty page, as Tiller does.
 * @param wireOf gives a revision's `hapi.release.Release`
 */
export async function* writeReleases<R>(
  { page, next, total }: ReleasePage<R>,
  wireOf: (revision: R) => Uint8Array | Promise<Uint8Array>,
): AsyncGenerator<Buffer> {
  const head = new WireWriter()
    .intField(field.count, page.length)
    .stringField(field.next, next)
    .intField(field.total, total)
    .finish();
  let chunk: Uint8Array[] = [];
  let bytes = head.length;
  for (const revision of page) {
    const given = wireOf(revision);
    const wire = given instanceof Uint8Array ? given : await given;
    const size = wire.length + 6; // its tag and length
    if (chunk.length > 0 && bytes + size > maxMessageBytes) {
      yield toMessage(head, chunk, bytes);
      chunk = [];
      bytes = head.length;
    }
    chunk.push(wire);
    bytes += size;
  }
  if (chunk.length > 0) yield toMessage(head, chunk, bytes);
}

function toMessage(head: Buffer, releases: readonly Uint8Array[], bytes: number): Buffer {
  const writer = new WireWriter(bytes).raw(head);
  for (const wire of releases) writer.bytesField(field.releases, wire);
  return writer.finish();
}

/** Whether the list shows a revision. @throws GatewayError UNKNOWN with Tiller's text for a filter that is no expression */
export function createMatcher(
  wanted: Pick<ListReleasesRequest, 'status_codes' | 'namespace' | 'filter'>,
): (revision: Pick<ListedRevision, 'name' | 'namespace' | 'status'>) => boolean {
  const { namespace, filter } = wanted;
  const codes = new Set<StatusCode>(wanted.status_codes.length > 0 ? wanted.status_codes : ['DEPLOYED']);
  const pattern = filter === '' ? undefined : compileFilter(filter);
  return revision =>
    codes.has(revision.status) &&
    (namespace === '' || revision.namespace === namespace) &&
    (!pattern || pattern.matcher(revision.name).find());
}

/** Go's regular expressions are RE2's. */
function compileFilter(text: string): RE2JS {
  if (text.length > maxFilterLength) throw tillerError('error parsing regexp: expression too large');
  try {
    return RE2JS.compile(text);
  } catch (cause) {
    throw tillerError((cause as Error).message, { cause });
  }
}

/** DESC turns the whole list round, sorted or not. */
function sort<R extends ListedRevision>(revisions: R[], { sort_by, sort_order }: ListReleasesRequest): R[] {
  if (sort_by === 'NAME') goSort(revisions, (a, b) => compareUtf8(a.name, b.name) < 0);
  else if (sort_by === 'LAST_RELEASED')
    goSort(revisions, (a, b) => a.lastDeployedSeconds < b.lastDeployedSeconds);
  else if (sort_by === 'CHART_NAME') goSort(revisions, (a, b) => compareUtf8(a.chartName, b.chartName) < 0);
  return sort_order === 'DESC' ? revisions.reverse() : revisions;
}

function refuseLimit(limit: number): GatewayError {
  return invalidArgument(`limit: ${limit} is negative`);
}
