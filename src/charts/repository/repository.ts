import { Code, GatewayError, invalidArgument } from '../../protocol/index.ts';
import type { Downloader } from '../download/downloader.ts';
import { Limiter } from '../download/limiter.ts';
import { SharedTasks } from '../download/shared-tasks.ts';
import {
  type Credentials,
  parseSourceUrl,
  resolveAccess,
  type SourceUrl,
  showUrl,
} from '../download/source.ts';
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

/** Where a chart's archive is, and how to get it. */
export interface ArchiveSource {
  readonly source: SourceUrl;
  readonly credentials: Credentials;
  readonly digest: string | undefined;
}

interface HeldIndex {
  readonly index: RepositoryIndex;
  readonly charts: number;
  readonly versions: number;
  /** Of the text that it was read from. */
  readonly bytes: number;
  readonly sha256: string;
  /** By which the server tells whether it has changed; asked with these credentials only. */
  readonly validators: { readonly etag: string | undefined; readonly lastModified: string | undefined };
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
  readonly loads = new Limiter(maxLoading, maxLoadsWaiting);
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
      throw new GatewayError(
        Code.RESOURCE_EXHAUSTED,
        `the indexes of all chart repositories would take more than ${this.#maxBytes} bytes`,
      );
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
    const { charts = 0, versions = 0 } = this.#held ?? {};
    return {
      name: this.name,
      url: showUrl(this.#options.source.url),
      origin: this.origin,
      refreshed: this.#refreshed,
      charts,
      versions,
      error: this.#error,
    };
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
        if (!shared.aborted) this.#error = GatewayError.from(error).message.slice(0, maxErrorChars);
        throw error;
      }
    });
  }

  async #load(signal: AbortSignal): Promise<HeldIndex> {
    const { indexMaxBytes, room } = this.#options;
    const { source, credentials } = await this.#indexSource();
    const { fingerprint } = resolveAccess(source, credentials);
    const before = this.#held?.fingerprint === fingerprint ? this.#held : undefined;
    const wanted = { source, credentials, maxBytes: indexMaxBytes };
    const { bytes, ...validators } = await this.#downloader.fetchChanged(
      wanted,
      before?.validators ?? {},
      signal,
    );
    const checkedAt = performance.now();
    if (!bytes) {
      if (!before) throw new Error('a server may call unchanged only what it was asked about');
      const { etag = before.validators.etag, lastModified = before.validators.lastModified } = validators;
      return this.#hold({ ...before, validators: { etag, lastModified }, checkedAt });
    }
    const held = this.#held;
    if (!this.#isClosed) room.take(this, bytes.length);
    const ofText = { bytes: bytes.length, validators, fingerprint, checkedAt };
    try {
      const { sha256, index = held?.index } = await this.#read(bytes, source, signal, held?.sha256);
      if (!index) throw new Error('only what was held can be unchanged');
      const { chartCount: charts, versionCount: versions } = index;
      return this.#hold({ index, charts, versions, sha256, ...ofText });
    } catch (error) {
      if (this.#held) room.take(this, this.#held.bytes);
      else room.give(this);
      throw error;
    }
  }

  /** @param known SHA-256 of the text whose index is held */
  #read(bytes: Uint8Array, { url }: SourceUrl, signal: AbortSignal, known?: string): Promise<ReadIndex> {
    const maxTextBytes = this.origin === 'flag' ? undefined : maxAddedTextBytes;
    return readIndex(bytes, { where: showUrl(url), repository: this.name, known, maxTextBytes }, signal);
  }

  /** The index as it is now, whatever is held, which stays as it is. @throws GatewayError as `index` */
  readAnew(signal: AbortSignal): Promise<RepositoryIndex> {
    const { room, indexMaxBytes: maxBytes } = this.#options;
    const read = async () => {
      const wanted = await this.#indexSource();
      const { bytes } = await this.#downloader.fetchChanged({ ...wanted, maxBytes }, {}, signal);
      return (await this.#read(bytes!, wanted.source, signal)).index!;
    };
    return room.loads.run(read, signal);
  }

  #hold(held: HeldIndex): HeldIndex {
    if (this.#isClosed) this.#options.room.give(this);
    else {
      this.#options.room.take(this, held.bytes);
      this.#held = held;
    }
    return held;
  }

  /** Where the index is, and what it takes to get it. */
  async #indexSource(): Promise<{ readonly source: SourceUrl; readonly credentials: Credentials }> {
    const { source, credentials } = this.#options;
    return {
      source: { ...source, url: childUrl(source.url, 'index.yaml') },
      credentials: await credentials(),
    };
  }

  /**
   * Where the archive of a chart is. Credentials of the repository go along only where that is the repository's own origin.
   * @throws GatewayError INVALID_ARGUMENT when it has no URL, or one that is none
   */
  async archiveOf(chart: ChartVersion): Promise<ArchiveSource> {
    const { source, credentials } = this.#options;
    const [text] = chart.urls;
    if (!text) {
      throw invalidArgument(`version ${chart.version} of the chart has no downloadable URLs in the index`);
    }
    const isRelative = !URL.canParse(text);
    const archive = isRelative
      ? { url: childUrl(source.url, text), username: '', password: '' }
      : parseSourceUrl(text);
    const digest = chart.digest || undefined;
    if (archive.url.origin !== source.url.origin) return { source: archive, credentials: {}, digest };
    const login = archive.username === '' && archive.password === '' ? source : archive;
    return { source: { ...login, url: archive.url }, credentials: await credentials(), digest };
  }
}

const maxErrorChars = 500;

/** A URL below the repository's, whose query (a signature, say) is kept, as Helm does, but for no other origin. */
function childUrl(base: URL, reference: string): URL {
  const folder = new URL(base);
  folder.pathname = `${folder.pathname.replace(/\/$/, '')}/`;
  const { url } = parseSourceUrl(reference, folder);
  if (!url.search && url.origin === base.origin) url.search = base.search;
  return url;
}
