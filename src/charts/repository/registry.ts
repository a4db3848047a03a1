import {
  Code,
  callScope,
  GatewayError,
  invalidArgument,
  Limiter,
  limitExceeded,
  unavailable,
} from '../../protocol/index.ts';
import type { ChartOptions, ConfiguredRepository, Credentials } from '../chart/chart-options.ts';
import type { Downloader } from '../download/downloader.ts';
import { parseSourceUrl, type SourceUrl, showUrl } from '../download/source.ts';
import { tooManyFetched } from '../download/tasks.ts';
import {
  IndexRoom,
  type Origin,
  Repository,
  type RepositorySummary,
  shownError,
  uploadsName,
} from './repository.ts';
import { MemoryStore, RepositoryFile, type RepositoryStore } from './repository-file.ts';
import {
  checkRepository,
  isEmpty,
  isSame,
  namePattern,
  onlyGiven,
  readConfiguredCredentials,
  type StoredRepository,
} from './stored-repository.ts';
import { type Validation, validateRepository } from './validate-repository.ts';

/** Added by API; the configuration may have any number. */
const maxAdded = 200;
const maxShownChars = 200;
/** Indexes that are fetched at a time when all are asked for; the downloads have a bound of their own. */
const maxRefreshing = 4;
const maxRefreshMs = 120_000;

export interface NewRepository extends StoredRepository {
  /** Whether its index has to be readable. */
  readonly validate: boolean;
}

interface Added {
  readonly stored: StoredRepository;
  readonly repository: Repository;
}

/**
 * The chart repositories: those of the configuration, which no request changes, and those that were added by API. A name of
 * the configuration hides an added repository of the same name.
 */
export class RepositoryRegistry {
  readonly #options: ChartOptions;
  readonly #downloader: Downloader;
  readonly #room: IndexRoom;
  readonly #configured = new Map<string, Repository>();
  readonly #store: RepositoryStore;
  #added = new Map<string, Added>();
  #list: readonly StoredRepository[] = [];

  /** @throws GatewayError INVALID_ARGUMENT when a repository of the configuration, or the file, cannot be right */
  constructor(options: ChartOptions, downloader: Downloader) {
    this.#options = options;
    this.#downloader = downloader;
    this.#room = new IndexRoom(options.indexesMaxBytes);
    for (const given of options.repositories) this.#configure(given);
    const { repositoryFile: file } = options;
    this.#store = file === undefined ? new MemoryStore() : new RepositoryFile(file);
  }

  #configure(given: string | ConfiguredRepository): void {
    const { name, url, credentials } = typeof given === 'string' ? readFlag(given) : given;
    if (name === uploadsName) throw invalidArgument(`no chart repository may be called ${name}`);
    if (this.#configured.has(name)) throw invalidArgument(`the chart repository ${name} is given twice`);
    const source = parseSourceUrl(url);
    if (source.userInfo !== undefined) {
      throw invalidArgument(`the chart repository ${name}: credentials belong into the credentials file`);
    }
    const file = this.#options.repositoryCredentialsFile;
    const read = async () => credentials ?? readConfiguredCredentials(file, name);
    this.#configured.set(name, this.#create(name, source, 'flag', read));
  }

