import type { Downloader } from '../download/downloader.ts';
import { isOci, resolveAccess, showUrl } from '../download/source.ts';
import type { LeftOutEntry } from './packed-index.ts';
import { type Repository, shownError } from './repository.ts';
import type { ChartVersion } from './repository-index.ts';

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

const maxShownChars = 200;

/**
 * Looks at a repository as one that is about to use it: fetches its index anew, reads each entry, and asks for the archive
 * that was created last by a HEAD request. Nothing that is held is changed.
 * @throws the signal's reason; whatever is wrong with the repository is in the answer
 */
export async function validateRepository(
  repository: Repository,
  downloader: Downloader,
  signal: AbortSignal,
): Promise<Validation> {
  const nothing = { charts: 0, versions: 0, leftOut: 0, leftOutEntries: [], archive: undefined };
  try {
    const index = await repository.readAnew(signal);
    const newest = index.newest();
    const archive = newest && (await checkArchive(repository, newest, downloader, signal));
    const { count: leftOut, listed, first: leftOutEntries } = index.leftOut;
    const versions = index.versionCount - listed;
    const counts = { charts: index.chartCount, versions, leftOut, leftOutEntries };
    return { valid: archive?.outcome !== 'FAILED', error: '', ...counts, archive };
  } catch (error) {
    signal.throwIfAborted();
    return { valid: false, error: shownError(error), ...nothing };
  }
}

async function checkArchive(
  repository: Repository,
  newest: ChartVersion,
  downloader: Downloader,
  signal: AbortSignal,
): Promise<ArchiveCheck> {
  let url = '';
  const check = (outcome: ArchiveCheck['outcome'], error = ''): ArchiveCheck => ({
    chart: newest.name.slice(0, maxShownChars),
    version: newest.version.slice(0, maxShownChars),
    url,
    outcome,
    error,
  });
  if (isOci(newest.urls[0] ?? '')) return check('NOT_CHECKED', 'it is in an OCI registry');
  try {
    const { source, credentials } = await repository.archiveOf(newest);
    url = showUrl(source.url);
    const question = { url: source.url, access: resolveAccess(source, credentials), maxBytes: 1 };
    const { status } = await downloader.ask({ ...question, method: 'HEAD' }, signal);
    if (status === 200) return check('REACHABLE');
    if (status === 405 || status === 501) return check('NOT_CHECKED', `HEAD is answered ${status}`);
    return check('FAILED', `the server answered ${status}`);
  } catch (error) {
    signal.throwIfAborted();
    return check('FAILED', shownError(error));
  }
}
