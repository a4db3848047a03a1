import { GatewayError, invalidArgument, Limiter, limitExceeded } from '../../protocol/index.ts';
import type { Credentials } from '../chart/chart-options.ts';
import type { Downloader, Source } from '../download/downloader.ts';
import type { Validators } from '../download/fetch.ts';
import { parseSourceUrl, resolveAccess, type SourceUrl, showUrl } from '../download/source.ts';
import { SharedTasks, tooManyFetched } from '../download/tasks.ts';
import { type ReadIndex, readIndex } from './read-index.ts';
import type { ChartVersion, RepositoryIndex } from './repository-index.ts';

/** The name that uploads have in a chart_url, in the place of a repository's. */
export const uploadsName = 'uploads';

/** Where a repository is known from: the gateway's configuration, or the API, kept in a file or in memory alone. */
export type Origin = 'flag' | 'file' | 'memory';

export interface RepositoryOptions {
  readonly name: string;
  readonly source: SourceUrl;
  readonly origin: Origin;
  /** Read each time the repository is asked, so that changed secrets are taken up. */
  readonly credentials: () => Promise<Credentials>;
  readonly indexMaxAgeMs: number;
  readonly indexMaxBytes: number;
  readonly room: IndexRoom;
}

interface HeldIndex {
  readonly index: RepositoryIndex;
  /** Of the text that it was read from. */
  readonly bytes: number;
  readonly sha256: string;
  /** By which the server tells whether it has changed; asked with these credentials only. */
  readonly validators: Validators;
  readonly fingerprint: string;
  readonly checkedAt: number;
}

/** What is known of a repository. It holds no credentials, and of the URL no query, which may be a signature. */
export interface RepositorySummary {
  readonly name: string;
  readonly url: string;
  readonly origin: Origin;
  /** When the index was last read, or last seen to be unchanged; undefined where it never was. */
  readonly refreshed: Date | undefined;
  readonly charts: number;
  readonly versions: number;
  /** Why the last attempt to get the index failed; empty where it did not. */
  readonly error: string;
}

/** Indexes that are fetched and read at a time: each may take its size twice, and a thread's memory. */
const maxLoading = 3;
const maxLoadsWaiting = 500;
/** What may have to be read at once of the index of a repository that a client has added; it takes twenty times its bytes. */
const maxAddedTextBytes = 8 * 1024 * 1024;

/**
 * Bounds what the indexes of all repositories take together, by their size as text. Those of the configuration come first: for
 * them, indexes of repositories that were added by API make room.
 */
