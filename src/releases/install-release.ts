import type { TillerClient } from '../backends/index.ts';
import type { Charts } from '../charts/index.ts';
import { WireWriter } from '../codec/index.ts';
import { type CallContext, minTimeoutMs } from '../protocol/index.ts';

import { type ChartFieldNumbers, readChartRequest } from './chart-request.ts';
import { RequestFields } from './request-fields.ts';

/** swift's InstallReleaseRequest. */
const swiftFields = {
  name: 4,
  namespace: 6,
  timeout: 8,
  description: 18,
  subNotes: 19,
  disableCrdHook: 20,
} as const;

const chartFields: ChartFieldNumbers = {
  chart: 1,
  values: 2,
  chartUrl: 10,
  caBundle: 11,
  username: 12,
  password: 13,
  token: 14,
  clientCertificate: 15,
  clientKey: 16,
  insecureSkipVerify: 17,
  chartArchive: 21,
  valuesJson: 22,
  set: 23,
  setString: 24,
  verify: 25,
};

/** dry_run, name, disable_hooks, reuse_name, timeout, wait: the same in Tiller's request. */
const shared = [3, 4, 5, 7, 8, 9];

/** Tiller's InstallReleaseRequest, where it differs. */
const tillerFields = {
  chart: 1,
  values: 2,
  namespace: 6,
  disableCrdHook: 10,
  description: 11,
  subNotes: 12,
} as const;

/**
 * Installs a chart as a new release, in the namespace `default` unless one is given.
 * @throws GatewayError also for what is wrong with the chart or its source
 */
export async function installRelease(
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
    .stringField(tillerFields.namespace, fields.string(swiftFields.namespace) || 'default')
    .boolField(tillerFields.disableCrdHook, fields.boolean(swiftFields.disableCrdHook))
    .stringField(tillerFields.description, fields.string(swiftFields.description))
    .boolField(tillerFields.subNotes, fields.boolean(swiftFields.subNotes));
  for (const number of shared) for (const raw of fields.raw(number)) request.raw(raw);
  return tiller.unary(
    'InstallRelease',
    request.finish(),
    context,
    minTimeoutMs(fields.integer(swiftFields.timeout)),
  );
}
