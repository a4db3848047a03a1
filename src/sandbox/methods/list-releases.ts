import { compareUtf8 } from '@tiller-gateway/helm-render';
import { RE2JS } from 're2js';
import { type ListReleasesRequest, type StatusCode, WireWriter } from '../../codec/index.ts';
import type { Revision } from '../state/revision.ts';
import type { TillerState } from '../state/tiller-state.ts';
import { TillerCrash, tillerError } from '../work/tiller-error.ts';

/** What a limit of 0 stands for. */
const defaultLimit = 512;

/** Tiller's bound on a message; a list is cut into chunks below it. */
export const maxMessageBytes = 20 * 1024 * 1024;

/** Longer filters are refused, so that compiling one stays cheap. */
const maxFilterLength = 1_000;

/** Of `ListReleasesResponse`. */
const field = { count: 1, next: 2, total: 3, releases: 4 };

/**
 * The releases that the request asks for, as `ListReleasesResponse`s in wire format, made one at a time. None at all when
 * there are no releases, as Tiller does.
 * @throws GatewayError UNKNOWN with Tiller's text; INTERNAL for a negative limit, on which a real Tiller crashes
 */
export function* listReleases(state: TillerState, request: ListReleasesRequest): Generator<Buffer> {
  const matching = sortRevisions(filterRevisions(state, request), request);
  const { page, next } = pageOf(matching, request);
  const head = new WireWriter()
    .intField(field.count, page.length)
    .stringField(field.next, next)
    .intField(field.total, matching.length)
    .finish();
  let chunk: Revision[] = [];
  let bytes = head.length;
  for (const revision of page) {
    const size = revision.wire.length + 6; // its tag and length
    if (chunk.length > 0 && bytes + size > maxMessageBytes) {
      yield toMessage(head, chunk, bytes);
      chunk = [];
      bytes = head.length;
    }
    chunk.push(revision);
    bytes += size;
  }
  if (chunk.length > 0) yield toMessage(head, chunk, bytes);
}

function toMessage(head: Buffer, revisions: readonly Revision[], bytes: number): Buffer {
  const writer = new WireWriter(bytes).raw(head);
  for (const { wire } of revisions) writer.bytesField(field.releases, wire);
  return writer.finish();
}

function filterRevisions(state: TillerState, request: ListReleasesRequest): Revision[] {
  const codes: StatusCode[] = request.status_codes.length > 0 ? request.status_codes : ['DEPLOYED'];
  const { namespace } = request;
  const stored = state.store.list(codes).filter(each => namespace === '' || each.namespace === namespace);
  if (request.filter === '') return stored;
  const pattern = compileFilter(request.filter);
  return stored.filter(({ name }) => pattern.matcher(name).find());
}

/** Go's regular expressions are RE2's. */
function compileFilter(filter: string): RE2JS {
  if (filter.length > maxFilterLength) throw tillerError('error parsing regexp: expression too large');
  try {
    return RE2JS.compile(filter);
  } catch (error) {
    throw tillerError((error as Error).message, { cause: error });
  }
}

/** Sorts stay in storage order where they find no difference; DESC turns the whole list round, sorted or not. */
function sortRevisions(revisions: Revision[], { sort_by, sort_order }: ListReleasesRequest): Revision[] {
  if (sort_by === 'NAME') revisions.sort((a, b) => compareUtf8(a.name, b.name));
  else if (sort_by === 'LAST_RELEASED') {
    revisions.sort((a, b) => a.lastDeployedSeconds - b.lastDeployedSeconds);
  } else if (sort_by === 'CHART_NAME') revisions.sort((a, b) => compareUtf8(a.chartName, b.chartName));
  return sort_order === 'DESC' ? revisions.reverse() : revisions;
}

function pageOf(
  revisions: Revision[],
  { offset, limit }: ListReleasesRequest,
): { page: Revision[]; next: string } {
  // Where a name stands for several revisions, the last of them counts.
  const start = offset === '' ? 0 : revisions.findLastIndex(({ name }) => name === offset);
  if (start < 0) throw tillerError(`offset ${JSON.stringify(offset)} not found`);
  if (limit < 0) throw new TillerCrash(`limit ${limit}`);
  const end = start + (limit === 0 ? defaultLimit : limit);
  return { page: revisions.slice(start, end), next: revisions[end]?.name ?? '' };
}
