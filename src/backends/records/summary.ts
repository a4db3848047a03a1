import { createCopier, decodeMessage, type StatusCode, WireWriter } from '../../codec/index.ts';
import { invalidArgument } from '../../protocol/index.ts';
import type { ListedRevision } from './list-releases.ts';
import type { Storage } from './unpack-record.ts';

/** What is kept in memory of a revision: what lists sort and filter by, and what their answers show. */
export interface Summary extends ListedRevision {
  readonly version: number;
  readonly status: StatusCode;
  /**
   * The `hapi.release.Release` without the chart's contents, manifest and hooks, in memory of its own. Its fields are the
   * bytes that the record has.
   */
  readonly wire: Buffer;
}

const release = 'hapi.release.Release';
const chart = 'hapi.chart.Chart';

const copySummary = createCopier(release, release, {
  omit: ['manifest', 'hooks'],
  nested: {
    chart: createCopier(chart, chart, { omit: ['templates', 'dependencies', 'values', 'files'] }),
  },
});

/**
 * Where replies from records say that Helm 3 keeps a release, beyond Tiller's fields. In the unary replies the numbers are
 * those of `storage` in the messages of `appscode.swift.v2`; in a list's releases it is a field of our own.
 */
export const storageField = { GetReleaseContent: 2, GetHistory: 2, GetReleaseStatus: 4, summary: 9 } as const;

/** Of `appscode.swift.v2.Storage`. */
export const storageNumbers: Readonly<Record<Storage, number>> = { helm2: 0, helm3: 1 };

/**
 * Reduces a whole release. What is left out is skipped unread.
 * @throws GatewayError for bytes that are no release, or one that Tiller could not list
 */
export function summarize(whole: Uint8Array, storage: Storage): Summary {
  const out = new WireWriter(1024);
  copySummary(whole, 0, whole.length, out);
  const written = out.intField(storageField.summary, storageNumbers[storage]).finish();
  const { name, version, namespace, info, chart } = decodeMessage(release, written);
  if (name === '' || version <= 0) throw invalidArgument('the release has no name or no version');
  if (!info?.status || !chart?.metadata) throw invalidArgument('the release has no info or no chart');
  const wire = Buffer.allocUnsafeSlow(written.length);
  wire.set(written);
  return {
    name,
    version,
    namespace,
    status: info.status.code,
    lastDeployedSeconds: info.last_deployed?.seconds ?? 0,
    chartName: chart.metadata.name,
    wire,
  };
}
