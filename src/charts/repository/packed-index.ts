import { compareUtf8 } from '../../yaml/index.ts';
import { compareVersions, type Version } from '../requirements/version-constraint.ts';
import { type LeftOut, LeftOutCounter } from './left-out.ts';

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
  firstVersion: { of: 'charts', array: Uint32Array, more: 1 },
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
export type Columns = { readonly [Name in keyof Layout]: InstanceType<Layout[Name]['array']> };

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
  const lengths = Object.entries(layout).map(([name, column]) => {
    const { of, array, more = 0, each = 1 } = { more: 0, each: 1, ...column };
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

function isPlainDigest(digest: string): boolean {
  return /^[0-9a-f]{64}$/.test(digest);
}

/** The bit in `urls` that says: one URL, which is the text and the usual name of the archive behind it. */
export const usualArchive = 0x8000_0000;

export function archiveName(name: string, version: string): string {
  return `${name}-${version}.tgz`;
}

/** A list of texts as one text; a single one, as most URLs are, stays as it is. */
export function joinTexts(texts: readonly string[]): string {
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

  write(starts: Uint32Array): Uint8Array {
    const writer = new ByteWriter();
    for (const [value, number] of this.#numbers) {
      starts[number] = writer.length;
      writer.text(value);
    }
    starts[this.size] = writer.length;
    return writer.finish();
  }
}

/** UTF-8 in bytes that grow. */
class ByteWriter {
  length = 0;
  #bytes = Buffer.allocUnsafeSlow(1024 * 1024);

  text(value: string): void {
    const most = value.length * 3 + 1;
    if (this.length + most > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.length + most));
      grown.set(this.#bytes.subarray(0, this.length));
      this.#bytes = grown;
    }
    this.length += this.#bytes.write(value, this.length);
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

interface PendingChart {
  readonly name: string;
  /** What charts are sorted by where the case of letters does not count. */
  readonly sortName: string;
  readonly versions: readonly PendingVersion[];
  readonly rows: readonly PendingRow[];
}

interface PendingVersion {
  readonly number: number;
  readonly row: number;
  readonly appVersion: number;
  readonly urls: number;
  readonly digest: string;
  readonly digestText: number;
  readonly created: number;
}

interface PendingRow {
  readonly description: string;
  readonly keywords: readonly string[];
  readonly home: string;
  readonly icon: string;
  readonly deprecated: boolean;
}

/** Packs an index, one chart after the other. */
export class IndexPacker {
  readonly #repository: string;
  readonly #texts = new TextTable();
  readonly #charts: PendingChart[] = [];
  readonly #numbers = new Map<string, { readonly number: number; readonly version: Version }>();

  readonly leftOut = new LeftOutCounter();

  /** @param repository its name, which is a part of what is searched */
  constructor(repository: string) {
    this.#repository = repository;
  }

  /** Adds a chart, with its versions in any order. A name comes once. */
  add(name: string, entries: readonly ParsedEntry[]): void {
    if (entries.length === 0) return;
    const sorted = entries.toSorted((a, b) => compareVersions(b.parsedVersion, a.parsedVersion));
    const rows = new Map<string, number>();
    const pending: PendingRow[] = [];
    const versions = sorted.map(entry => {
      const { description, keywords, home, icon, deprecated } = entry;
      const key = JSON.stringify([description, keywords, home, icon, deprecated]);
      const row = rows.get(key) ?? pending.push({ description, keywords, home, icon, deprecated }) - 1;
      rows.set(key, row);
      return {
        number: this.#numberOf(entry),
        row,
        appVersion: this.#texts.add(entry.appVersion),
        ...this.#urlsOf(entry),
        digest: entry.digest,
        digestText: isPlainDigest(entry.digest) ? plainDigest : this.#texts.add(entry.digest),
        created: Date.parse(entry.created),
      };
    });
    const sortName = `${this.#repository}/${name}`.toLowerCase();
    this.#charts.push({ name, sortName, versions, rows: pending });
  }

  finish(): PackedIndex {
    const charts = this.#charts.sort((a, b) => compareUtf8(a.sortName, b.sortName));
    const sum = (count: (chart: PendingChart) => number) => charts.reduce((all, one) => all + count(one), 0);
    const names = charts.map(({ name }) => this.#texts.add(name));
    const rowTexts = charts.flatMap(({ rows }) => rows.map(row => this.#rowTexts(row)));
    const prereleases = [...this.#numbers].map(([written, { version }]) => ({
      written: this.#texts.add(written),
      prerelease: this.#texts.add(version.prerelease),
    }));
    const counts = {
      charts: charts.length,
      versions: sum(({ versions }) => versions.length),
      rows: rowTexts.length,
      numbers: this.#numbers.size,
      strings: this.#texts.size,
    };
    const { columns, bytes } = columnsOf(counts);
    columns.name.set(names);
    const order = charts.map((_, index) => index);
    columns.byName.set(order.sort((a, b) => compareUtf8(charts[a]!.name, charts[b]!.name)));
    for (const [index, { description, keywords, home, icon }] of rowTexts.entries()) {
      columns.description[index] = description;
      columns.keywords[index] = keywords;
      columns.home[index] = home;
      columns.icon[index] = icon;
    }
    for (const [index, { written, prerelease }] of prereleases.entries()) {
      columns.numberText[index] = written;
      columns.prerelease[index] = prerelease;
    }
    this.#writeNumbers(columns);
    this.#writeVersions(columns);
    return {
      leftOut: this.leftOut.finish(),
      counts,
      columns: bytes,
      strings: this.#texts.write(columns.stringStart),
      lines: this.#writeLines(columns),
    };
  }

  /** Most archives are called as Helm calls them: then it is enough to know in which place they are. */
  #urlsOf({ name, version, urls }: ChartEntry): { readonly urls: number } {
    const fileName = archiveName(name, version);
    const [url = ''] = urls;
    if (urls.length === 1 && url.endsWith(fileName)) {
      return { urls: (this.#texts.add(url.slice(0, -fileName.length)) | usualArchive) >>> 0 };
    }
    return { urls: this.#texts.add(joinTexts(urls)) };
  }

  #numberOf({ version: written, parsedVersion: version }: ParsedEntry): number {
    const known = this.#numbers.get(written);
    if (known) return known.number;
    const number = this.#numbers.size;
    this.#numbers.set(written, { number, version });
    return number;
  }

  #rowTexts({ description, keywords, home, icon }: PendingRow) {
    const add = (value: string) => this.#texts.add(value);
    return {
      description: add(description),
      keywords: add(joinTexts(keywords)),
      home: add(home),
      icon: add(icon),
    };
  }

  #writeNumbers({ major, minor, patch }: Columns): void {
    for (const { number, version } of this.#numbers.values()) {
      const fits = version.numbers.every(part => typeof part === 'number');
      const [first, second, third] = version.numbers;
      major[number] = fits ? Number(first) : Number.NaN;
      minor[number] = Number(second);
      patch[number] = Number(third);
    }
  }

  #writeVersions(columns: Columns): void {
    let version = 0;
    let row = 0;
    for (const [index, chart] of this.#charts.entries()) {
      columns.firstVersion[index] = version;
      for (const one of chart.versions) {
        columns.number[version] = one.number;
        columns.row[version] = row + one.row;
        columns.appVersion[version] = one.appVersion;
        columns.urls[version] = one.urls;
        columns.created[version] = one.created;
        columns.digestText[version] = one.digestText;
        if (one.digestText === plainDigest)
          columns.digest.set(Buffer.from(one.digest, 'hex'), version * digestBytes);
        version++;
      }
      for (const { deprecated } of chart.rows) columns.deprecated[row++] = deprecated ? 1 : 0;
    }
    columns.firstVersion[this.#charts.length] = version;
  }

  /** The lines as `helm search` has them: name, full name, description and keywords, with a vertical tab between. */
  #writeLines({ lineStart, nameEnd, fullNameEnd, descriptionEnd }: Columns): Uint8Array {
    const writer = new ByteWriter();
    const part = (value: string) => {
      writer.text(value.toLowerCase().replaceAll('\v', ' '));
      return writer.length;
    };
    let row = 0;
    for (const { name, rows } of this.#charts) {
      for (const { description, keywords } of rows) {
        lineStart[row] = writer.length;
        nameEnd[row] = part(name);
        writer.text('\v');
        fullNameEnd[row] = part(`${this.#repository}/${name}`);
        writer.text('\v');
        descriptionEnd[row] = part(description);
        writer.text('\v');
        part(keywords.join(' '));
        writer.end();
        row++;
      }
    }
    lineStart[row] = writer.length;
    return writer.finish();
  }
}
