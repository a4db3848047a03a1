import type { TillerBackend } from '../backends/index.ts';
import type { ChartRequest, Charts, PreviousRelease, ResolvedChart } from '../charts/index.ts';
import { encodeMessage, type Release } from '../codec/index.ts';
import type { AtomicWrites } from './atomic-writes.ts';
import { SwiftRequest } from './request-fields.ts';
import type { StreamingCall, UnaryCall } from './tiller-request.ts';
import { isReleaseNotFound, TillerSession } from './tiller-session.ts';

/** Makes an earlier revision the newest one again. */
export const rollbackRelease: UnaryCall = async ({ tiller }, wire, context) => {
  const request = new SwiftRequest('RollbackRelease', wire);
  const session = new TillerSession(tiller, context);
  await session.requireNamespace(request.release);
  return session.ask('RollbackRelease', request.toTiller('RollbackRelease'));
};

/** Deletes a release; with `ignore_not_found` the answer is empty where there is none. */
export const uninstallRelease: UnaryCall = async ({ tiller }, wire, context) => {
  const request = new SwiftRequest('UninstallRelease', wire);
  const session = new TillerSession(tiller, context);
  try {
    await session.requireNamespace(request.release);
    return await session.ask('UninstallRelease', request.toTiller('UninstallRelease'));
  } catch (error) {
    if (!request.boolean('ignore_not_found') || !isReleaseNotFound(error)) throw error;
    return encodeMessage('appscode.swift.v2.UninstallReleaseResponse', {});
  }
};

/** Runs a release's tests. */
export const runReleaseTest: StreamingCall = async function* ({ tiller }, wire, context) {
  const request = new SwiftRequest('TestRelease', wire);
  const session = new TillerSession(tiller, context);
  await session.requireNamespace(request.release);
  yield* session.stream('RunReleaseTest', request.toTiller('TestRelease'));
};

/** What an install or an upgrade needs beside its request. */
export type ChartWrite = Pick<TillerBackend, 'tiller'> & {
  readonly charts: Charts;
  readonly atomic: AtomicWrites;
};

/**
 * Installs a chart as a new release, in the namespace `default` unless one is given.
 * @throws GatewayError also for what is wrong with the chart or its source
 */
export const installRelease: UnaryCall<ChartWrite> = async ({ tiller, charts, atomic }, wire, context) => {
  const request = new SwiftRequest('InstallRelease', wire);
  const given = await charts.resolve(readChartRequest(request), context.signal, context.hold);
  return send('InstallRelease', request, given, new TillerSession(tiller, context), atomic);
};

/**
 * Upgrades a release to another chart or other values; with `install` installs it where there is none. A release that
 * comes into being between the look and the installation makes Tiller refuse that.
 * @throws GatewayError also for what is wrong with the chart or its source
 */
export const updateRelease: UnaryCall<ChartWrite> = async ({ tiller, charts, atomic }, wire, context) => {
  const session = new TillerSession(tiller, context);
  const request = new SwiftRequest('UpdateRelease', wire);
  const readPrevious = (isEmpty: boolean) => previousRelease(session, request, isEmpty);
  const chartRequest = { ...readChartRequest(request), readPrevious };
  const given = await charts.resolve(chartRequest, context.signal, context.hold);
  const { name, namespace } = request.release;
  if (!request.boolean('install')) {
    const seen = await session.requireNamespace({ name, namespace });
    return send('UpdateRelease', request, given, session, atomic, seen);
  }
  const seen = await session.latestRevisions(name);
  const [latest] = seen;
  // a name is unique in the cluster: Tiller says so where another namespace has it
  const isThere = latest && (namespace === '' || latest.namespace === namespace);
  return send(isThere ? 'UpdateRelease' : 'InstallRelease', request, given, session, atomic, seen);
};

/** @param seen the latest revision, where it was looked at already */
function send(
  method: 'InstallRelease' | 'UpdateRelease',
  request: SwiftRequest<'InstallRelease' | 'UpdateRelease'>,
  { chart, values }: ResolvedChart,
  session: TillerSession,
  atomic: AtomicWrites,
  seen?: readonly Release[],
): Promise<Buffer> {
  const namespace = method === 'InstallRelease' && { namespace: request.release.namespace || 'default' };
  const given = { chart, values, ...namespace };
  // `atomic` has nothing to undo in a dry run
  if (!request.boolean('atomic') || request.boolean('dry_run'))
    return session.ask(method, request.toTiller(method, given));
  // whoever would undo what fails waits for it
  return atomic.run(session, method, request.toTiller(method, { ...given, wait: 1 }), seen);
}

/**
 * The release whose values Tiller is going to use beside those of an upgrade, or in their place where there are none.
 * @returns undefined where it uses none
 */
async function previousRelease(
  session: TillerSession,
  request: SwiftRequest<'UpdateRelease'>,
  isEmpty: boolean,
): Promise<PreviousRelease | undefined> {
  if (request.boolean('reset_values')) return undefined;
  const use = request.boolean('reuse_values') ? 'reuse' : isEmpty ? 'keep' : undefined;
  if (!use) return undefined;
  const { chart, config } = (await session.deployedRevision(request.release.name)) ?? {};
  return chart
    ? { chart: encodeMessage('hapi.chart.Chart', chart), values: config?.raw ?? '', use }
    : undefined;
}

/** What the charts room needs to know to resolve a request's chart and values. */
export function readChartRequest(
  request: SwiftRequest<'InstallRelease' | 'UpdateRelease' | 'DiffRelease'>,
): ChartRequest {
  return {
    chart: request.message('chart'),
    values: request.message('values'),
    valuesJson: request.message('values_json'),
    chartArchive: request.bytes('chart_archive'),
    chartUrl: request.string('chart_url'),
    caBundle: request.bytes('ca_bundle'),
    username: request.string('username'),
    password: request.string('password'),
    token: request.string('token'),
    clientCertificate: request.bytes('client_certificate'),
    clientKey: request.bytes('client_key'),
    insecureSkipVerify: request.boolean('insecure_skip_verify'),
    set: request.strings('set'),
    setString: request.strings('set_string'),
    verify: request.boolean('verify'),
  };
}
