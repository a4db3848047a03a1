import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  encodeMessage,
  type SwiftGetChartIconRequest,
  type SwiftGetChartRequest,
  type SwiftListChartVersionsRequest,
  type SwiftSearchChartsRequest,
} from '../codec/index.ts';
import { Code, GatewayError, type Holder, invalidArgument } from '../protocol/index.ts';
import type { ArchiveLimits, Caller } from './archive/unpack.ts';
import type { FetchedChart } from './build-chart.ts';
import type { ChartOptions } from './chart/chart-options.ts';
import { type ChartIcon, isUrl } from './chart-icon.ts';
import { type PartName, partNames, readPartsWhereItFits } from './chart-parts.ts';
import type { ChartSources, WantedChart } from './chart-sources.ts';
import { isOci } from './download/source.ts';
import { Repository, uploadsName } from './repository/repository.ts';
import {
  type ChartVersion,
  findVersion,
  type RepositoryIndex,
  readRange,
} from './repository/repository-index.ts';
import {
  type ChartQuery,
  type ChartSummary,
  Hits,
  readLimit,
  type SearchResult,
  searchCharts,
  toSummary,
} from './repository/search-charts.ts';
import type { Uploads } from './uploads/uploads.ts';

/** A chart in a repository. */
export interface ChartName {
  readonly repository: string;
  readonly name: string;
  /** Version or range of versions. */
  readonly version?: string;
}

/** A page of what repositories offer, and those whose index could not be had. */
export interface SearchedPage extends SearchResult {
  readonly failed_repositories: string[];
}

const defaultVersions = 1000;

/** Objects made in some milliseconds, after which others have their turn. */
const summariesAtOnce = 500;

/** Bounds on a chart that is looked into. */
export type CatalogueLimits = ArchiveLimits & Required<Pick<ChartOptions, 'maxMessageBytes'>>;

/** What the repositories offer; uploads are one of them. Every method throws GatewayError as `Charts.resolve` where a repository does not answer. */
export class Catalogue {
  readonly #sources: ChartSources;
  readonly #limits: CatalogueLimits;

  constructor(sources: ChartSources, limits: CatalogueLimits) {
    this.#sources = sources;
    this.#limits = limits;
  }

  /** @throws GatewayError INVALID_ARGUMENT for a repository that is not configured */
  search(query: SwiftSearchChartsRequest, signal: AbortSignal): Promise<SearchedPage> {
    return cancellable(async () => {
      const { hits, failed } = await this.#search(query, query.repo, signal);
      return { ...hits.page(query), failed_repositories: failed };
    }, signal);
  }

  /**
   * All that `helm search repo` of Helm 3 prints, in its order: repositories that do not answer are left out, as there.
   * @throws GatewayError as `search`
   */
  searchHelm3(
    { repo, ...query }: ChartQuery & { readonly repo: string },
    signal: AbortSignal,
  ): Promise<readonly ChartSummary[]> {
    return cancellable(async () => {
      const { hits } = await this.#search({ ...query, helm3: true }, repo, signal);
      const charts: ChartSummary[] = [];
      while (charts.length < hits.total) {
        charts.push(...hits.from(charts.length, summariesAtOnce));
        await nextTurn();
        signal.throwIfAborted();
      }
      return charts;
    }, signal);
  }

