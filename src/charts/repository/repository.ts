import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Code, GatewayError, invalidArgument } from '../../protocol/index.ts';
import type { ChartOptions } from '../chart/chart-options.ts';
import { readBoolean, readFields, readText, readYamlMap } from '../chart/chart-yaml.ts';
import type { Downloader } from '../download/downloader.ts';
import { SharedTasks } from '../download/shared-tasks.ts';
import { type Credentials, parseSourceUrl, type SourceUrl, showUrl } from '../download/source.ts';
import { type ChartVersion, type RepositoryIndex, readIndex } from './repository-index.ts';

/** The name that uploads have in a chart_url, in the place of a repository's. */
export const uploadsName = 'uploads';

/** A repository's entry in the credentials file; paths are from the file's folder on. */
const fields = {
  username: readText,
  password: readText,
  token: readText,
  caFile: readText,
  clientCertificateFile: readText,
  clientKeyFile: readText,
  insecureSkipVerify: readBoolean,
};

/**
 * Reads the credentials of one repository from a YAML file, a map by the repositories' names.
 * @throws GatewayError FAILED_PRECONDITION, without details for the caller, when a file cannot be read
 */
async function readRepositoryCredentials(file: string, repository: string): Promise<Credentials> {
  try {
    const entry = readYamlMap(await readFile(file), file).get(repository);
    if (entry === undefined) return {};
    const read = readFields(entry, fields, `${file}: ${repository}`);
    const { caFile, clientCertificateFile, clientKeyFile, ...inline } = read;
    const content = async (path: string | undefined) =>
      path === undefined ? undefined : readFile(resolve(dirname(file), path));
    return {
      ...inline,
      caBundle: await content(caFile),
      clientCertificate: await content(clientCertificateFile),
      clientKey: await content(clientKeyFile),
    };
  } catch (cause) {
    throw new GatewayError(
      Code.FAILED_PRECONDITION,
      `the gateway cannot read its credentials for the chart repository ${repository}`,
      { cause },
    );
  }
}

interface RepositoryOptions extends Pick<ChartOptions, 'indexMaxAgeMs' | 'indexMaxBytes'> {
  readonly name: string;
  readonly source: SourceUrl;
  /** Read each time the repository is asked, so that changed secrets are taken up. */
  readonly credentials: () => Promise<Credentials>;
}

/** Where a chart's archive is, and how to get it. */
export interface ArchiveSource {
  readonly source: SourceUrl;
  readonly credentials: Credentials;
  readonly digest: string | undefined;
}

interface HeldIndex {
  readonly index: RepositoryIndex;
  readonly sha256: string;
  readonly checkedAt: number;
}

/** One chart repository: its index, held in memory, and where its archives are. */
export class Repository {
  readonly name: string;
  readonly #options: RepositoryOptions;
  readonly #downloader: Downloader;
  #held: HeldIndex | undefined;
  readonly #loading = new SharedTasks<RepositoryIndex>();

  constructor(options: RepositoryOptions, downloader: Downloader) {
    this.name = options.name;
    this.#options = options;
    this.#downloader = downloader;
  }

  /**
   * The index, asked for anew when it is older than its bound; it is read again only when it has changed.
   * @throws GatewayError as Downloader.fetch, and INVALID_ARGUMENT when it is no index
   */
  async index(signal: AbortSignal): Promise<RepositoryIndex> {
    const held = this.#held;
    if (held && performance.now() - held.checkedAt < this.#options.indexMaxAgeMs) return held.index;
    return this.#loading.run('index', signal, shared => this.#load(shared));
  }

  async #load(signal: AbortSignal): Promise<RepositoryIndex> {
    const { source, credentials, indexMaxBytes } = this.#options;
    const indexSource = { ...source, url: childUrl(source.url, 'index.yaml') };
    const bytes = await this.#downloader.fetch(
      { source: indexSource, credentials: await credentials(), maxBytes: indexMaxBytes },
      signal,
    );
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const index =
      this.#held?.sha256 === sha256
        ? this.#held.index
        : await readIndex(bytes, showUrl(indexSource.url), signal);
    this.#held = { index, sha256, checkedAt: performance.now() };
    return index;
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

/** A URL below the repository's, whose query (a signature, say) is kept, as Helm does. */
function childUrl(base: URL, reference: string): URL {
  const folder = new URL(base);
  folder.pathname = `${folder.pathname.replace(/\/$/, '')}/`;
  const { url } = parseSourceUrl(reference, folder);
  if (!url.search) url.search = base.search;
  return url;
}

export type Repositories = ReadonlyMap<string, Repository>;

type RepositoriesOptions = Pick<
  ChartOptions,
  'repositories' | 'repositoryCredentialsFile' | 'indexMaxAgeMs' | 'indexMaxBytes'
>;

/**
 * The configured repositories by name.
 * @throws GatewayError INVALID_ARGUMENT when one is not NAME=URL, or a name is given twice
 */
export function createRepositories(options: RepositoriesOptions, downloader: Downloader): Repositories {
  const repositories = new Map<string, Repository>();
  for (const text of options.repositories) {
    const [, name = '', url = ''] = /^([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)$/.exec(text) ?? [];
    if (name === '') throw invalidArgument('a chart repository must be NAME=URL');
    if (name === uploadsName) throw invalidArgument(`no chart repository may be called ${name}`);
    if (repositories.has(name)) throw invalidArgument(`the chart repository ${name} is given twice`);
    const file = options.repositoryCredentialsFile;
    const credentials = async () => (file === undefined ? {} : readRepositoryCredentials(file, name));
    const { indexMaxAgeMs, indexMaxBytes } = options;
    const source = parseSourceUrl(url);
    if (source.username !== '' || source.password !== '') {
      throw invalidArgument(`the chart repository ${name}: credentials belong into the credentials file`);
    }
    repositories.set(
      name,
      new Repository({ name, source, credentials, indexMaxAgeMs, indexMaxBytes }, downloader),
    );
  }
  return repositories;
}
