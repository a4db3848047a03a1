import { compareUtf8 } from '../../yaml/index.ts';
import { compareVersions, type Version } from '../requirements/version-constraint.ts';

/*
 * A repository's index as a few blocks of bytes. A repository may have 200,000 versions: as objects they take a second to
 * come from the thread that read them, and some 300 MiB; as bytes they are handed over, and nobody waits.
 */

/** What an index says of one version of a chart; texts and lists that it does not have are empty. */
export interface ChartEntry {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the archive in hexadecimal. */
  readonly digest: string;
  /** RFC 3339 */
  readonly created: string;
  readonly appVersion: string;
  readonly description: string;
  readonly home: string;
  readonly icon: string;
  readonly urls: readonly string[];
  readonly keywords: readonly string[];
  readonly deprecated: boolean;
}

/** A version with its text read. */
export type ParsedEntry = ChartEntry & { readonly parsedVersion: Version };

/**
 * Why an entry of an index is of no use; a closed list. Entries that have a version are listed all the same: a newest one that
 * cannot be fetched is an error, and not silently an older one.
 */
export type LeftOutReason = 'NOT_A_LIST' | 'NOT_A_MAP' | 'WRONG_TYPE' | 'NO_VERSION' | 'NO_URL';

export interface LeftOutEntry {
  readonly chart: string;
  /** From 0, in the index's order of the chart's versions. */
  readonly position: number;
  readonly reason: LeftOutReason;
}

/** Entries of an index that are of no use. */
export interface LeftOut {
  readonly count: number;
  /** How many of them are listed all the same. */
  readonly listed: number;
  readonly first: readonly LeftOutEntry[];
}

const maxLeftOutShown = 20;
const maxLeftOutChars = 200;

/** How many there are of each; `rows` are what versions of one chart have in common, `numbers` the texts of versions. */
const counted = ['charts', 'versions', 'rows', 'numbers', 'strings'] as const;

type Counts = Readonly<Record<(typeof counted)[number], number>>;

const text = Uint32Array;

/** The columns, those of larger items first: each begins where the one before ends. A column of texts has their numbers. */
const layout = {
  created: { of: 'versions', array: Float64Array }, // milliseconds since 1970, or NaN
  major: { of: 'numbers', array: Float64Array }, // NaN where the three do not fit
  minor: { of: 'numbers', array: Float64Array },
  patch: { of: 'numbers', array: Float64Array },
  stringStart: { of: 'strings', array: Uint32Array, more: 1 },
  name: { of: 'charts', array: text },
  firstVersion: { of: 'charts', array: Uint32Array, more: 1 }, // charts in the order of their names without regard to case
  byName: { of: 'charts', array: Uint32Array }, // charts in the order of their names' bytes
  number: { of: 'versions', array: Uint32Array },
  row: { of: 'versions', array: Uint32Array },
  appVersion: { of: 'versions', array: text },
  urls: { of: 'versions', array: text },
  digestText: { of: 'versions', array: text },
  numberText: { of: 'numbers', array: text },
  prerelease: { of: 'numbers', array: text },
  description: { of: 'rows', array: text },
  keywords: { of: 'rows', array: text },
  home: { of: 'rows', array: text },
  icon: { of: 'rows', array: text },
  lineStart: { of: 'rows', array: Uint32Array, more: 1 },
  nameEnd: { of: 'rows', array: Uint32Array },
  fullNameEnd: { of: 'rows', array: Uint32Array },
  descriptionEnd: { of: 'rows', array: Uint32Array },
  deprecated: { of: 'rows', array: Uint8Array },
  digest: { of: 'versions', array: Uint8Array, each: 32 },
} as const satisfies Record<
  string,
  {
    readonly of: keyof Counts;
    readonly array: Float64ArrayConstructor | Uint32ArrayConstructor | Uint8ArrayConstructor;
    readonly more?: number;
    readonly each?: number;
  }
>;

type Layout = typeof layout;
type ColumnName = keyof Layout;
export type Columns = { readonly [Name in ColumnName]: InstanceType<Layout[Name]['array']> };

const columnNames = Object.keys(layout) as ColumnName[];
const versionColumns = columnNames.filter(name => layout[name].of === 'versions' && name !== 'digest');

export interface PackedIndex {
  readonly leftOut: LeftOut;
  readonly counts: Counts;
  readonly columns: Uint8Array;
  /** All texts in UTF-8, one behind the other; number 0 is the empty one. */
  readonly strings: Uint8Array;
  /** For each row the line that is searched, in small letters, in UTF-8 and with 0xff behind it. */
  readonly lines: Uint8Array;
}

