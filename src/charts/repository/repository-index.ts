import { LRUCache } from 'lru-cache';
import { invalidArgument } from '../../protocol/index.ts';
import {
  parseConstraint,
  parseVersion,
  type Version,
  type VersionConstraint,
} from '../requirements/version-constraint.ts';
import {
  archiveName,
  type ChartEntry,
  type Columns,
  columnsOf,
  digestBytes,
  type LeftOut,
  type PackedIndex,
  plainDigest,
  splitTexts,
  usualArchive,
} from './packed-index.ts';

/** One version of a chart, as a repository's index describes it. */
export type ChartVersion = ChartEntry;

/** A range of versions as it was read. */
export interface VersionRange {
  /** Says which range it is, and whose rules read it. */
  readonly key: string;
  readonly holds: VersionConstraint;
  /** The version with this very text counts too. */
  readonly exact?: string;
}

/** A range of numbers: from `first` on, without `end`. */
export interface Span {
  readonly first: number;
  readonly end: number;
}

/**
 * A repository's index. Charts and versions have numbers: charts in the order of the index, a chart's versions one behind the
 * other, newest first. Objects are made only of what is asked for.
 */
export class RepositoryIndex {
  readonly chartCount: number;
  readonly versionCount: number;
  readonly columns: Columns;
  /** Entries that are of no use. */
  readonly leftOut: LeftOut;
  readonly #strings: Buffer;
  #lines: Uint8Array | string;
  /** What ranges were found to hold, by the range: a byte for each text of a version. */
  readonly #ranges = new LRUCache<string, Uint8Array>({ max: 8 });
  /** What the last searches gave for each row, for the next page and the next who asks the same. */
  readonly rowScores = new LRUCache<string, Uint8Array>({ max: 16 });

  constructor({ leftOut, counts, columns, strings, lines }: PackedIndex) {
    this.leftOut = leftOut;
    this.chartCount = counts.charts;
    this.versionCount = counts.versions;
    this.columns = columnsOf(counts, columns).columns;
    this.#strings = Buffer.from(strings.buffer, strings.byteOffset, strings.length);
    this.#lines = lines;
  }

