import { decodeMessage } from '../codec/index.ts';
import { type Holder, invalidArgument } from '../protocol/index.ts';
import { archiveLimits } from './archive/unpack.ts';
import { type BuiltChart, buildWhereItFits, type ChartTask, type FetchedChart } from './build-chart.ts';
import { Catalogue, cancellable } from './catalogue.ts';
import { type ChartFile, checkApiVersions } from './chart/chart.ts';
import type { ChartOptions, Credentials } from './chart/chart-options.ts';
import { withSource } from './chart/chart-yaml.ts';
import { ChartSources } from './chart-sources.ts';
import { createAddressPolicy } from './download/address-policy.ts';
import { Downloader } from './download/downloader.ts';
import { resolveHost } from './download/fetch.ts';
import { parseSourceUrl } from './download/source.ts';
import { OciCharts } from './oci/oci-charts.ts';
import { RepositoryRegistry } from './repository/registry.ts';
import { readConfiguredCredentials } from './repository/stored-repository.ts';
import { listMissingInThread, referenceOf } from './requirements/missing-charts.ts';
import { checkInThread, type PreviousRelease, schemaFile } from './schema/schema-checks.ts';
import { Uploads } from './uploads/uploads.ts';
import { checkValuesWhereItFits, type TextValues } from './values/check-values.ts';
import type { RequestValues } from './values/merge-values.ts';

/** The most that Tiller takes in one message. */
const tillerMessageBytes = 20 * 1024 * 1024;

/** What an install or update says of its chart and values. */
export interface ChartRequest extends RequestValues, Credentials {
  /** hapi.chart.Chart in wire format; wins, and is passed on as it is once its apiVersion is Helm 2's. */
  readonly chart?: Uint8Array | undefined;
  /** A packed chart; wins over `chartUrl`. */
  readonly chartArchive?: Uint8Array | undefined;
  /** http(s) URL, `uploads/NAME[/VERSION]`, a path below the chart folder or REPO/CHART[/VERSION]. */
  readonly chartUrl: string;
  readonly verify: boolean;
  /**
   * Reads the release that is upgraded, where Tiller is going to use its values; undefined where there is none. Called
   * only where a schema is to be met, with whether the request's own values are empty.
   */
  readonly readPrevious?: ((isEmpty: boolean) => Promise<PreviousRelease | undefined>) | undefined;
  /** Of a repository in which `chartUrl` is NAME or NAME/VERSION. */
  readonly repositoryUrl?: string | undefined;
  /** Fetches the charts that the chart requires and does not bring along. */
  readonly dependencyUpdate?: boolean | undefined;
}

export interface ResolvedChart {
  /** hapi.chart.Chart in wire format. */
  readonly chart: Uint8Array;
  /** hapi.chart.Config in wire format. */
  readonly values: Uint8Array;
}

export interface Charts {
  /**
   * @throws GatewayError INVALID_ARGUMENT for what the caller can mend, with the name of the source without credentials; UNAVAILABLE when a
   * repository cannot be reached, answers 5xx or takes too long; RESOURCE_EXHAUSTED when too many downloads wait; CANCELLED when
   * the signal is aborted
   * @param hold counts what a thread holds for a large chart
   */
  resolve(request: ChartRequest, signal: AbortSignal, hold?: Holder): Promise<ResolvedChart>;
  /** Where charts come from, and which of that requests may change. */
  readonly repositories: RepositoryRegistry;
  /**
   * Merges values that are given as text, and reads all of them.
   * @returns hapi.chart.Config in wire format
   * @throws GatewayError INVALID_ARGUMENT, whose part of the values `wrongPart` tells
   */
  checkValues(values: TextValues, signal: AbortSignal, hold?: Holder): Promise<Buffer>;
  /**
   * Downloads a text, from where charts may come from and within the same bounds.
   * @throws GatewayError as `resolve`
   */
  readText(url: string, signal: AbortSignal): Promise<string>;
  /** What the repositories offer. */
  readonly catalogue: Catalogue;
  /** Charts that clients have uploaded. */
  readonly uploads: Uploads;
  /** Aborts downloads and lets go of what is kept. */
  close(): Promise<void>;
}

/**
 * The room's one object: finds charts and makes of them what the Helm 2.17 client would have sent.
 * @throws GatewayError INVALID_ARGUMENT when an option cannot be right
 */
