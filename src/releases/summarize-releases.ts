import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TillerCalls } from '../backends/index.ts';
import {
  createCopier,
  enumType,
  messageType,
  rewriteMessage,
  WireWriter,
  wireFields,
} from '../codec/index.ts';
import { type CallContext, invalidArgument } from '../protocol/index.ts';
import { copySummary } from './live/event.ts';
import { recordsFor } from './read-source.ts';
import { SwiftRequest } from './request-fields.ts';
import { keptList, shareWhileRunning } from './shared-lists.ts';
import { checkTillerRequest, type UnaryCall } from './tiller-request.ts';
import { TillerSession } from './tiller-session.ts';

const swiftResponse = 'appscode.swift.v2.SummarizeReleasesResponse';
const tillerResponse = 'hapi.services.tiller.ListReleasesResponse';

/** Of a chunk: `count`, `next` and `total`, and apart from them the releases, of which only a summary is copied. */
const copyCounts = createCopier(tillerResponse, swiftResponse, { omit: ['releases'] });
const copyReleases = createCopier(tillerResponse, swiftResponse, {
  omit: ['count', 'next', 'total'],
  nested: { releases: copySummary },
});

const statusCodes = enumType('hapi.release.Status.Code').numbers;

/**
 * The list, without the contents of charts: from records, or by Tiller.
 * @throws GatewayError INVALID_ARGUMENT for a negative limit, which would crash Tiller, or an unknown status code
 */
export const summarizeReleases: UnaryCall = async (backend, wire, context) => {
  const swift = new SwiftRequest('SummarizeReleases', wire);
  const codes = toStatusCodes(swift.strings('status_codes'));
  const status_codes = swift.boolean('all') ? [...statusCodes.values()] : codes;
  const request = swift.toTiller('ListReleases', { status_codes });
  const records = await recordsFor(backend, 'ListReleases', request, context);
  if (!records) return summarizeByTiller(backend.tiller, request, context);
  const checked = checkTillerRequest('ListReleases', request);
  const answer = () => summaryOf(records.stream('ListReleases', checked, context));
  return records.answers('ListReleases', checked) ? keptList(records, checked, answer) : answer();
};

/** Tiller allows itself few requests a second, so that callers who ask the same share one answer. */
const summarizeByTiller = shareWhileRunning(
  (tiller: TillerCalls, request: Uint8Array, context: CallContext) =>
    summaryOf(new TillerSession(tiller, context).stream('ListReleases', request)),
);

/**
 * Tiller sends every release whole; of its bytes only the few that a summary needs are copied, the rest (templates,
 * files, manifest, hooks) is skipped unread.
 */
async function summaryOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const counts = new WireWriter();
  const releases = new WireWriter(4096);
  for await (const chunk of chunks) {
    let turn = performance.now();
    for (const [start, end] of slicesOf(chunk)) {
      copyCounts(chunk, start, end, counts);
      copyReleases(chunk, start, end, releases);
      if (end === chunk.length || performance.now() - turn < turnMs) continue;
      await nextTurn();
      turn = performance.now();
    }
  }
  // the counts repeat in every chunk: the last ones count
  return Buffer.concat([rewriteMessage(messageType(swiftResponse), counts.finish()), releases.finish()]);
}

/** A chunk may hold tens of thousands of small releases: other work has its turn after so many milliseconds. */
const turnMs = 10;

/** The clock is looked at after so many bytes. */
const sliceBytes = 512 * 1024;

/** Ranges of a message that begin and end between its fields, each hardly longer than `sliceBytes` or one field. */
function* slicesOf(chunk: Uint8Array): Generator<readonly [start: number, end: number]> {
  let start = 0;
  if (chunk.length > sliceBytes) {
    for (const { end } of wireFields(chunk)) {
      if (end - start < sliceBytes) continue;
      yield [start, end];
      start = end;
    }
  }
  if (start < chunk.length) yield [start, chunk.length];
}

/** @throws GatewayError INVALID_ARGUMENT for a name that is no state */
export function toStatusCodes(names: readonly string[]): number[] {
  return names.map((name, index) => {
    const code = statusCodes.get(name);
    if (code !== undefined) return code;
    throw invalidArgument(
      `status_codes[${index}]: ${JSON.stringify(name.slice(0, 40))} is none of ${[...statusCodes.keys()].join(', ')}`,
    );
  });
}
