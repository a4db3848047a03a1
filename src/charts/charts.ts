import { decodeMessage } from '../codec/index.ts';
import { type Holder, invalidArgument } from '../protocol/index.ts';
import { archiveLimits, type Caller, UnpackBudget } from './archive/unpack.ts';
import { type BuiltChart, buildWhereItFits, type ChartTask, type FetchedChart } from './build-chart.ts';
import { Catalogue, cancellable } from './catalogue.ts';
import { type ChartFile, checkApiVersions } from './chart/chart.ts';
import type { ChartOptions, Credentials } from './chart/chart-options.ts';
import { inSource } from './chart/chart-yaml.ts';
import { ChartSources } from './chart-sources.ts';
import type { RepositoryRegistry } from './repository/registry.ts';
import { listMissingInThread, referenceOf } from './requirements/prepare-chart.ts';
import { checkInThread, type PreviousRelease, schemaFile } from './schema/schema-checks.ts';
import type { Uploads } from './uploads/uploads.ts';
import { checkValuesWhereItFits, type RequestValues, type TextValues } from './values/merge-values.ts';

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

/** The room's one object: finds charts and makes of them what the Helm 2.17 client would have sent. */
export class Charts {
  /** Where charts come from, and which of that requests may change. */
  readonly repositories: RepositoryRegistry;
  /** What the repositories offer. */
  readonly catalogue: Catalogue;
  /** Charts that clients have uploaded. */
  readonly uploads: Uploads;
  readonly #options: ChartOptions & { readonly maxMessageBytes: number };
  readonly #sources: ChartSources;

  /** @throws GatewayError INVALID_ARGUMENT when an option cannot be right */
  constructor(options: ChartOptions) {
    this.#options = { maxMessageBytes: tillerMessageBytes, ...options };
    this.#sources = new ChartSources(options);
    this.repositories = this.#sources.repositories;
    this.uploads = this.#sources.uploads;
    this.catalogue = new Catalogue(this.#sources, this.#options);
  }

  /**
   * @throws GatewayError INVALID_ARGUMENT for what the caller can mend, with the name of the source without credentials; UNAVAILABLE when a
   * repository cannot be reached, answers 5xx or takes too long; RESOURCE_EXHAUSTED when too many downloads wait; CANCELLED when
   * the signal is aborted
   * @param hold counts the chart and the values, which stay until the request is over, and what a thread holds
   */
  resolve(request: ChartRequest, signal: AbortSignal, hold?: Holder): Promise<ResolvedChart> {
    return cancellable(() => this.#resolve(request, { signal, hold }), signal);
  }

  /**
   * Merges values that are given as text, and reads all of them.
   * @returns hapi.chart.Config in wire format
   * @throws GatewayError INVALID_ARGUMENT, whose part of the values `wrongPart` tells
   */
  async checkValues(values: TextValues, signal: AbortSignal, hold?: Holder): Promise<Buffer> {
    return checkValuesWhereItFits(values, { signal, hold });
  }

  /**
   * Downloads a text, from where charts may come from and within the same bounds.
   * @throws GatewayError as `resolve`
   */
  readText(url: string, signal: AbortSignal): Promise<string> {
    return cancellable(() => this.#sources.readText(url, signal), signal);
  }

  /** Aborts downloads and lets go of what is kept. */
  async close(): Promise<void> {
    this.#sources.close();
  }

  async #resolve(request: ChartRequest, caller: Caller): Promise<ResolvedChart> {
    const { chart, values, valuesJson, set, setString, readPrevious, ...wanted } = request;
    if (chart && wanted.verify) {
      throw invalidArgument('verify is for packed charts: a chart in the request itself has no provenance');
    }
    if (chart) checkApiVersions(chart);
    const fetched = chart ? undefined : await this.#fetch(wanted, caller);
    const given = { values, valuesJson, set, setString };
    const inline =
      chart && Buffer.from(chart.buffer, chart.byteOffset, chart.length).includes(schemaFile)
        ? chart
        : undefined;
    const { maxMessageBytes, warn } = this.#options;
    const task = { fetched, inline, given, limits: this.#options, maxMessageBytes };
    const built = await buildWhereItFits(task, caller);
    caller.hold?.body((built.chart?.length ?? 0) + built.values.length);
    built.warnings.forEach(warn);
    await checkAgainstSchemas(task, built, readPrevious, caller);
    return { chart: chart ?? built.chart ?? new Uint8Array(), values: built.values };
  }

  async #fetch(
    request: Omit<ChartRequest, 'chart' | keyof RequestValues>,
    caller: Caller,
  ): Promise<FetchedChart> {
    const { chartArchive, chartUrl, verify, repositoryUrl, dependencyUpdate, ...credentials } = request;
    const archive = chartArchive?.length ? chartArchive : undefined;
    if (!archive && chartUrl === '') {
      throw invalidArgument('no chart given: chart, chart_archive or chart_url must be set');
    }
    const wanted = { archive, url: chartUrl, credentials, verify, repositoryUrl };
    const fetched = await this.#sources.find(wanted, caller.signal);
    if (!archive) caller.hold?.body(sizeOf(fetched));
    return dependencyUpdate ? this.#withMissing(fetched, caller) : fetched;
  }

  /**
   * The chart with those that it requires and does not bring along, as `helm dependency update` puts them into its charts/.
   * They are fetched with the gateway's own credentials.
   */
  #withMissing(fetched: FetchedChart, caller: Caller): Promise<FetchedChart> {
    const { name, content } = fetched;
    return inSource(name, async () => {
      const job = { what: name, bytes: sizeOf(fetched), ...caller };
      const charts: ChartFile[] = [];
      let total = job.bytes;
      for (const chart of await listMissingInThread(job, content, archiveLimits(this.#options))) {
        const wanted = { archive: undefined, credentials: {}, verify: false, ...referenceOf(chart) };
        const { content: data } = await this.#sources.find(wanted, caller.signal);
        if (!(data instanceof Uint8Array))
          throw invalidArgument(`the missing chart ${chart.name} is not packed`);
        caller.hold?.body(data.length);
        total += data.length;
        // unpacked they would be larger still
        if (total > this.#options.maxUnpackedBytes) throw new UnpackBudget(this.#options).tooLarge();
        charts.push({ name: `charts/${chart.name}.tgz`, data });
      }
      return { ...fetched, charts };
    });
  }
}

function sizeOf({ content }: FetchedChart): number {
  return content instanceof Uint8Array
    ? content.length
    : content.reduce((sum, { data }) => sum + data.length, 0);
}

/** The values of a release that is upgraded are asked for only where a schema is to be met. */
async function checkAgainstSchemas(
  task: ChartTask,
  built: BuiltChart,
  readPrevious: ChartRequest['readPrevious'],
  caller: Caller,
): Promise<void> {
  if (built.checks.length === 0) return;
  const { raw } = decodeMessage('hapi.chart.Config', built.values);
  // what the Helm client sends for no values is a map without keys
  const previous = await readPrevious?.(raw === '' || raw === '{}\n');
  const { checks } = previous ? await buildWhereItFits({ ...task, previous }, caller) : built;
  const bytes = checks.reduce((sum, { schema, values }) => sum + schema.length + values.length, 0);
  await checkInThread({ what: 'the schema of the chart', bytes, ...caller }, checks);
}
