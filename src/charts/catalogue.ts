import type { SwiftListChartVersionsRequest, SwiftSearchChartsRequest } from '../codec/index.ts';
import { Code, GatewayError, invalidArgument } from '../protocol/index.ts';
import type { Repositories, Repository } from './repository/repository.ts';
import { readRange } from './repository/repository-index.ts';
import { type SearchResult, searchCharts, toSummary } from './repository/search-charts.ts';

/** A chart in a repository. */
export interface ChartName {
  readonly repository: string;
  readonly name: string;
}

const defaultVersions = 1000;

/** What the repositories offer. Every method throws GatewayError as `Charts.resolve` where a repository does not answer. */
export class Catalogue {
  readonly #repositories: Repositories;

  constructor(repositories: Repositories) {
    this.#repositories = repositories;
  }

  /** @throws GatewayError INVALID_ARGUMENT for a repository that is not configured */
  search(query: SwiftSearchChartsRequest, signal: AbortSignal): Promise<SearchResult> {
    return cancellable(() => this.#search(query, signal), signal);
  }

  async #search(query: SwiftSearchChartsRequest, signal: AbortSignal): Promise<SearchResult> {
    if (query.repo !== '' && !this.#repositories.has(query.repo)) {
      throw invalidArgument(`no chart repository named ${JSON.stringify(query.repo)} is configured`);
    }
    const all = [...this.#repositories.values()];
    const wanted = all.filter(({ name }) => query.repo === '' || name === query.repo);
    const loaded = await Promise.all(
      wanted.map(async repository => [repository.name, await repository.index(signal)] as const),
    );
    return searchCharts(new Map(loaded), query);
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
    const limit = wanted.limit === 0 ? defaultVersions : wanted.limit;
    if (!Number.isSafeInteger(limit) || limit < 0) throw invalidArgument('limit must not be negative');
    const matches = wanted.version === '' ? () => true : readRange(wanted.version);
    const index = await this.#repository(wanted).index(signal);
    const versions = (index.get(wanted.name) ?? []).filter(
      ({ version, parsedVersion }) => version === wanted.version || matches(parsedVersion),
    );
    if (!index.get(wanted.name)?.length) throw chartNotFound(wanted);
    const start = wanted.offset === '' ? 0 : versions.findIndex(({ version }) => version === wanted.offset);
    if (start < 0) throw invalidArgument(`offset ${JSON.stringify(wanted.offset)} not found`);
    const page = versions.slice(start, start + limit);
    return {
      count: page.length,
      next: versions[start + page.length]?.version ?? '',
      total: versions.length,
      charts: page.map(chart => toSummary(wanted.repository, chart)),
    };
  }

  #repository({ repository: name }: ChartName): Repository {
    const repository = this.#repositories.get(name);
    if (repository) return repository;
    const message = `no chart repository named ${quote(name)} is configured`;
    throw new GatewayError(Code.NOT_FOUND, message, { reason: 'REPOSITORY_NOT_FOUND' });
  }
}

function chartNotFound({ repository, name }: ChartName): GatewayError {
  const message = `no chart named ${quote(name)} in the repository ${repository}`;
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
