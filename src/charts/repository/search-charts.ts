import { setImmediate as nextTurn } from 'node:timers/promises';
import { RE2JS } from 're2js';
import type { Partially, SwiftChartSummary } from '../../codec/index.ts';
import { invalidArgument } from '../../protocol/index.ts';
import { compareUtf8 } from '../../yaml/index.ts';
import { parseHelm3Constraint } from '../requirements/version-constraint.ts';
import { type ChartVersion, type RepositoryIndex, readRange } from './repository-index.ts';

/** A message of the answer, as it is encoded. */
export type ChartSummary = Partially<SwiftChartSummary>;

export interface SearchResult {
  readonly count: number;
  readonly next: string;
  readonly total: number;
  readonly charts: readonly ChartSummary[];
}

export interface ChartQuery {
  /** What a chart's name, `repo/name`, description or keywords must contain; empty is in every chart. */
  readonly query: string;
  /** `query` is a regular expression of Go's; then the case of letters counts. */
  readonly regexp?: boolean | undefined;
  /** Version or range of versions; empty is every release. */
  readonly version: string;
  /** Every version that matches instead of the newest one. */
  readonly all_versions: boolean;
  /** As `helm search repo` of Helm 3 orders and reads ranges; else as `helm search` of Helm 2.17. */
  readonly helm3?: boolean;
}

/** A part of a list of hits. */
export interface Page {
  /** The most to return; 0 is 100. */
  readonly limit: number;
  /** First one wanted, as `REPO/NAME/VERSION`; empty is the very first. */
  readonly offset: string;
}

/** Hits of one repository with one score: numbers of versions. */
interface Segment {
  readonly repo: string;
  readonly index: RepositoryIndex;
  readonly versions: Uint32Array;
}

/** In which part of a chart's line the query begins: name, full name, description, keywords. */
const scores = 4;

const defaultLimit = 100;

/** Far longer than any that a person writes. */
const maxExpressionLength = 1000;

/** What a search may do before it lets others have their turn. */
const sliceMs = 10;

/** The most to return; 0 is the default. @throws GatewayError INVALID_ARGUMENT when it cannot be right */
export function readLimit(given: number, byDefault: number): number {
  if (!Number.isSafeInteger(given) || given < 0) throw invalidArgument('limit must not be negative');
  return given || byDefault;
}

/** All hits in order, as numbers: objects are made of those that are looked at. */
export class Hits {
  readonly total: number;
  readonly #segments: readonly Segment[];

  constructor(segments: readonly Segment[]) {
    this.#segments = segments.filter(({ versions }) => versions.length > 0);
    this.total = this.#segments.reduce((sum, { versions }) => sum + versions.length, 0);
  }

  /** @throws GatewayError INVALID_ARGUMENT when limit or offset cannot be right */
  page({ limit: given, offset }: Page): SearchResult {
    const limit = readLimit(given, defaultLimit);
    const start = offset === '' ? 0 : this.#positionOf(offset);
    const charts = [...this.from(start, limit)];
    const [next] = this.from(start + charts.length, 1);
    return {
      count: charts.length,
      next: next ? `${next.repo}/${next.name}/${next.version}` : '',
      total: this.total,
      charts,
    };
  }

  *from(start: number, count: number): Generator<ChartSummary> {
    let skip = start;
    let left = count;
    for (const { repo, index, versions } of this.#segments) {
      for (let at = skip; at < versions.length && left > 0; at++, left--)
        yield toSummary(repo, index.at(versions[at]!));
      skip = Math.max(0, skip - versions.length);
    }
  }

  #positionOf(offset: string): number {
    const [repo = ''] = offset.split('/', 1);
    const end = Math.max(offset.lastIndexOf('/'), repo.length);
    const name = offset.slice(repo.length + 1, end);
    const written = offset.slice(end + 1);
    let before = 0;
    for (const { repo: own, index, versions } of this.#segments) {
      const span = own === repo ? index.versionsOf(name) : undefined;
      const at = span
        ? versions.findIndex(
            version => version >= span.first && version < span.end && index.versionText(version) === written,
          )
        : -1;
      if (at >= 0) return before + at;
      before += versions.length;
    }
    throw invalidArgument(`offset ${JSON.stringify(offset)} not found`);
  }
}

/**
 * Searches indexes by name as the Helm client does: for the whole text of the query; ordered by where it stands (name,
 * repository, description, keywords), then by name, newest version first.
 * @throws GatewayError INVALID_ARGUMENT when the version or the expression cannot be right
 */
export async function searchCharts(
  indexes: ReadonlyMap<string, RepositoryIndex>,
  query: ChartQuery,
  signal: AbortSignal,
): Promise<Hits> {
  const range = query.version || (query.helm3 ? '>0.0.0' : '');
  const wanted = query.helm3
    ? readRange(range, parseHelm3Constraint)
    : { ...readRange(range), exact: query.version };
  const expression = query.regexp && query.query !== '' ? compileExpression(query.query) : undefined;
  // Helm 2 sorts what it has searched for by names in small letters
  const byCase = query.helm3 === true || expression !== undefined || query.query === '';
  const order = (repo: string) => (byCase ? `${repo}/` : `${repo}/`.toLowerCase());
  // names of different repositories are told apart before the slash: their hits never mix
  const sorted = [...indexes].sort(([a], [b]) => compareUtf8(order(a), order(b)));
  const segments: Segment[][] = Array.from({ length: scores }, () => []);
  for (const [repo, index] of sorted) {
    const holds = index.matcher(wanted);
    const key = `${expression ? 'r' : 't'}${query.query}`;
    const rowScores =
      index.rowScores.get(key) ??
      (expression
        ? await scoreByExpression(repo, index, expression, signal)
        : scoreByText(index, query.query));
    if (key.length <= maxExpressionLength) index.rowScores.set(key, rowScores);
    const kept = query.all_versions ? 'all' : 'best';
    const lists = collect(index, rowScores, holds, { byCase, kept });
    for (const [score, versions] of lists.entries()) segments[score]!.push({ repo, index, versions });
  }
  return new Hits(segments.flat());
}