export class IndexRoom {
  readonly loads = new Limiter(maxLoading, maxLoadsWaiting, tooManyFetched);
  readonly #maxBytes: number;
  readonly #taken = new Map<Repository, number>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @throws GatewayError RESOURCE_EXHAUSTED where there is no room */
  take(repository: Repository, bytes: number): void {
    let sum = bytes;
    for (const [other, taken] of this.#taken) if (other !== repository) sum += taken;
    for (const [other, taken] of this.#taken) {
      if (sum <= this.#maxBytes || repository.origin !== 'flag') break;
      if (other === repository || other.origin === 'flag') continue;
      sum -= taken;
      other.drop();
    }
    if (sum > this.#maxBytes) {
      const message = `the indexes of all chart repositories would take more than ${this.#maxBytes} bytes`;
      throw limitExceeded(message);
    }
    this.#taken.set(repository, bytes);
  }

  give(repository: Repository): void {
    this.#taken.delete(repository);
  }
}

/** One chart repository: its index, held in memory, and where its archives are. */
export class Repository {
  readonly name: string;
  readonly origin: Origin;
  readonly #options: RepositoryOptions;
  readonly #downloader: Downloader;
  #held: HeldIndex | undefined;
  #refreshed: Date | undefined;
  #error = '';
  #isClosed = false;
  readonly #loading = new SharedTasks<HeldIndex>();

  constructor(options: RepositoryOptions, downloader: Downloader) {
    this.name = options.name;
    this.origin = options.origin;
    this.#options = options;
    this.#downloader = downloader;
  }

  /** The whole URL, query included: not for answers. */
  get url(): string {
    return this.#options.source.url.href;
  }

  summary(): RepositorySummary {
    const { name, origin } = this;
    const { chartCount: charts = 0, versionCount: versions = 0 } = this.#held?.index ?? {};
    const url = showUrl(this.#options.source.url);
    return { name, url, origin, refreshed: this.#refreshed, charts, versions, error: this.#error };
  }

  /**
   * The index, asked for anew when it is older than its bound; it is read again only when it has changed.
   * @throws GatewayError as Downloader.fetch, and INVALID_ARGUMENT when it is no index
   */
  async index(signal: AbortSignal): Promise<RepositoryIndex> {
    const held = this.#held;
    if (held && performance.now() - held.checkedAt < this.#options.indexMaxAgeMs) return held.index;
    return (await this.#loadShared(signal)).index;
  }

  /** Asks for the index whatever its age. @throws GatewayError as `index` */
  async refresh(signal: AbortSignal): Promise<void> {
    await this.#loadShared(signal);
  }

  /** Lets go of the index; it is fetched again when it is wanted. */
  drop(): void {
    this.#held = undefined;
    this.#options.room.give(this);
  }

  /** The repository was removed: a download in progress leaves nothing behind. */
  close(): void {
    this.#isClosed = true;
    this.drop();
  }

  #loadShared(signal: AbortSignal): Promise<HeldIndex> {
    return this.#loading.run('index', signal, async shared => {
      try {
        const held = await this.#options.room.loads.run(() => this.#load(shared), shared);
        this.#refreshed = new Date();
        this.#error = '';
        return held;
      } catch (error) {
        // whoever went away says nothing of the repository
        if (!shared.aborted) this.#error = shownError(error);
        throw error;
      }
    });
  }

  async #load(signal: AbortSignal): Promise<HeldIndex> {
    const { room } = this.#options;
    const wanted = await this.#indexSource();
    const { fingerprint } = resolveAccess(wanted.source, wanted.credentials);
    const before = this.#held?.fingerprint === fingerprint ? this.#held : undefined;
    const answer = await this.#downloader.fetchChanged(wanted, before?.validators ?? {}, signal);
    const { bytes: data, ...validators } = answer;
    const checkedAt = performance.now();
    if (!data) {
      if (!before) throw new Error('a server may call unchanged only what it was asked about');
      const { etag = before.validators.etag, lastModified = before.validators.lastModified } = validators;
      return this.#hold({ ...before, validators: { etag, lastModified }, checkedAt });
    }
    const held = this.#held;
    const bytes = data.length;
    if (!this.#isClosed) room.take(this, bytes);
    try {
      const { sha256, index = held?.index } = await this.#read(data, signal, held?.sha256);
      if (!index) throw new Error('only what was held can be unchanged');
      return this.#hold({ index, sha256, bytes, validators, fingerprint, checkedAt });
    } catch (error) {
      if (this.#held) room.take(this, this.#held.bytes);
      else room.give(this);
      throw error;
    }
  }

  /** @param known SHA-256 of the text whose index is held */
  #read(data: Uint8Array, signal: AbortSignal, known?: string): Promise<ReadIndex> {
    const maxTextBytes = this.origin === 'flag' ? undefined : maxAddedTextBytes;
    const where = showUrl(this.#indexUrl);
    return readIndex(data, { where, repository: this.name, known, maxTextBytes }, signal);
  }

  /** The index as it is now, whatever is held, which stays as it is. @throws GatewayError as `index` */
  readAnew(signal: AbortSignal): Promise<RepositoryIndex> {
    const read = async () => {
      const { bytes } = await this.#downloader.fetchChanged(await this.#indexSource(), {}, signal);
      return (await this.#read(bytes!, signal)).index!;
    };
    return this.#options.room.loads.run(read, signal);
  }

  #hold(held: HeldIndex): HeldIndex {
    if (this.#isClosed) this.#options.room.give(this);
    else {
      this.#options.room.take(this, held.bytes);
      this.#held = held;
    }
    return held;
  }

  get #indexUrl(): URL {
    return childUrl(this.#options.source.url, 'index.yaml');
  }

  /** Where the index is, and what it takes to get it. */
  async #indexSource(): Promise<Source> {
    const { source, credentials, indexMaxBytes: maxBytes } = this.#options;
    return { source: { ...source, url: this.#indexUrl }, credentials: await credentials(), maxBytes };
  }

  /**
   * Where the archive of a chart is. Credentials of the repository go along only where that is the repository's own origin.
   * @throws GatewayError INVALID_ARGUMENT when it has no URL, or one that is none
   */
  async archiveOf(chart: ChartVersion): Promise<Omit<Source, 'maxBytes'>> {
    const { source, credentials } = this.#options;
    const [text] = chart.urls;
    if (!text) {
      throw invalidArgument(`version ${chart.version} of the chart has no downloadable URLs in the index`);
    }
    const { url, userInfo }: SourceUrl = URL.canParse(text)
      ? parseSourceUrl(text)
      : { url: childUrl(source.url, text) };
    const digest = chart.digest || undefined;
    if (url.origin !== source.url.origin) return { source: { url, userInfo }, credentials: {}, digest };
    const login = { url, userInfo: userInfo ?? source.userInfo };
    return { source: login, credentials: await credentials(), digest };
  }
}

/** What went wrong with a repository, as its summary and its validation show it. */
export function shownError(error: unknown): string {
  return GatewayError.from(error).message.slice(0, 500);
}

/** A URL below the repository's, whose query (a signature, say) is kept, as Helm does, but for no other origin. */
function childUrl(base: URL, reference: string): URL {
  const folder = new URL(base);
  folder.pathname = `${folder.pathname.replace(/\/$/, '')}/`;
  const { url } = parseSourceUrl(reference, folder);
  if (!url.search && url.origin === base.origin) url.search = base.search;
  return url;
}