  async #search(query: ChartQuery, repo: string, signal: AbortSignal) {
    const { repositories, uploads } = this.#sources;
    const all = [...(await repositories.all()), ...(uploads.isEnabled ? [uploads] : [])];
    const wanted = all.filter(({ name }) => repo === '' || name === repo);
    if (repo !== '' && wanted.length === 0) {
      throw invalidArgument(`no chart repository named ${quote(repo)} is configured`);
    }
    const indexes = new Map<string, RepositoryIndex>();
    const failures: { readonly name: string; readonly error: unknown }[] = [];
    const load = async (source: Repository | Uploads) => {
      const { name } = source;
      await source.index(signal).then(
        index => indexes.set(name, index),
        error => failures.push({ name, error }),
      );
    };
    await Promise.all(wanted.map(load));
    // one that is down does not hide the others, but nothing is not an answer
    if (indexes.size === 0 && failures[0]) throw failures[0].error;
    signal.throwIfAborted();
    return {
      hits: await searchCharts(indexes, query, signal),
      failed: failures.map(({ name }) => name).sort(),
    };
  }

  /**
   * A page of a chart's versions, newest first.
   * @throws GatewayError NOT_FOUND when the repository or the chart is not there; INVALID_ARGUMENT for a limit, an offset or a
   * range that cannot be right
   */
  versions(wanted: SwiftListChartVersionsRequest, signal: AbortSignal): Promise<SearchResult> {
    return cancellable(() => this.#versions(wanted, signal), signal);
  }

  async #versions(wanted: SwiftListChartVersionsRequest, signal: AbortSignal): Promise<SearchResult> {
    const limit = readLimit(wanted.limit, defaultVersions);
    const range = wanted.version === '' ? undefined : { ...readRange(wanted.version), exact: wanted.version };
    const { repository, name, offset } = wanted;
    const index = await (await this.#sourceOf(repository)).index(signal);
    const span = index.versionsOf(name);
    if (!span) throw chartNotFound({ repository, name });
    const all = Uint32Array.from({ length: span.end - span.first }, (_, at) => span.first + at);
    const versions = range ? all.filter(index.matcher(range)) : all;
    const start = offset === '' ? 0 : versions.findIndex(version => index.versionText(version) === offset);
    if (start < 0) throw invalidArgument(`offset ${quote(offset)} not found`);
    const charts = [...new Hits([{ repo: repository, index, versions }]).from(start, limit)];
    const next = versions[start + charts.length];
    return {
      count: charts.length,
      next: next === undefined ? '' : index.versionText(next),
      total: versions.length,
      charts,
    };
  }

  /**
   * Parts of a chart of a repository, as appscode.swift.v2.GetChartResponse in wire format.
   * @throws GatewayError as `versions`, NOT_FOUND also where no version matches; INVALID_ARGUMENT for a part that is none, and with
   * reason CHART_INVALID for a chart that cannot be read
   */
  chart(wanted: SwiftGetChartRequest, signal: AbortSignal, hold?: Holder): Promise<Uint8Array> {
    return cancellable(async () => {
      const parts = readPartNames(wanted.parts);
      const version = await this.#find(wanted, signal);
      const fetched = await this.#fetch(wanted.repository, version, signal);
      const message = await this.#readParts(fetched, parts, { signal, hold });
      const summary = toSummary(wanted.repository, version);
      return Buffer.concat([encodeMessage('appscode.swift.v2.GetChartResponse', { summary }), message]);
    }, signal);
  }

  /**
   * Parts of a chart from wherever `ChartSources` knows it, as `chart` gives them, without a summary.
   * @throws GatewayError as `Charts.resolve` and `chart`
   */
  show(
    wanted: WantedChart,
    parts: readonly string[],
    signal: AbortSignal,
    hold?: Holder,
  ): Promise<Uint8Array> {
    return cancellable(async () => {
      const names = readPartNames(parts);
      return this.#readParts(await this.#sources.find(wanted, signal), names, { signal, hold });
    }, signal);
  }

  /**
   * The icon of a chart of a repository.
   * @throws GatewayError as `chart` and `readIcon`
   */
  icon(wanted: SwiftGetChartIconRequest, signal: AbortSignal, hold?: Holder): Promise<ChartIcon> {
    return cancellable(async () => {
      const version = await this.#find(wanted, signal);
      const chart = `${wanted.repository}/${version.name}`;
      // most icons are URLs, which the index knows: the chart itself need not be fetched. A registry knows none
      const isKnown = isUrl(version.icon) || (version.icon === '' && !isOci(version.urls[0] ?? ''));
      if (isKnown) return this.#sources.readIcon({ chart, icon: version.icon }, signal);
      const fetched = await this.#fetch(wanted.repository, version, signal);
      const task = { fetched, parts: ['icon'] as const, limits: this.#limits, maxBytes: 0 };
      const { icon, iconFile: file } = await readPartsWhereItFits(task, { signal, hold });
      return this.#sources.readIcon({ chart, icon, file }, signal);
    }, signal);
  }

  /** @throws GatewayError NOT_FOUND */
  async #find(wanted: Required<ChartName>, signal: AbortSignal): Promise<ChartVersion> {
    const index = await (await this.#sourceOf(wanted.repository)).index(signal);
    const version = findVersion(index, wanted.name, wanted.version);
    if (version) return version;
    throw chartNotFound(wanted);
  }

  async #fetch(repository: string, version: ChartVersion, signal: AbortSignal): Promise<FetchedChart> {
    const source = await this.#sourceOf(repository);
    return source instanceof Repository
      ? this.#sources.fetchVersion(source, version, signal)
      : this.#sources.readUpload(version.name, version.version, signal);
  }

  async #sourceOf(name: string): Promise<Repository | Uploads> {
    const { repositories, uploads } = this.#sources;
    return name === uploadsName && uploads.isEnabled ? uploads : repositories.existing(name);
  }

  async #readParts(fetched: FetchedChart, parts: readonly PartName[], caller: Caller): Promise<Uint8Array> {
    const task = { fetched, parts, limits: this.#limits, maxBytes: this.#limits.maxMessageBytes };
    const { message, icon, iconFile: file } = await readPartsWhereItFits(task, caller);
    if (!parts.includes('icon')) return message;
    const picture = await this.#sources.readIcon({ chart: fetched.name, icon, file }, caller.signal);
    const last = encodeMessage('appscode.swift.v2.GetChartResponse', { icon: toMessage(picture) });
    return Buffer.concat([message, last]);
  }
}

function toMessage({ type, data }: ChartIcon) {
  return { type, data: Buffer.from(data.buffer, data.byteOffset, data.length) };
}

function readPartNames(wanted: readonly string[]): readonly PartName[] {
  if (wanted.length === 0) return partNames.filter(name => name !== 'files' && name !== 'icon');
  return wanted.map(text => {
    const part = partNames.find(name => name === text);
    if (part) return part;
    throw invalidArgument(`parts: ${quote(text)} is none of ${partNames.join(', ')}`);
  });
}

function chartNotFound({ repository, name, version }: ChartName): GatewayError {
  const which = version ? `version ${quote(version)} of a chart` : 'chart';
  const message = `no ${which} named ${quote(name)} in the repository ${repository}`;
  return new GatewayError(Code.NOT_FOUND, message, { reason: 'CHART_NOT_FOUND' });
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}

/** What an aborted signal makes of a task that failed because of it. */
export async function cancellable<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (!signal.aborted || error instanceof GatewayError) throw error;
    throw new GatewayError(Code.CANCELLED, 'the request was cancelled', { cause: error });
  }
}