/** For each row one more than its score; 0 where it does not match. */
type RowScores = Uint8Array;

/** One pass over all lines, which skips the rest of a line that matches. */
function scoreByText(index: RepositoryIndex, query: string): RowScores {
  const { lineStart, nameEnd, fullNameEnd, descriptionEnd, description } = index.columns;
  const rowScores = new Uint8Array(description.length);
  if (query === '') return rowScores.fill(1);
  const lines = index.lineText;
  const wanted = Buffer.from(query.toLowerCase()).toString('latin1');
  let row = 0;
  for (let at = lines.indexOf(wanted); at >= 0; at = lines.indexOf(wanted, lineStart[row])) {
    while (lineStart[row + 1]! <= at) row++;
    rowScores[row] =
      1 + Number(at > nameEnd[row]!) + Number(at > fullNameEnd[row]!) + Number(at > descriptionEnd[row]!);
    row++;
  }
  return rowScores;
}

/** The same by a regular expression, which is slow: others get their turn in between. */
async function scoreByExpression(
  repo: string,
  index: RepositoryIndex,
  expression: RE2JS,
  signal: AbortSignal,
): Promise<RowScores> {
  const { description, firstVersion, keywords, name, row: rowOf } = index.columns;
  const rowScores = new Uint8Array(description.length);
  let sliceStart = performance.now();
  for (let chart = 0; chart < index.chartCount; chart++) {
    const chartName = index.text(name[chart]!);
    let nextRow = rowOf[firstVersion[chart]!]!;
    for (let version = firstVersion[chart]!; version < firstVersion[chart + 1]!; version++) {
      const row = rowOf[version]!;
      if (row !== nextRow) continue; // the same as of a version before
      nextRow++;
      const words = index.keywordsOf(keywords[row]!).join(' ');
      const line = [chartName, `${repo}/${chartName}`, index.text(description[row]!), words].join('\v');
      const matcher = expression.matcher(line);
      if (matcher.find())
        rowScores[row] = Math.min(line.slice(0, matcher.start()).split('\v').length, scores);
    }
    if (performance.now() - sliceStart < sliceMs) continue;
    await nextTurn();
    signal.throwIfAborted();
    sliceStart = performance.now();
  }
  return rowScores;
}

/** Go's regular expressions are RE2's, which take time in proportion to the text. */
function compileExpression(text: string): RE2JS {
  if (text.length > maxExpressionLength) {
    throw invalidArgument(`a regular expression may have ${maxExpressionLength} characters at the most`);
  }
  try {
    return RE2JS.compile(text);
  } catch (cause) {
    throw invalidArgument((cause as Error).message, { cause });
  }
}

interface Collect {
  /** Charts in the order of their names as they are; else without regard to case. */
  readonly byCase: boolean;
  /** Of the versions of a chart that match: every one, or the one whose text matches best, and of several the newest. */
  readonly kept: 'all' | 'best';
}

/**
 * Numbers of versions by score, in room that grows: an index may have very many, most searches find few, and room for
 * all of them in each search makes the garbage collector run at every fourth.
 */
class ByScore {
  readonly #lists = Array.from({ length: scores }, () => new Uint32Array(256));
  readonly #counts = new Array<number>(scores).fill(0);

  /** @param score one more than its number */
  add(score: number, version: number): void {
    let list = this.#lists[score - 1]!;
    const count = this.#counts[score - 1]!++;
    if (count === list.length) {
      const grown = new Uint32Array(2 * count);
      grown.set(list);
      list = this.#lists[score - 1] = grown;
    }
    list[count] = version;
  }

  finish(): readonly Uint32Array[] {
    return this.#lists.map((list, score) => list.subarray(0, this.#counts[score]));
  }
}

function collect(
  index: RepositoryIndex,
  rowScores: RowScores,
  holds: (version: number) => boolean,
  { byCase, kept }: Collect,
): readonly Uint32Array[] {
  const { byName, firstVersion, row } = index.columns;
  const lists = new ByScore();
  for (let place = 0; place < index.chartCount; place++) {
    const chart = byCase ? byName[place]! : place;
    const end = firstVersion[chart + 1]!;
    let best = -1;
    let bestScore = scores + 1;
    for (let version = firstVersion[chart]!; version < end && bestScore > 1; version++) {
      const score = rowScores[row[version]!]!;
      if (score === 0 || score >= bestScore || !holds(version)) continue;
      if (kept === 'all') lists.add(score, version);
      else {
        best = version;
        bestScore = score;
      }
    }
    if (best >= 0) lists.add(bestScore, best);
  }
  return lists.finish();
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