  /** The lines that are searched, as UTF-8 whose bytes are characters: to search text is faster than to search bytes. */
  get lineText(): string {
    if (typeof this.#lines === 'string') return this.#lines;
    const { buffer, byteOffset, length } = this.#lines;
    const text = Buffer.from(buffer, byteOffset, length).toString('latin1');
    this.#lines = text;
    return text;
  }

  text(number: number): string {
    const { stringStart } = this.columns;
    return this.#strings.toString('utf8', stringStart[number], stringStart[number + 1]);
  }

  /** Of the versions that have an archive the one that was created last. */
  newest(): ChartVersion | undefined {
    const { created, urls } = this.columns;
    let newest = -1;
    let time = Number.NEGATIVE_INFINITY;
    for (let version = 0; version < this.versionCount; version++) {
      const at = Number.isNaN(created[version]!) ? 0 : created[version]!;
      if (urls[version] === 0 || at <= time) continue; // the empty text has the number 0
      newest = version;
      time = at;
    }
    return newest < 0 ? undefined : this.at(newest);
  }

  /** The numbers of a chart's versions; undefined where there is no such chart. */
  versionsOf(name: string): Span | undefined {
    const { byName, firstVersion } = this.columns;
    const wanted = Buffer.from(name);
    const chart = byName[firstOf(this.chartCount, at => this.#compareName(byName[at]!, wanted) >= 0)];
    if (chart === undefined || this.#compareName(chart, wanted) !== 0) return undefined;
    return { first: firstVersion[chart]!, end: firstVersion[chart + 1]! };
  }

  /** A version by its number. */
  at(version: number): ChartVersion {
    const { appVersion, created, description, home, icon, keywords, row: rows, deprecated } = this.columns;
    const row = rows[version]!;
    const name = this.text(this.columns.name[this.chartOf(version)]!);
    const written = this.versionText(version);
    const time = created[version]!;
    return {
      name,
      version: written,
      digest: this.#digestOf(version),
      created: Number.isNaN(time) ? '' : new Date(time).toISOString(),
      appVersion: this.text(appVersion[version]!),
      description: this.text(description[row]!),
      home: this.text(home[row]!),
      icon: this.text(icon[row]!),
      urls: this.#urlsOf(version, name, written),
      keywords: this.keywordsOf(keywords[row]!),
      deprecated: deprecated[row] === 1,
    };
  }

  /** The keywords whose text has this number. */
  keywordsOf(number: number): string[] {
    return splitTexts(this.text(number));
  }

  versionText(version: number): string {
    return this.text(this.columns.numberText[this.columns.number[version]!]!);
  }

  /** The chart that a version is one of. */
  chartOf(version: number): number {
    const { firstVersion } = this.columns;
    return firstOf(this.chartCount, chart => firstVersion[chart]! > version) - 1;
  }

  /** A test for versions by their number; each text of a version is looked at once. */
  matcher({ key: rangeKey, holds, exact = '' }: VersionRange): (version: number) => boolean {
    const { number: numbers } = this.columns;
    const key = `${rangeKey} ${exact}`;
    const known = this.#ranges.get(key) ?? new Uint8Array(this.columns.numberText.length);
    this.#ranges.set(key, known);
    const readVersion = this.#versionReader();
    const matches = (number: number) =>
      (exact !== '' && this.text(this.columns.numberText[number]!) === exact) || holds(readVersion(number));
    return version => {
      const number = numbers[version]!;
      if (known[number] === 0) known[number] = matches(number) ? 1 : 2;
      return known[number] === 1;
    };
  }

  /** Reads versions by the numbers of their texts, mostly into one object: there may be 200,000. */
  #versionReader(): (number: number) => Version {
    const { major, minor, patch, prerelease, numberText } = this.columns;
    const version = { numbers: [0, 0, 0] as [number, number, number], prerelease: '' };
    return number => {
      if (Number.isNaN(major[number]!)) return parseVersion(this.text(numberText[number]!))!;
      version.numbers[0] = major[number]!;
      version.numbers[1] = minor[number]!;
      version.numbers[2] = patch[number]!;
      version.prerelease = prerelease[number] === 0 ? '' : this.text(prerelease[number]!);
      return version;
    };
  }

  #compareName(chart: number, wanted: Buffer): number {
    const { stringStart, name } = this.columns;
    const number = name[chart]!;
    return this.#strings.compare(wanted, 0, wanted.length, stringStart[number]!, stringStart[number + 1]!);
  }

  #digestOf(version: number): string {
    const { digest, digestText } = this.columns;
    const number = digestText[version]!;
    if (number !== plainDigest) return this.text(number);
    const at = digest.byteOffset + version * digestBytes;
    return Buffer.from(digest.buffer, at, digestBytes).toString('hex');
  }

  #urlsOf(version: number, name: string, written: string): string[] {
    const number = this.columns.urls[version]!;
    if (number < usualArchive) return splitTexts(this.text(number));
    return [`${this.text(number - usualArchive)}${archiveName(name, written)}`];
  }
}

/** The first number below `count` that is reached, or `count`; those behind one that is reached are so too. */
function firstOf(count: number, isReached: (number: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isReached(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * The chart that a version or range asks for: that very version where there is one, else the newest in the range; without either
 * the newest that is no pre-release (repo.IndexFile.Get of Helm 2.17).
 * @throws GatewayError INVALID_ARGUMENT when there is no such chart or version, or the range cannot be read
 */
export function findChart(index: RepositoryIndex, name: string, range: string): ChartVersion {
  const version = findVersion(index, name, range);
  if (version) return version;
  const quoted = JSON.stringify(name);
  if (!index.versionsOf(name)) throw invalidArgument(`no chart named ${quoted} in the repository`);
  throw invalidArgument(`no version of chart ${quoted} matches ${JSON.stringify(range || '*')}`);
}

/** As `findChart`; undefined where there is none. @throws GatewayError INVALID_ARGUMENT when the range cannot be read */
export function findVersion(index: RepositoryIndex, name: string, range: string): ChartVersion | undefined {
  const span = index.versionsOf(name);
  if (!span) return undefined;
  for (let version = span.first; version < span.end; version++)
    if (index.versionText(version) === range) return index.at(version);
  const matches = index.matcher(readRange(range));
  for (let version = span.first; version < span.end; version++)
    if (matches(version)) return index.at(version);
  return undefined;
}

/**
 * A test for versions from the text of a range; empty lets every release through.
 * @throws GatewayError INVALID_ARGUMENT when it cannot be read
 */
export function readRange(range: string, parse = parseConstraint): VersionRange {
  const holds = parse(range === '' ? '*' : range);
  if (!holds) throw invalidArgument(`not a version or a range of versions: ${JSON.stringify(range)}`);
  return { key: `${parse.name} ${range}`, holds };
}
