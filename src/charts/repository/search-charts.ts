import type { Partially, SwiftChartSummary, SwiftSearchChartsRequest } from '../../codec/index.ts';
import { invalidArgument } from '../../protocol/index.ts';
import { compareUtf8 } from '../../yaml/index.ts';
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
  /** In which part of the chart's text the query begins: 0 is its name. */
  readonly score: number;
  /** What charts with the same score are sorted by. */
  readonly sortName: string;
}

type Query = Readonly<Omit<SwiftSearchChartsRequest, 'repo'>>;

const defaultLimit = 100;

/**
 * Searches indexes as `helm search` of Helm 2.17 does: for the whole text of the query, in any case; ordered by where it
 * stands (name, repository, description, keywords), then by name, newest version first.
 * @throws GatewayError INVALID_ARGUMENT when limit, offset or version cannot be right
 */
export function searchCharts(indexes: ReadonlyMap<string, RepositoryIndex>, query: Query): SearchResult {
  const limit = query.limit === 0 ? defaultLimit : query.limit;
  if (!Number.isSafeInteger(limit) || limit < 0) throw invalidArgument('limit must not be negative');
  const hits = [...indexes].flatMap(([repo, index]) => searchIndex(repo, index, query));
  // stable: versions of one chart are newest first already
  hits.sort((a, b) => a.score - b.score || compareUtf8(a.sortName, b.sortName));
  const start = query.offset === '' ? 0 : hits.findIndex(item => keyOf(item) === query.offset);
  if (start < 0) throw invalidArgument(`offset ${JSON.stringify(query.offset)} not found`);
  const page = hits.slice(start, start + limit);
  const next = hits[start + page.length];
  return {
    count: page.length,
    next: next ? keyOf(next) : '',
    total: hits.length,
    charts: page.map(({ repo, chart }) => toSummary(repo, chart)),
  };
}

function searchIndex(repo: string, index: RepositoryIndex, query: Query): Hit[] {
  const matches = readRange(query.version);
  const term = query.query.toLowerCase();
  return [...index].flatMap(([name, versions]) => {
    const fullName = `${repo}/${name}`;
    // Helm sorts what it has searched for by names in lower case
    const sortName = term === '' ? fullName : fullName.toLowerCase();
    const hits: Hit[] = [];
    for (const chart of versions) {
      if (chart.version !== query.version && !matches(chart.parsedVersion)) continue;
      const score = scoreOf(fullName, chart, term);
      if (score < 0) continue;
      hits.push({ repo, chart, score, sortName });
      if (!query.all_versions) break;
    }
    return hits;
  });
}

/** The number of the part in which the term begins; -1 where it is in none. */
function scoreOf(fullName: string, { name, description, keywords }: ChartVersion, term: string): number {
  const text = [name, fullName, description, keywords.join(' ')].join('\v').toLowerCase();
  const index = text.indexOf(term);
  return index < 0 ? -1 : text.slice(0, index).split('\v').length - 1;
}

/** Names a chart, as an offset and as a `chart_url`. */
function keyOf({ repo, chart }: Hit): string {
  return `${repo}/${chart.name}/${chart.version}`;
}

export function toSummary(repo: string, chart: ChartVersion): ChartSummary {
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
