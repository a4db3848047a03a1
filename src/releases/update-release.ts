import type { TillerClient } from '../backends/index.ts';
import type { Charts } from '../charts/index.ts';
import { WireWriter } from '../codec/index.ts';
import { type CallContext, minTimeoutMs } from '../protocol/index.ts';

import { type ChartFieldNumbers, readChartRequest } from './chart-request.ts';
import { RequestFields } from './request-fields.ts';

/** swift's UpdateReleaseRequest. */
const swiftFields = { timeout: 7, description: 20, subNotes: 21, cleanupOnFail: 22 } as const;

const chartFields: ChartFieldNumbers = {
  chart: 2,
  values: 3,
  chartUrl: 12,
  caBundle: 13,
  username: 14,
  password: 15,
  token: 16,
  clientCertificate: 17,
  clientKey: 18,
  insecureSkipVerify: 19,
  chartArchive: 23,
  valuesJson: 24,
  set: 25,
  setString: 26,
  verify: 27,
};

/** name, dry_run, disable_hooks, recreate, timeout, reset_values, wait, reuse_values, force: the same in Tiller's request. */
const shared = [1, 4, 5, 6, 7, 8, 9, 10, 11];

/** Tiller's UpdateReleaseRequest, where it differs. */
const tillerFields = { chart: 2, values: 3, description: 12, subNotes: 13, cleanupOnFail: 14 } as const;

/**
 * Upgrades a release to another chart or other values.
 * @throws GatewayError also for what is wrong with the chart or its source
 */
export async function updateRelease(
  tiller: TillerClient,
  charts: Charts,
  swift: Uint8Array,
  context: CallContext,
): Promise<Buffer> {
  const fields = new RequestFields(swift);
  const { chart, values } = await charts.resolve(readChartRequest(fields, chartFields), context.signal);
  const request = new WireWriter(chart.length + values.length + 256)
    .bytesField(tillerFields.chart, chart)
    .bytesField(tillerFields.values, values)
    .stringField(tillerFields.description, fields.string(swiftFields.description))
    .boolField(tillerFields.subNotes, fields.boolean(swiftFields.subNotes))
    .boolField(tillerFields.cleanupOnFail, fields.boolean(swiftFields.cleanupOnFail));
  for (const number of shared) for (const raw of fields.raw(number)) request.raw(raw);
  return tiller.unary(
    'UpdateRelease',
    request.finish(),
    context,
    minTimeoutMs(fields.integer(swiftFields.timeout)),
  );
}
