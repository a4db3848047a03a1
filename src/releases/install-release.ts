import type { TillerCalls } from '../backends/index.ts';
import type { ChartRequest, Charts } from '../charts/index.ts';
import type { CallContext } from '../protocol/index.ts';
import { RequestFields } from './request-fields.ts';
import { askTiller, createToTiller } from './tiller-request.ts';

const swiftInstall = 'appscode.swift.v2.InstallReleaseRequest';
const swiftUpdate = 'appscode.swift.v2.UpdateReleaseRequest';

const toInstall = createToTiller(swiftInstall, 'hapi.services.tiller.InstallReleaseRequest', [
  'chart',
  'values',
  'namespace',
]);
const toUpdate = createToTiller(swiftUpdate, 'hapi.services.tiller.UpdateReleaseRequest', [
  'chart',
  'values',
]);

/**
 * Installs a chart as a new release, in the namespace `default` unless one is given.
 * @throws GatewayError also for what is wrong with the chart or its source
 */
export async function installRelease(
  tiller: TillerCalls,
  charts: Charts,
  swift: Uint8Array,
  context: CallContext,
): Promise<Buffer> {
  const fields = new RequestFields(swiftInstall, swift);
  const { chart, values } = await charts.resolve(readChartRequest(fields), context.signal, context.hold);
  const namespace = fields.string('namespace') || 'default';
  return askTiller(tiller, 'InstallRelease', toInstall(swift, { chart, values, namespace }), context);
}

/**
 * Upgrades a release to another chart or other values.
 * @throws GatewayError also for what is wrong with the chart or its source
 */
export async function updateRelease(
  tiller: TillerCalls,
  charts: Charts,
  swift: Uint8Array,
  context: CallContext,
): Promise<Buffer> {
  const { chart, values } = await charts.resolve(
    readChartRequest(new RequestFields(swiftUpdate, swift)),
    context.signal,
    context.hold,
  );
  return askTiller(tiller, 'UpdateRelease', toUpdate(swift, { chart, values }), context);
}

/** What the charts room needs to know to resolve a request's chart and values. */
function readChartRequest(fields: RequestFields<typeof swiftInstall | typeof swiftUpdate>): ChartRequest {
  return {
    chart: fields.message('chart'),
    values: fields.message('values'),
    valuesJson: fields.message('values_json'),
    chartArchive: fields.bytes('chart_archive'),
    chartUrl: fields.string('chart_url'),
    caBundle: fields.bytes('ca_bundle'),
    username: fields.string('username'),
    password: fields.string('password'),
    token: fields.string('token'),
    clientCertificate: fields.bytes('client_certificate'),
    clientKey: fields.bytes('client_key'),
    insecureSkipVerify: fields.boolean('insecure_skip_verify'),
    set: fields.strings('set'),
    setString: fields.strings('set_string'),
    verify: fields.boolean('verify'),
  };
}
