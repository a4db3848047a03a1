import { inThread, invalidArgument, maxHereBytes, ThreadPool } from '../../protocol/index.ts';
import type { YamlValue } from '../../yaml/index.ts';
import { readBoolean, readFields, readText, readTexts, readYamlMap } from '../chart/chart-yaml.ts';
import {
  compareVersions,
  parseConstraint,
  parseVersion,
  type Version,
} from '../requirements/version-constraint.ts';

/** What is read of an entry: these texts, the lists `urls` and `keywords`, and `deprecated`. */
const textFields = [
  'name',
  'version',
  'digest', // SHA-256 of the archive in hexadecimal
  'created', // RFC 3339
  'appVersion',
  'description',
  'home',
  'icon',
] as const;

/** One version of a chart, as a repository's index describes it; texts and lists that it does not have are empty. */
export interface ChartVersion extends Readonly<Record<(typeof textFields)[number], string>> {
  readonly parsedVersion: Version;
  readonly urls: readonly string[];
  readonly keywords: readonly string[];
  readonly deprecated: boolean;
}

/** The versions of every chart, newest first. */
export type RepositoryIndex = ReadonlyMap<string, readonly ChartVersion[]>;

const fields = { ...eachText(readText), urls: readTexts, keywords: readTexts, deprecated: readBoolean };
const empty = { ...eachText(''), urls: [], keywords: [], deprecated: false };

function eachText<T>(value: T): Record<(typeof textFields)[number], T> {
  return Object.fromEntries(textFields.map(name => [name, value])) as Record<(typeof textFields)[number], T>;
}

/** An index may be as long as its bytes may be many; public ones have some hundred thousand values. */
const indexBounds = { maxLength: 256 * 1024 * 1024, maxNodes: 20_000_000 };

/**
 * Reads a repository's index.yaml. Entries that cannot be read or name no version are left out: one broken chart
 * does not hide the others.
 * @throws GatewayError INVALID_ARGUMENT when it is no index at all; `where` is put in front
 */
export function parseRepositoryIndex(data: Uint8Array, where: string): RepositoryIndex {
  const map = readYamlMap(data, where, indexBounds);
  const entries = map.get('entries') ?? new Map();
  if (!map.get('apiVersion') || !(entries instanceof Map)) {
    throw invalidArgument(`${where}: is no repository index: it must have apiVersion and entries`);
  }
  const index = new Map<string, readonly ChartVersion[]>();
  for (const [name, versions] of entries) {
    if (!Array.isArray(versions)) continue;
    const read = versions.flatMap(value => readVersion(name, value));
    index.set(
      name,
      read.sort((a, b) => compareVersions(b.parsedVersion, a.parsedVersion)),
    );
  }
  return index;
}

function readVersion(name: string, value: YamlValue): ChartVersion[] {
  try {
    const entry = { ...empty, ...readFields(value, fields, name) };
    const parsedVersion = parseVersion(entry.version);
    return parsedVersion ? [{ ...entry, name, parsedVersion }] : [];
  } catch {
    return [];
  }
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
  throw invalidArgument(
    index.get(name)?.length
      ? `no version of chart ${quoted} matches ${JSON.stringify(range || '*')}`
      : `no chart named ${quoted} in the repository`,
  );
}

/** As `findChart`; undefined where there is none. @throws GatewayError INVALID_ARGUMENT when the range cannot be read */
export function findVersion(index: RepositoryIndex, name: string, range: string): ChartVersion | undefined {
  const versions = index.get(name) ?? [];
  const exact = versions.find(({ version }) => version === range);
  if (exact || versions.length === 0) return exact;
  const matches = readRange(range);
  return versions.find(({ parsedVersion }) => matches(parsedVersion));
}

/**
 * A test for versions from the text of a range; empty lets every release through.
 * @throws GatewayError INVALID_ARGUMENT when it cannot be read
 */
export function readRange(range: string): (version: Version) => boolean {
  const constraint = parseConstraint(range === '' ? '*' : range);
  if (!constraint) throw invalidArgument(`not a version or a range of versions: ${JSON.stringify(range)}`);
  return constraint;
}

/**
 * A thread for indexes alone: in memory one takes about twenty times its bytes, and the largest allowed by default has to
 * fit. Which repositories there are is for the configuration to say, not for a client.
 */
const indexThread = new ThreadPool({ maxThreads: 1, maxWaiting: 100, maxHeapMiB: 1024, maxJobMs: 60_000 });
const readInThread = inThread(import.meta.url, parseRepositoryIndex, indexThread);

/**
 * Reads an index; a large one in a thread, since ten megabytes take a second in which nothing else would be answered.
 * @throws GatewayError as parseRepositoryIndex and ThreadPool.run
 */
export async function readIndex(
  data: Uint8Array,
  where: string,
  signal: AbortSignal,
): Promise<RepositoryIndex> {
  if (data.length <= maxHereBytes) return parseRepositoryIndex(data, where);
  return readInThread({ what: where, bytes: data.length, signal }, data, where);
}
