import { storageField, type TillerCalls } from '../backends/index.ts';
import { createCopier, enumType, messageType, rewriteMessage, WireWriter } from '../codec/index.ts';
import { type CallContext, invalidArgument } from '../protocol/index.ts';
import { RequestFields } from './request-fields.ts';
import { createToTiller, streamFromTiller } from './tiller-request.ts';

const swiftRequest = 'appscode.swift.v2.SummarizeReleasesRequest';
const swiftResponse = 'appscode.swift.v2.SummarizeReleasesResponse';
const swiftSummary = 'appscode.swift.v2.ReleaseSummary';
const tillerResponse = 'hapi.services.tiller.ListReleasesResponse';

const toTiller = createToTiller(swiftRequest, 'hapi.services.tiller.ListReleasesRequest', ['status_codes']);

/** Of a chunk: `count`, `next` and `total`, and apart from them the releases, of which only a summary is copied. */
const copyCounts = createCopier(tillerResponse, swiftResponse, { omit: ['releases'] });
const copyReleases = createCopier(tillerResponse, swiftResponse, {
  omit: ['count', 'next', 'total'],
  nested: {
    releases: createCopier('hapi.release.Release', swiftSummary, {
      beside: { [storageField.summary]: 'storage' },
      flatten: {
        chart: createCopier('hapi.chart.Chart', swiftSummary, { rename: { metadata: 'chart_metadata' } }),
      },
    }),
  },
});

const statusCodes = enumType('hapi.release.Status.Code').numbers;

/**
 * The list, without the contents of charts. Tiller sends every release whole; of its bytes only the few that a summary
 * needs are copied, the rest (templates, files, manifest, hooks) is skipped unread.
 * @throws GatewayError INVALID_ARGUMENT for a negative limit, which would crash Tiller, or an unknown status code
 */
export async function summarizeReleases(
  tiller: TillerCalls,
  swift: Uint8Array,
  context: CallContext,
): Promise<Buffer> {
  const request = toTiller(swift, { status_codes: wantedCodes(swift) });
  const counts = new WireWriter();
  const releases = new WireWriter(4096);
  for await (const chunk of streamFromTiller(tiller, 'ListReleases', request, context)) {
    copyCounts(chunk, 0, chunk.length, counts);
    copyReleases(chunk, 0, chunk.length, releases);
  }
  // the counts repeat in every chunk: the last ones count
  return Buffer.concat([rewriteMessage(messageType(swiftResponse), counts.finish()), releases.finish()]);
}

function wantedCodes(swift: Uint8Array): number[] {
  const fields = new RequestFields(swiftRequest, swift);
  const codes = toStatusCodes(fields.strings('status_codes'));
  return fields.boolean('all') ? [...statusCodes.values()] : codes;
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