/** The columns as views; given nothing, of new bytes. */
export function columnsOf(counts: Counts, bytes?: Uint8Array): { columns: Columns; bytes: Uint8Array } {
  const lengths = columnNames.map(name => {
    const { of, array, more, each } = { more: 0, each: 1, ...layout[name] };
    return { name, array, length: counts[of] * each + more };
  });
  const size = lengths.reduce((sum, { array, length }) => sum + array.BYTES_PER_ELEMENT * length, 0);
  const buffer = bytes?.buffer ?? new ArrayBuffer(size);
  let at = bytes?.byteOffset ?? 0;
  const views: Record<string, Float64Array | Uint32Array | Uint8Array> = {};
  for (const { name, array, length } of lengths) {
    views[name] = new array(buffer as ArrayBuffer, at, length);
    at += array.BYTES_PER_ELEMENT * length;
  }
  return { columns: views as unknown as Columns, bytes: bytes ?? new Uint8Array(buffer) };
}

/** In `digestText`: the digest is 64 hexadecimal digits, and `digest` has its bytes. */
export const plainDigest = 0xffff_ffff;
export const digestBytes = 32;
const plainDigestPattern = /^[0-9a-f]{64}$/;
const noDigest = '0'.repeat(2 * digestBytes);

/** The bit in `urls` that says: one URL, which is the text and the usual name of the archive behind it. */
export const usualArchive = 0x8000_0000;

export function archiveName(name: string, version: string): string {
  return `${name}-${version}.tgz`;
}

/** A list of texts as one text; a single one, as most URLs are, stays as it is. */
function joinTexts(texts: readonly string[]): string {
  const [first = ''] = texts;
  if (texts.length === 0) return '';
  return texts.length === 1 && first !== '' && !first.startsWith('[') ? first : JSON.stringify(texts);
}

export function splitTexts(joined: string): string[] {
  if (joined === '') return [];
  return joined.startsWith('[') ? (JSON.parse(joined) as string[]) : [joined];
}

/** Texts by number, each once. */
class TextTable {
  readonly #numbers = new Map<string, number>([['', 0]]);

  get size(): number {
    return this.#numbers.size;
  }

  add(value: string): number {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(value, number);
    return number;
  }

  /** @param starts gets where each text begins, and where the last one ends */
  write(starts: number[]): Uint8Array {
    const writer = new ByteWriter();
    for (const value of this.#numbers.keys()) {
      starts.push(writer.length);
      writer.text(value);
    }
    starts.push(writer.length);
    return writer.finish();
  }
}

/** Bytes that grow. */
class ByteWriter {
  length = 0;
  #bytes = Buffer.allocUnsafeSlow(64 * 1024);

  /** @returns where the text ends */
  text(value: string, encoding: 'utf8' | 'hex' = 'utf8'): number {
    const most = value.length * 3 + 1;
    if (this.length + most > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.length + most));
      grown.set(this.#bytes.subarray(0, this.length));
      this.#bytes = grown;
    }
    this.length += this.#bytes.write(value, this.length, encoding);
    return this.length;
  }

  /** No UTF-8 has this byte. */
  end(): void {
    this.text('-');
    this.#bytes[this.length - 1] = 0xff;
  }

  /** Bytes of their own: they are handed over to another thread. */
  finish(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.length));
  }
}

