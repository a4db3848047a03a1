import { GatewayError, inThread, invalidArgument, maxHereBytes, ThreadPool } from '../../protocol/index.ts';
import type { YamlValue } from '../../yaml/index.ts';
import { readBoolean, readFields, readText, readTexts, readYamlMap } from '../chart/chart-yaml.ts';
import type { Downloader } from '../download/downloader.ts';
import { resolveAccess, showUrl } from '../download/source.ts';
import { parseVersion } from '../requirements/version-constraint.ts';
import type { Repository } from './repository.ts';

/** Why an entry of an index is of no use; a closed list. The last are listed all the same, but cannot be installed. */
export type LeftOutReason = 'NOT_A_LIST' | 'NOT_A_MAP' | 'WRONG_TYPE' | 'NO_VERSION' | 'NO_URL';

export interface LeftOutEntry {
  readonly chart: string;
  /** From 0, in the index's order of the chart's versions. */
  readonly position: number;
  readonly reason: LeftOutReason;
}

/** The archive that was asked for to see whether archives are there. */
export interface ArchiveCheck {
  readonly chart: string;
  readonly version: string;
  readonly url: string;
  /** `NOT_CHECKED` where the server takes no HEAD request. */
  readonly outcome: 'REACHABLE' | 'FAILED' | 'NOT_CHECKED';
  readonly error: string;
}

export interface Validation {
  readonly valid: boolean;
  /** Why the index cannot be used; empty where it can. */
  readonly error: string;
  readonly charts: number;
  readonly versions: number;
  readonly leftOut: number;
  /** The first of those left out. */
  readonly leftOutEntries: readonly LeftOutEntry[];
  /** Undefined where no entry has a URL. */
  readonly archive: ArchiveCheck | undefined;
}

interface Newest {
  readonly name: string;
  readonly version: string;
  readonly urls: readonly string[];
  readonly created: number;
}

interface Inspection extends Pick<Validation, 'charts' | 'versions' | 'leftOut' | 'leftOutEntries'> {
  readonly newest: Newest | undefined;
}

const maxShownEntries = 20;
const maxShownChars = 200;
const fields = { version: readText, created: readText, urls: readTexts };
const others = {
  ...{ name: readText, digest: readText, appVersion: readText, description: readText, home: readText },
  ...{ icon: readText, keywords: readTexts, deprecated: readBoolean },
};
const indexBounds = { maxLength: 256 * 1024 * 1024, maxNodes: 20_000_000 };

/**
 * Looks at a repository as one that is about to use it: fetches its index anew, reads each entry, and asks for the archive
 * that was created last by a HEAD request. Nothing that is held is changed.
 * @throws the signal's reason; whatever is wrong with the repository is in the answer
 */
export async function validateRepository(
  repository: Repository,
  downloader: Downloader,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Validation> {
  const nothing = { charts: 0, versions: 0, leftOut: 0, leftOutEntries: [], archive: undefined };
  try {
    const wanted = await repository.indexSource();
    const { bytes } = await downloader.fetchChanged({ ...wanted, maxBytes }, {}, signal);
    const { newest, ...counts } = await inspect(bytes!, showUrl(wanted.source.url), signal);
    const archive = newest && (await checkArchive(repository, newest, downloader, signal));
    return { valid: archive?.outcome !== 'FAILED', error: '', ...counts, archive };
  } catch (error) {
    signal.throwIfAborted();
    return { valid: false, error: messageOf(error), ...nothing };
  }
}

async function checkArchive(
  repository: Repository,
  { name, version, urls }: Newest,
  downloader: Downloader,
  signal: AbortSignal,
): Promise<ArchiveCheck> {
  let url = '';
  const check = (outcome: ArchiveCheck['outcome'], error = ''): ArchiveCheck => ({
    chart: name.slice(0, maxShownChars),
    version: version.slice(0, maxShownChars),
    url,
    outcome,
    error,
  });
  try {
    const { source, credentials } = await repository.archiveOf({ version, urls, digest: '' });
    url = showUrl(source.url);
    const question = { url: source.url, access: resolveAccess(source, credentials), maxBytes: 1 };
    const { status } = await downloader.ask({ ...question, method: 'HEAD' }, signal);
    if (status === 200) return check('REACHABLE');
    if (status === 405 || status === 501) return check('NOT_CHECKED', `HEAD is answered ${status}`);
    return check('FAILED', `the server answered ${status}`);
  } catch (error) {
    signal.throwIfAborted();
    return check('FAILED', messageOf(error));
  }
}

function messageOf(error: unknown): string {
  return GatewayError.from(error).message.slice(0, 500);
}

/** Reads an index entry by entry. @throws GatewayError INVALID_ARGUMENT when it is none; `where` is put in front */
export function inspectIndex(data: Uint8Array, where: string): Inspection {
  const map = readYamlMap(data, where, indexBounds);
  const entries = map.get('entries') ?? new Map<string, YamlValue>();
  if (!map.get('apiVersion') || !(entries instanceof Map)) {
    throw invalidArgument(`${where}: is no repository index: it must have apiVersion and entries`);
  }
  let [charts, versions, leftOut] = [0, 0, 0];
  let newest: Newest | undefined;
  const leftOutEntries: LeftOutEntry[] = [];
  const leave = (chart: string, position: number, reason: LeftOutReason) => {
    if (++leftOut <= maxShownEntries)
      leftOutEntries.push({ chart: chart.slice(0, maxShownChars), position, reason });
  };
  for (const [name, list] of entries) {
    if (!Array.isArray(list)) {
      leave(name, 0, 'NOT_A_LIST');
      continue;
    }
    charts++;
    for (const [position, value] of list.entries()) {
      const entry = readEntry(name, value);
      if (typeof entry === 'string') leave(name, position, entry);
      else {
        versions++;
        if (!newest || entry.created > newest.created) newest = entry;
      }
    }
  }
  return { charts, versions, leftOut, leftOutEntries, newest };
}

function readEntry(name: string, value: YamlValue): Newest | LeftOutReason {
  if (!(value instanceof Map)) return 'NOT_A_MAP';
  try {
    const { version = '', urls = [], created = '' } = readFields(value, { ...fields, ...others }, name);
    if (!parseVersion(version)) return 'NO_VERSION';
    if (!urls[0]) return 'NO_URL';
    const time = Date.parse(created);
    return { name, version, urls: urls.slice(0, 1), created: Number.isNaN(time) ? 0 : time };
  } catch {
    return 'WRONG_TYPE';
  }
}

const threads = new ThreadPool({ maxThreads: 1, maxWaiting: 20, maxHeapMiB: 1024, maxJobMs: 60_000 });
const inspectInThread = inThread(import.meta.url, inspectIndex, threads);

async function inspect(data: Buffer, where: string, signal: AbortSignal): Promise<Inspection> {
  if (data.length <= maxHereBytes) return inspectIndex(data, where);
  return inspectInThread({ what: where, bytes: data.length, signal }, data, where);
}
