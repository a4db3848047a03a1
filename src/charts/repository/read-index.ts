import { createHash } from 'node:crypto';
import { GatewayError, inThread, invalidArgument, maxHereBytes, ThreadPool } from '../../protocol/index.ts';
import type { YamlMap, YamlValue } from '../../yaml/index.ts';
import {
  decodeText,
  mayExpand,
  readBoolean,
  readFields,
  readTexts,
  readYamlMap,
  textFields,
} from '../chart/chart-yaml.ts';
import { parseVersion } from '../requirements/version-constraint.ts';
import { IndexPacker, type LeftOutReason, type PackedIndex, type ParsedEntry } from './packed-index.ts';
import { RepositoryIndex } from './repository-index.ts';

const fields = {
  ...textFields('name', 'version', 'digest', 'created', 'appVersion', 'description', 'home', 'icon'),
  urls: readTexts,
  keywords: readTexts,
  deprecated: readBoolean,
};
const noTexts = { version: '', digest: '', created: '', appVersion: '', description: '', home: '', icon: '' };
const empty = { ...noTexts, urls: [], keywords: [], deprecated: false };

/** An index may be as long as its bytes may be many; public ones have some hundred thousand values. */
const indexBounds = { maxLength: 256 * 1024 * 1024, maxNodes: 20_000_000 };

/** Charts of an index that are read together: enough that the reader's own beginning and end do not count. */
const groupBytes = 64 * 1024;

export interface IndexText {
  /** How messages name it. */
  readonly where: string;
  /** Name of the repository. */
  readonly repository: string;
  /** SHA-256 in hexadecimal of a text that need not be read again. */
  readonly known?: string | undefined;
  /** The most that may have to be read at once. */
  readonly maxTextBytes?: number | undefined;
}

/**
 * Reads a repository's index.yaml. Entries that name no version are left out, and of those that cannot be read otherwise
 * the version is kept alone: one broken chart does not hide the others, nor a broken version itself.
 * @throws GatewayError INVALID_ARGUMENT when it is no index at all; `where` is put in front
 */
export function packIndex(data: Uint8Array, text: IndexText): PackedIndex {
  return packByGroups(data, text) ?? packWhole(data, text);
}

function packWhole(
  data: Uint8Array,
  { where, repository, maxTextBytes = Number.POSITIVE_INFINITY }: IndexText,
): PackedIndex {
  if (data.length > maxTextBytes) {
    throw invalidArgument(
      `${where}: an index of more than ${maxTextBytes} bytes has to be laid out as Helm writes it, with less for each chart`,
    );
  }
  const map = readYamlMap(data, where, indexBounds);
  const packer = new IndexPacker(repository);
  for (const [name, versions] of entriesOf(map, where)) addChart(packer, name, versions);
  return packer.finish();
}

function entriesOf(map: YamlMap, where: string): YamlMap {
  const entries = map.get('entries') ?? new Map();
  if (!map.get('apiVersion') || !(entries instanceof Map)) {
    throw invalidArgument(`${where}: is no repository index: it must have apiVersion and entries`);
  }
  return entries;
}

function addChart(packer: IndexPacker, name: string, versions: YamlValue): void {
  if (!Array.isArray(versions)) {
    packer.leaveOut(name, 0, 'NOT_A_LIST');
    return;
  }
  const read = versions.map(value => readVersion(name, value));
  const readable = new Set(read.map(({ entry, problem }) => problem !== 'WRONG_TYPE' && entry?.version));
  const entries: ParsedEntry[] = [];
  for (const [position, { entry, problem }] of read.entries()) {
    const isListed = entry && (problem !== 'WRONG_TYPE' || !readable.has(entry.version));
    if (isListed) entries.push(entry);
    if (problem) packer.leaveOut(name, position, problem, isListed);
  }
  packer.add(name, entries);
}

function readVersion(name: string, value: YamlValue): { entry?: ParsedEntry; problem?: LeftOutReason } {
  if (!(value instanceof Map)) return { problem: 'NOT_A_MAP' };
  try {
    const given = { ...empty, ...readFields(value, fields, name) };
    const parsedVersion = parseVersion(given.version);
    if (!parsedVersion) return { problem: 'NO_VERSION' };
    const entry = { ...given, name, parsedVersion };
    return given.urls[0] ? { entry } : { entry, problem: 'NO_URL' };
  } catch {
    // what can be read of it is its version, without which an older one would be taken for the newest
    const { entry } = value.size > 1 ? readVersion(name, new Map([['version', value.get('version')!]])) : {};
    return { ...(entry && { entry }), problem: 'WRONG_TYPE' };
  }
}

/**
 * Reads an index some charts at a time: read whole, it takes about twenty times its bytes in memory. What a text means does
 * not depend on where it is cut, since it is cut in front of the keys of `entries`, in front of which every value ends; a
 * value that does not (a text in quotes may go on) leaves a group that cannot be read.
 * @returns undefined for what has to be read whole: what is laid out otherwise, has a mistake or an anchor, or a chart twice
 */