/** Packs an index, one chart after the other. */
export class IndexPacker {
  readonly #repository: string;
  readonly #texts = new TextTable();
  readonly #names: string[] = [];
  /** The texts of versions, by number. */
  readonly #numbers = new Map<string, number>();
  readonly #columns = Object.fromEntries(columnNames.map(name => [name, []])) as unknown as {
    readonly [Name in ColumnName]: number[];
  };
  readonly #digests = new ByteWriter();
  readonly #lines = new ByteWriter();
  readonly #leftOut = { count: 0, listed: 0, first: [] as LeftOutEntry[] };

  /** @param repository its name, which is a part of what is searched */
  constructor(repository: string) {
    this.#repository = repository;
  }

  /** Counts an entry that is of no use. */
  leaveOut(chart: string, position: number, reason: LeftOutReason, isListed = false): void {
    const { count, first } = this.#leftOut;
    if (count < maxLeftOutShown) first.push({ chart: chart.slice(0, maxLeftOutChars), position, reason });
    if (isListed) this.#leftOut.listed++;
    this.#leftOut.count++;
  }

  /** Adds a chart, with its versions in any order. A name comes once. */
  add(name: string, entries: readonly ParsedEntry[]): void {
    if (entries.length === 0) return;
    const columns = this.#columns;
    this.#names.push(name);
    columns.name.push(this.#texts.add(name));
    columns.firstVersion.push(columns.number.length);
    const rows = new Map<string, number>();
    for (const entry of entries.toSorted((a, b) => compareVersions(b.parsedVersion, a.parsedVersion))) {
      const { description, keywords, home, icon, deprecated, digest } = entry;
      const key = JSON.stringify([description, keywords, home, icon, deprecated]);
      const row = rows.get(key) ?? this.#addRow(entry);
      rows.set(key, row);
      const isPlain = plainDigestPattern.test(digest);
      this.#digests.text(isPlain ? digest : noDigest, 'hex');
      columns.digestText.push(isPlain ? plainDigest : this.#texts.add(digest));
      columns.number.push(this.#numberOf(entry));
      columns.row.push(row);
      columns.appVersion.push(this.#texts.add(entry.appVersion));
      columns.urls.push(this.#urlsOf(entry));
      columns.created.push(Date.parse(entry.created));
    }
  }

  finish(): PackedIndex {
    const counts = {
      charts: this.#names.length,
      versions: this.#columns.number.length,
      rows: this.#columns.description.length,
      numbers: this.#numbers.size,
      strings: this.#texts.size,
    };
    const pending = this.#columns;
    pending.firstVersion.push(counts.versions);
    pending.lineStart.push(this.#lines.length);
    const strings = this.#texts.write(pending.stringStart);
    const digests = this.#digests.finish();
    const { columns, bytes } = columnsOf(counts);
    for (const name of columnNames) if (layout[name].of !== 'versions') columns[name].set(pending[name]);
    // charts lie in the order in which searches go through them: in another one memory costs more than the search
    const order = inOrder(this.#names.map(name => name.toLowerCase()));
    let to = 0;
    for (const [place, chart] of order.entries()) {
      const [from = 0, end = 0] = pending.firstVersion.slice(chart, chart + 2);
      columns.name[place] = pending.name[chart]!;
      columns.firstVersion[place] = to;
      for (const name of versionColumns) columns[name].set(pending[name].slice(from, end), to);
      columns.digest.set(digests.subarray(from * digestBytes, end * digestBytes), to * digestBytes);
      to += end - from;
    }
    columns.byName.set(inOrder(order.map(chart => this.#names[chart]!)));
    return { leftOut: this.#leftOut, counts, columns: bytes, strings, lines: this.#lines.finish() };
  }

  /** What versions have in common, and its line as `helm search` has it: name, full name, description, keywords. */
  #addRow({ name, description, keywords, home, icon, deprecated }: ChartEntry): number {
    const columns = this.#columns;
    columns.description.push(this.#texts.add(description));
    columns.keywords.push(this.#texts.add(joinTexts(keywords)));
    columns.home.push(this.#texts.add(home));
    columns.icon.push(this.#texts.add(icon));
    columns.deprecated.push(deprecated ? 1 : 0);
    // with a vertical tab between the parts
    const part = (value: string, end = '') =>
      this.#lines.text(value.toLowerCase().replaceAll('\v', ' ') + end);
    columns.lineStart.push(this.#lines.length);
    columns.nameEnd.push(part(name, '\v') - 1);
    columns.fullNameEnd.push(part(`${this.#repository}/${name}`, '\v') - 1);
    columns.descriptionEnd.push(part(description, '\v') - 1);
    part(keywords.join(' '));
    this.#lines.end();
    return columns.description.length - 1;
  }

  /** Most archives are called as Helm calls them: then it is enough to know in which place they are. */
  #urlsOf({ name, version, urls }: ChartEntry): number {
    const fileName = archiveName(name, version);
    const [url = ''] = urls;
    return urls.length === 1 && url.endsWith(fileName)
      ? (this.#texts.add(url.slice(0, -fileName.length)) | usualArchive) >>> 0
      : this.#texts.add(joinTexts(urls));
  }

  #numberOf({ version, parsedVersion: { numbers, prerelease } }: ParsedEntry): number {
    const known = this.#numbers.get(version);
    if (known !== undefined) return known;
    const columns = this.#columns;
    const fits = numbers.every(part => typeof part === 'number');
    columns.numberText.push(this.#texts.add(version));
    columns.prerelease.push(this.#texts.add(prerelease));
    columns.major.push(fits ? Number(numbers[0]) : Number.NaN);
    columns.minor.push(Number(numbers[1]));
    columns.patch.push(Number(numbers[2]));
    this.#numbers.set(version, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}

/** The numbers of texts in the order of their bytes. */
function inOrder(texts: readonly string[]): number[] {
  return [...texts.keys()].sort((a, b) => compareUtf8(texts[a]!, texts[b]!));
}
