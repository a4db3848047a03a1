import type { Partially, SwiftChartSummary, SwiftSearchChartsRequest } from '../../codec/index.ts';
import { invalidArgument } from '../../protocol/index.ts';
import { type ChartVersion, type RepositoryIndex, readRange } from './repository-index.ts';

/** A message of the answer, as it is encoded. */
export type ChartSummary = Partially<SwiftChartSummary>;

export interface SearchResult {
  readonly count: number;
  readonly next: string;
  readonly total: number;
  readonly charts: readonly ChartSummary[];
}

interface Hit {
  readonly repo: string;
  readonly chart: ChartVersion;
}

const defaultLimit = 100;

/**
 * Searches indexes, in the order in which they are given: charts by name, versions newest first.
 * @throws GatewayError INVALID_ARGUMENT when limit, offset or version cannot be right
 */
export function searchCharts(
  indexes: ReadonlyMap<string, RepositoryIndex>,
  query: Readonly<Omit<SwiftSearchChartsRequest, 'repo'>>,
): SearchResult {
  const limit = query.limit === 0 ? defaultLimit : query.limit;
  if (!Number.isSafeInteger(limit) || limit < 0) throw invalidArgument('limit must not be negative');
  const hits = [...indexes].flatMap(([repo, index]) => searchIndex(repo, index, query));
  const start = query.offset === '' ? 0 : hits.findIndex(item => keyOf(item) === query.offset);
  if (start < 0) throw invalidArgument(`offset ${JSON.stringify(query.offset)} not found`);
  const page = hits.slice(start, start + limit);
  const next = hits[start + page.length];
  return {
    count: page.length,
    next: next ? keyOf(next) : '',
    total: hits.length,
    charts: page.map(toSummary),
  };
}

function searchIndex(
  repo: string,
  index: RepositoryIndex,
  query: Readonly<Omit<SwiftSearchChartsRequest, 'repo'>>,
): Hit[] {
  const matches = readRange(query.version);
  const words = query.query.toLowerCase().split(/\s+/).filter(Boolean);
  const hits: Hit[] = [];
  for (const name of [...index.keys()].sort()) {
    const versions = (index.get(name) ?? []).filter(
      chart =>
        (chart.version === query.version || matches(chart.parsedVersion)) &&
        hasWords(`${repo}/`, chart, words),
    );
    const wanted = query.all_versions ? versions : versions.slice(0, 1);
    hits.push(...wanted.map(chart => ({ repo, chart })));
  }
  return hits;
}

function hasWords(prefix: string, chart: ChartVersion, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = [prefix + chart.name, chart.description, ...chart.keywords].join('\n').toLowerCase();
  return words.every(word => text.includes(word));
}

/** Names a chart, as an offset and as a `chart_url`. */
function keyOf({ repo, chart }: Hit): string {
  return `${repo}/${chart.name}/${chart.version}`;
}

function toSummary({ repo, chart }: Hit): ChartSummary {
  const created = Date.parse(chart.created);
  return {
    repo,
    name: chart.name,
    version: chart.version,
    app_version: chart.appVersion,
    description: chart.description,
    urls: [...chart.urls],
    digest: chart.digest,
    ...(Number.isNaN(created) ? {} : { created: toTimestamp(created) }),
    home: chart.home,
    icon: chart.icon,
    keywords: [...chart.keywords],
    deprecated: chart.deprecated,
  };
}

function toTimestamp(milliseconds: number) {
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanos: (milliseconds - seconds * 1000) * 1_000_000 };
}