function packByGroups(
  data: Uint8Array,
  { where, repository, maxTextBytes = Number.POSITIVE_INFINITY }: IndexText,
): PackedIndex | undefined {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  const cut = cutEntries(bytes);
  if (!cut) return undefined;
  const around = bytes.length - (cut.end - cut.start);
  if ([around, ...cut.groups.map(([start, end]) => end - start)].some(size => size > maxTextBytes))
    return undefined;
  try {
    const rest = `${decodeText(bytes.subarray(0, cut.start), where)}\n${decodeText(bytes.subarray(cut.end), where)}`;
    const others = readYamlMap(rest, where, boundsOf(rest));
    if (others.has('entries') || !others.get('apiVersion')) return undefined;
    const packer = new IndexPacker(repository);
    const names = new Set<string>();
    for (const [start, end] of cut.groups) {
      const text = decodeText(bytes.subarray(start, end), where);
      for (const [name, versions] of readYamlMap(text, where, boundsOf(text))) {
        if (names.has(name)) return undefined;
        names.add(name);
        addChart(packer, name, versions);
      }
    }
    return packer.finish();
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

/** A text without aliases has no more values than characters. */
function boundsOf(text: string) {
  return { maxLength: text.length + 1, maxNodes: text.length + 1 };
}

interface CutIndex {
  /** Of the line `entries:`. */
  readonly start: number;
  /** Of what follows the entries. */
  readonly end: number;
  readonly groups: readonly (readonly [start: number, end: number])[];
}

const newLine = 0x0a;
const space = 0x20;

/** Cuts a text as Helm and ChartMuseum write it, by its lines alone. @returns undefined where the lines look otherwise */
function cutEntries(bytes: Buffer): CutIndex | undefined {
  const key =
    bytes.subarray(0, 9).toString('latin1') === 'entries:\n' ? 0 : bytes.indexOf('\nentries:\n') + 1;
  if (key === 0 && bytes[0] !== 0x65) return undefined;
  const groups: [number, number][] = [];
  const first = key + 'entries:\n'.length;
  let groupStart = first;
  let indent = -1;
  let at = first;
  for (; at < bytes.length; at = lineEnd(bytes, at)) {
    let column = 0;
    while (bytes[at + column] === space) column++;
    const byte = bytes[at + column];
    if (byte === undefined || byte === newLine || byte === 0x23 || byte === 0x0d) continue; // blank, or a comment
    if (column === 0) {
      if (isLetter(byte)) break; // the next key beside `entries`
      return undefined;
    }
    if (indent < 0) indent = column;
    if (column < indent || byte === 0x09) return undefined;
    const isKey = column === indent && byte !== 0x2d;
    if (isKey && at - groupStart >= groupBytes) {
      groups.push([groupStart, at]);
      groupStart = at;
    }
  }
  if (at > groupStart) groups.push([groupStart, at]);
  return { start: key, end: at, groups };
}

function lineEnd(bytes: Buffer, at: number): number {
  const end = bytes.indexOf(newLine, at);
  return end < 0 ? bytes.length : end + 1;
}

function isLetter(byte: number): boolean {
  return (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
}

/**
 * A thread for indexes alone: one that has to be read whole takes about twenty times its bytes in memory, and the largest
 * allowed by default has to fit. For repositories that clients have added there is a bound on what is read at once.
 */
const indexThread = new ThreadPool({ maxThreads: 1, maxWaiting: 100, maxHeapMiB: 1024, maxJobMs: 180_000 });
const packInThread = inThread(import.meta.url, packChanged, indexThread);

/** An index as it was read; without an `index` where its text is the known one. */
export interface ReadIndex {
  readonly sha256: string;
  readonly index: RepositoryIndex | undefined;
}

/** As `packIndex`, for a text that is not the known one. */
export function packChanged(
  data: Uint8Array,
  text: IndexText,
): { readonly sha256: string; readonly packed: PackedIndex | undefined } {
  const sha256 = createHash('sha256').update(data).digest('hex');
  return { sha256, packed: sha256 === text.known ? undefined : packIndex(data, text) };
}

/**
 * Reads an index; a large one in a thread, since ten megabytes take a second in which nothing else would be answered, and
 * one with anchors, by which a few bytes make any number of versions.
 * @param data nobody may use it afterwards: it is handed over
 * @throws GatewayError as packIndex and ThreadPool.run
 */
export async function readIndex(data: Uint8Array, text: IndexText, signal: AbortSignal): Promise<ReadIndex> {
  const job = { what: text.where, bytes: data.length, signal, move: true };
  const isSmall = data.length <= maxHereBytes && !mayExpand(data);
  const { sha256, packed } = isSmall ? packChanged(data, text) : await packInThread(job, data, text);
  return { sha256, index: packed && new RepositoryIndex(packed) };
}
