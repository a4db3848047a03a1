import type { TillerCalls } from '../backends/index.ts';
import type { ChartRequest, Charts, PreviousRelease } from '../charts/index.ts';
import { encodeMessage, type Release } from '../codec/index.ts';
import type { CallContext } from '../protocol/index.ts';
import type { AtomicWrites } from './atomic-writes.ts';
import { deployedRevision, latestRevisions, requireNamespace } from './look-at-release.ts';
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
/** An upgrade that installs. */
const updateToInstall = createToTiller(swiftUpdate, 'hapi.services.tiller.InstallReleaseRequest', [
  'chart',
  'values',
  'namespace',
]);

const defaultNamespace = 'default';

/** What an install or an upgrade needs beside its request. */
export interface ChartWrite {
  readonly tiller: TillerCalls;
  readonly charts: Charts;
  readonly atomic: AtomicWrites;
}

/**
 * Installs a chart as a new release, in the namespace `default` unless one is given.
 * @throws GatewayError also for what is wrong with the chart or its source
 */
export async function installRelease(
  { tiller, charts, atomic }: ChartWrite,
  swift: Uint8Array,
  context: CallContext,
): Promise<Buffer> {
  const fields = new RequestFields(swiftInstall, swift);
  const { chart, values } = await charts.resolve(readChartRequest(fields), context.signal, context.hold);
  const namespace = fields.string('namespace') || defaultNamespace;
  const given = { chart, values, namespace };
  return isAtomic(fields)
    ? atomic.run(tiller, 'InstallRelease', toInstall(swift, { ...given, ...waiting }), context)
    : askTiller(tiller, 'InstallRelease', toInstall(swift, given), context);
}

/**
 * Upgrades a release to another chart or other values; with `install` installs it where there is none. A release that
 * comes into being between the look and the installation makes Tiller refuse that.
 * @throws GatewayError also for what is wrong with the chart or its source
 */
export async function updateRelease(
  { tiller, charts, atomic }: ChartWrite,
  swift: Uint8Array,
  context: CallContext,
): Promise<Buffer> {
  const fields = new RequestFields(swiftUpdate, swift);
  const request = {
    ...readChartRequest(fields),
    readPrevious: (isEmpty: boolean) => readPrevious(tiller, fields, isEmpty, context),
  };
  const { chart, values } = await charts.resolve(request, context.signal, context.hold);
  const name = fields.string('name');
  const namespace = fields.string('namespace');
  let seen: readonly Release[] | undefined;
  if (fields.boolean('install')) {
    seen = await latestRevisions(tiller, name, 1, context);
    const [latest] = seen;
    // a name is unique in the cluster: Tiller says so where another namespace has it
    if (!latest || (namespace !== '' && latest.namespace !== namespace)) {
      const given = { chart, values, namespace: namespace || defaultNamespace };
      return isAtomic(fields)
        ? atomic.run(
            tiller,
            'InstallRelease',
            updateToInstall(swift, { ...given, ...waiting }),
            context,
            seen,
          )
        : askTiller(tiller, 'InstallRelease', updateToInstall(swift, given), context);
    }
  } else {
    seen = await requireNamespace(tiller, name, namespace, context);
  }
  return isAtomic(fields)
    ? atomic.run(tiller, 'UpdateRelease', toUpdate(swift, { chart, values, ...waiting }), context, seen)
    : askTiller(tiller, 'UpdateRelease', toUpdate(swift, { chart, values }), context);
}

/**
 * The release whose values Tiller is going to use beside those of an upgrade, or in their place where there are none.
 * @returns undefined where it uses none
 */
async function readPrevious(
  tiller: TillerCalls,
  fields: RequestFields<typeof swiftUpdate>,
  isEmpty: boolean,
  context: CallContext,
): Promise<PreviousRelease | undefined> {
  if (fields.boolean('reset_values')) return undefined;
  const use = fields.boolean('reuse_values') ? 'reuse' : isEmpty ? 'keep' : undefined;
  if (!use) return undefined;
  const { chart, config } = (await deployedRevision(tiller, fields.string('name'), context)) ?? {};
  return chart
    ? { chart: encodeMessage('hapi.chart.Chart', chart), values: config?.raw ?? '', use }
    : undefined;
}

/** `atomic` has nothing to undo in a dry run. */
function isAtomic(fields: RequestFields<typeof swiftInstall | typeof swiftUpdate>): boolean {
  return fields.boolean('atomic') && !fields.boolean('dry_run');
}

/** Whoever would undo what fails waits for it. */
const waiting = { wait: 1 };

/** What the charts room needs to know to resolve a request's chart and values. */
export function readChartRequest(
  fields: RequestFields<typeof swiftInstall | typeof swiftUpdate | 'appscode.swift.v2.DiffReleaseRequest'>,
): ChartRequest {
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