export function createCharts(options: ChartOptions): Charts {
  const policy = createAddressPolicy(options);
  const network = { policy, resolve: options.resolveHost ?? resolveHost, proxyFor: options.proxyFor };
  const downloader = new Downloader({ ...options, network });
  const repositories = new RepositoryRegistry(options, downloader);
  const uploads = new Uploads(options);
  const oci = new OciCharts(options, downloader, host =>
    readConfiguredCredentials(options.repositoryCredentialsFile, `oci://${host}`),
  );
  const sources = new ChartSources(options, downloader, repositories, uploads, oci);
  return {
    resolve: (request, signal, hold) =>
      cancellable(() => resolveChart(sources, options, request, signal, hold), signal),
    repositories,
    catalogue: new Catalogue(repositories, uploads, sources, {
      maxMessageBytes: tillerMessageBytes,
      ...options,
    }),
    uploads,
    checkValues: async (values, signal, hold) => checkValuesWhereItFits(values, signal, hold),
    readText: (url, signal) =>
      cancellable(async () => {
        const wanted = { source: parseSourceUrl(url), credentials: {}, maxBytes: options.maxBytes };
        return (await downloader.fetch(wanted, signal)).toString();
      }, signal),
    close: async () => downloader.close(),
  };
}

async function resolveChart(
  sources: ChartSources,
  options: ChartOptions,
  request: ChartRequest,
  signal: AbortSignal,
  hold: Holder | undefined,
): Promise<ResolvedChart> {
  const { chart, values, valuesJson, set, setString, readPrevious, ...wanted } = request;
  if (chart && wanted.verify) {
    throw invalidArgument('verify is for packed charts: a chart in the request itself has no provenance');
  }
  if (chart) checkApiVersions(chart);
  const { maxMessageBytes = tillerMessageBytes, warn } = options;
  const bare = chart ? undefined : await findChart(sources, wanted, signal);
  const fetched =
    bare && wanted.dependencyUpdate ? await withMissing(sources, bare, options, signal, hold) : bare;
  const given = { values, valuesJson, set, setString };
  const inline =
    chart && Buffer.from(chart.buffer, chart.byteOffset, chart.length).includes(schemaFile)
      ? chart
      : undefined;
  const task = { fetched, inline, given, limits: options, maxMessageBytes };
  const built = await buildWhereItFits(task, signal, hold);
  built.warnings.forEach(warn);
  await checkAgainstSchemas(task, built, readPrevious, signal, hold);
  return { chart: chart ?? built.chart ?? new Uint8Array(), values: built.values };
}

/** The values of a release that is upgraded are asked for only where a schema is to be met. */
async function checkAgainstSchemas(
  task: ChartTask,
  built: BuiltChart,
  readPrevious: ChartRequest['readPrevious'],
  signal: AbortSignal,
  hold: Holder | undefined,
): Promise<void> {
  if (built.checks.length === 0) return;
  const { raw } = decodeMessage('hapi.chart.Config', built.values);
  // what the Helm client sends for no values is a map without keys
  const previous = await readPrevious?.(raw === '' || raw === '{}\n');
  const { checks } = previous ? await buildWhereItFits({ ...task, previous }, signal, hold) : built;
  const bytes = checks.reduce((sum, { schema, values }) => sum + schema.length + values.length, 0);
  await checkInThread({ what: 'the schema of the chart', bytes, signal, hold }, checks);
}

async function findChart(
  sources: ChartSources,
  request: Omit<ChartRequest, 'chart' | keyof RequestValues>,
  signal: AbortSignal,
): Promise<FetchedChart> {
  const { chartArchive, chartUrl, verify, repositoryUrl, dependencyUpdate: _, ...credentials } = request;
  const archive = chartArchive?.length ? chartArchive : undefined;
  if (!archive && chartUrl === '') {
    throw invalidArgument('no chart given: chart, chart_archive or chart_url must be set');
  }
  return sources.find({ archive, url: chartUrl, credentials, verify, repositoryUrl }, signal);
}

/**
 * The chart with those that it requires and does not bring along, as `helm dependency update` puts them into its charts/.
 * They are fetched with the gateway's own credentials.
 */
async function withMissing(
  sources: ChartSources,
  fetched: FetchedChart,
  options: ChartOptions,
  signal: AbortSignal,
  hold: Holder | undefined,
): Promise<FetchedChart> {
  const { name, content } = fetched;
  const limits = archiveLimits(options);
  const bytes = content instanceof Uint8Array ? content.length : 0;
  try {
    const missing = await listMissingInThread({ what: name, bytes, signal, hold }, content, limits);
    const charts: ChartFile[] = [];
    for (const chart of missing) {
      const wanted = { archive: undefined, credentials: {}, verify: false, ...referenceOf(chart) };
      const { content: data } = await sources.find(wanted, signal);
      if (!(data instanceof Uint8Array))
        throw invalidArgument(`the missing chart ${chart.name} is not packed`);
      charts.push({ name: `charts/${chart.name}.tgz`, data });
    }
    return { ...fetched, charts };
  } catch (error) {
    throw withSource(error, name);
  }
}