  #create(
    name: string,
    source: SourceUrl,
    origin: Origin,
    credentials: () => Promise<Credentials>,
  ): Repository {
    const { indexMaxAgeMs, indexMaxBytes } = this.#options;
    const bounds = { indexMaxAgeMs, indexMaxBytes, room: this.#room };
    return new Repository({ name, source, origin, credentials, ...bounds }, this.#downloader);
  }

  /**
   * The repository of a name; undefined where there is none.
   * @throws GatewayError FAILED_PRECONDITION or UNAVAILABLE when the file cannot be read
   */
  async get(name: string): Promise<Repository | undefined> {
    const configured = this.#configured.get(name);
    if (configured || !namePattern.test(name)) return configured;
    return (await this.#current()).get(name)?.repository;
  }

  /**
   * Works with the repository at a URL that a request names: one of these where the URL is the same and the request brings no
   * credentials, else one that nothing else knows, and that is gone afterwards.
   * @throws GatewayError INVALID_ARGUMENT for a URL that cannot be right; as `get`
   */
  async at<T>(
    url: string,
    credentials: Credentials,
    work: (repository: Repository) => Promise<T>,
  ): Promise<T> {
    const source = parseSourceUrl(url);
    const own = onlyGiven(credentials);
    const known = (await this.all()).find(repository => sameFolder(repository.url, source.url.href));
    if (known && isEmpty(own) && source.userInfo === undefined) return work(known);
    const repository = this.#create(showUrl(source.url), source, 'memory', async () => own);
    return work(repository).finally(() => repository.close());
  }

  /** @throws GatewayError NOT_FOUND when there is no repository of that name; as `get` */
  async existing(name: string): Promise<Repository> {
    const repository = await this.get(name);
    if (!repository) throw notThere(name);
    return repository;
  }

  /** All repositories, in the order of their configuration and addition. @throws GatewayError as `get` */
  async all(): Promise<readonly Repository[]> {
    const added = [...(await this.#current()).values()].map(({ repository }) => repository);
    return [...this.#configured.values(), ...added.filter(({ name }) => !this.#configured.has(name))];
  }

  /** @throws GatewayError as `get` */
  async list(): Promise<RepositorySummary[]> {
    return (await this.all()).map(repository => repository.summary());
  }

  /**
   * Adds a repository. One that is there already with the same URL and credentials is no error.
   * @throws GatewayError INVALID_ARGUMENT for what cannot be right, ALREADY_EXISTS for a name that is taken, RESOURCE_EXHAUSTED when there are
   * too many; as Downloader.check; as `Repository.index` where it has to be readable
   */
  async add({ validate, ...given }: NewRepository, signal: AbortSignal): Promise<RepositorySummary> {
    const wanted = { ...given, credentials: onlyGiven(given.credentials) };
    const source = checkRepository(wanted);
    const there = await this.#same(wanted);
    if (there) return there.summary();
    await this.#downloader.check(source.url, signal);
    // its index is kept where it is added, and only then counts
    const repository = this.#create(wanted.name, source, this.#store.kind, async () => wanted.credentials);
    try {
      if (validate) await repository.refresh(signal);
      await this.#store.change(before => {
        const taken = before.find(({ name }) => name === wanted.name);
        if (taken && !isSame(taken, wanted)) throw alreadyThere(wanted.name);
        if (taken) return before;
        if (before.length >= maxAdded) {
          throw limitExceeded(`at most ${maxAdded} chart repositories can be added`);
        }
        return [...before, wanted];
      });
    } catch (error) {
      repository.close();
      throw error;
    }
    if (this.#added.has(wanted.name)) repository.close();
    else this.#added.set(wanted.name, { stored: wanted, repository });
    return (await this.existing(wanted.name)).summary();
  }

  /**
   * Removes a repository that was added.
   * @throws GatewayError NOT_FOUND when it is not there; FAILED_PRECONDITION when it is one of the configuration
   */
  async remove(name: string): Promise<void> {
    if (this.#configured.has(name)) {
      const message = `the chart repository ${name} is set by the gateway's configuration (--chart-repo): it cannot be removed by a request`;
      throw new GatewayError(Code.FAILED_PRECONDITION, message);
    }
    await this.#store.change(before => {
      const after = before.filter(repository => repository.name !== name);
      if (after.length === before.length) throw notThere(name);
      return after;
    });
    await this.#current();
  }

  /**
   * Asks for a repository's index now; an unchanged one is not read again. What it has to say of the index is in the summary.
   * @throws GatewayError NOT_FOUND when it is not there; as `Repository.index`
   */
  async refresh(name: string, signal: AbortSignal): Promise<RepositorySummary> {
    const repository = await this.existing(name);
    await repository.refresh(signal);
    return repository.summary();
  }

  /**
   * Asks for all indexes; those that fail say so in their summary, and so do those that there was no time for.
   * @throws GatewayError as `get`; the signal's reason
   */
  async refreshAll(signal: AbortSignal): Promise<RepositorySummary[]> {
    const repositories = await this.all();
    const late = () =>
      unavailable(`not asked: the time for all repositories, ${maxRefreshMs / 1000} s, was over`);
    const scope = callScope({ signal, timeoutMs: maxRefreshMs, late });
    const turns = new Limiter(maxRefreshing, repositories.length, tooManyFetched);
    const refresh = async (repository: Repository) => {
      const asking = turns.run(() => repository.refresh(scope.signal), scope.signal);
      return asking.then(() => '', shownError);
    };
    const failures = await Promise.all(repositories.map(refresh)).finally(() => scope.end());
    signal.throwIfAborted();
    return repositories.map((repository, index) => {
      const summary = repository.summary();
      return { ...summary, error: summary.error || failures[index]! };
    });
  }

  /**
   * Looks at a repository without changing what is held of it. What is wrong with it is in the answer.
   * @throws GatewayError NOT_FOUND when it is not there; as `get`; the signal's reason
   */
  async validate(name: string, signal: AbortSignal): Promise<Validation> {
    const repository = await this.existing(name);
    return validateRepository(repository, this.#downloader, signal);
  }

  /** The repository that has the name already, where it is what is wanted. @throws GatewayError ALREADY_EXISTS where it is not */
  async #same(wanted: StoredRepository): Promise<Repository | undefined> {
    const configured = this.#configured.get(wanted.name);
    if (configured) {
      const isTheSame = configured.url === parseSourceUrl(wanted.url).url.href;
      if (isTheSame && isEmpty(wanted.credentials)) return configured;
      throw alreadyThere(wanted.name);
    }
    const added = (await this.#current()).get(wanted.name);
    if (!added) return undefined;
    if (!isSame(added.stored, wanted)) throw alreadyThere(wanted.name);
    return added.repository;
  }

  /** The added repositories as the store has them now; what did not change keeps its index. */
  async #current(): Promise<ReadonlyMap<string, Added>> {
    const list = await this.#store.read();
    if (list === this.#list) return this.#added;
    const before = this.#added;
    this.#list = list;
    this.#added = new Map(list.map(stored => [stored.name, this.#open(stored, before.get(stored.name))]));
    for (const [name, { repository }] of before) {
      if (this.#added.get(name)?.repository !== repository) repository.close();
    }
    return this.#added;
  }

  #open(stored: StoredRepository, before: Added | undefined): Added {
    if (before && isSame(before.stored, stored)) return before;
    const { name, credentials } = stored;
    if (this.#configured.has(name)) {
      this.#options.warn(`the added chart repository ${name} is hidden by one of the configuration`);
    }
    const source = parseSourceUrl(stored.url);
    return { stored, repository: this.#create(name, source, this.#store.kind, async () => credentials) };
  }
}

/** A slash at the end makes no difference. */
function sameFolder(a: string, b: string): boolean {
  return a.replace(/\/$/, '') === b.replace(/\/$/, '');
}

function readFlag(text: string): ConfiguredRepository {
  const [, name = '', url = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (!namePattern.test(name)) throw invalidArgument('a chart repository must be NAME=URL');
  return { name, url };
}

function alreadyThere(name: string): GatewayError {
  const message = `there is a chart repository named ${name} already, with another URL or other credentials`;
  return new GatewayError(Code.ALREADY_EXISTS, message, { reason: 'REPOSITORY_EXISTS' });
}

function notThere(name: string): GatewayError {
  const message = `no chart repository named ${JSON.stringify(name.slice(0, maxShownChars))} is configured`;
  return new GatewayError(Code.NOT_FOUND, message, { reason: 'REPOSITORY_NOT_FOUND' });
}
