import { basename } from 'node:path';
import { GatewayError, invalidArgument } from '../protocol/index.ts';
import { maxProvenanceBytes, type PackedChart, verifyProvenance } from './archive/verify-provenance.ts';
import type { FetchedChart } from './build-chart.ts';
import type { ChartOptions, Credentials } from './chart/chart-options.ts';
import { inSource } from './chart/chart-yaml.ts';
import { type ChartIcon, type NamedIcon, readIcon } from './chart-icon.ts';
import { createAddressPolicy } from './download/address-policy.ts';
import { Downloader, type Source } from './download/downloader.ts';
import { resolveHost } from './download/fetch.ts';
import { decodePart, isOci, parseSourceUrl, showUrl } from './download/source.ts';
import { findLocalChart, type LocalChart, readChartFolder, readFileInside } from './folder/local-charts.ts';
import { OciCharts } from './oci/oci-charts.ts';
import { parseOciReference } from './oci/reference.ts';
import { RepositoryRegistry } from './repository/registry.ts';
import { type Repository, uploadsName } from './repository/repository.ts';
import { type ChartVersion, findChart } from './repository/repository-index.ts';
import { isEmpty } from './repository/stored-repository.ts';
import { Uploads } from './uploads/uploads.ts';

/** A chart as the request names it: an archive, or a place. */
export interface WantedChart {
  readonly archive: Uint8Array | undefined;
  readonly url: string;
  readonly credentials: Credentials;
  readonly verify: boolean;
  /** Looked into for `url`, which then is NAME or NAME/VERSION. */
  readonly repositoryUrl?: string | undefined;
}

type Access = Pick<WantedChart, 'credentials' | 'verify'>;

/** All places that charts come from. */
export class ChartSources {
  readonly repositories: RepositoryRegistry;
  readonly uploads: Uploads;
  readonly #options: ChartOptions;
  readonly #downloader: Downloader;
  readonly #oci: OciCharts;

  /** @throws GatewayError INVALID_ARGUMENT when an option cannot be right */
  constructor(options: ChartOptions) {
    const policy = createAddressPolicy(options);
    const network = { policy, resolve: options.resolveHost ?? resolveHost, proxyFor: options.proxyFor };
    this.#options = options;
    this.#downloader = new Downloader({ ...options, network });
    this.#oci = new OciCharts(options, this.#downloader);
    this.repositories = new RepositoryRegistry(options, this.#downloader);
    this.uploads = new Uploads(options);
  }

  /** Aborts downloads and lets go of what is kept. */
  close(): void {
    this.#downloader.close();
  }

  /** Downloads a text. @throws GatewayError as `find` */
  async readText(url: string, signal: AbortSignal): Promise<string> {
    const wanted = { source: parseSourceUrl(url), credentials: {}, maxBytes: this.#options.maxBytes };
    return (await this.#downloader.fetch(wanted, signal)).toString();
  }

  /**
   * @throws GatewayError INVALID_ARGUMENT for what the caller can mend, with the name of the source; UNAVAILABLE when a server cannot be reached
   */
  async find(wanted: WantedChart, signal: AbortSignal): Promise<FetchedChart> {
    const { archive, url, credentials, verify, repositoryUrl } = wanted;
    if (archive) return this.#load(uploaded(archive), verify);
    if (repositoryUrl) {
      // the credentials are for the repository alone: an archive on another host is fetched without them
      const inRepository = { credentials: {}, verify };
      const [name = ''] = url.split('/', 1);
      return this.repositories.at(repositoryUrl, credentials, repository =>
        this.#fetchFromIndex(repository, url, name, inRepository, signal),
      );
    }
    if (/^https?:/i.test(url))
      return this.#fetch({ source: parseSourceUrl(url), credentials }, verify, signal);
    if (isOci(url)) return this.#fetchOci(url, wanted, signal);
    const [first = '', name = '', ...range] = url.split('/');
    if (first === uploadsName) return this.readUpload(name, range.join('/'), signal, verify);
    // a path first, then a repository, as in Helm
    const { chartDir } = this.#options;
    const local = chartDir === undefined ? undefined : await findLocalChart(url, chartDir);
    if (local) return this.#loadLocal(url, local, verify);
    const repository = await this.repositories.get(first);
    if (!repository || name === '') throw unknownSource(url);
    const below = url.slice(first.length + 1);
    return this.#fetchFromIndex(repository, below, `${first}/${name}`, wanted, signal);
  }

  async #fetch(
    wanted: Omit<Source, 'maxBytes'>,
    verify: boolean,
    signal: AbortSignal,
  ): Promise<FetchedChart> {
    const { source, credentials } = wanted;
    const { url } = source;
    const bytes = await this.#downloader.fetch({ ...wanted, maxBytes: this.#options.maxBytes }, signal);
    const readProvenance = () => {
      const beside = { ...source, url: new URL(url) };
      beside.url.pathname += '.prov';
      return this.#downloader.fetch({ source: beside, credentials, maxBytes: maxProvenanceBytes }, signal);
    };
    const fileName = () => decodePart(basename(url.pathname));
    return this.#load({ bytes, name: showUrl(url), fileName, readProvenance }, verify);
  }

  /** @param text `NAME` or `NAME/RANGE`. @param source how messages name it */
  #fetchFromIndex(
    repository: Repository,
    text: string,
    source: string,
    wanted: Access,
    signal: AbortSignal,
  ): Promise<FetchedChart> {
    return inSource(source, async () => {
      const [name = '', ...range] = text.split('/');
      const version = findChart(await repository.index(signal), name, range.join('/'));
      return this.fetchVersion(repository, version, signal, wanted);
    });
  }

  /** A chart as a repository's index describes it. @throws GatewayError as `find` */
  fetchVersion(
    repository: Repository,
    version: ChartVersion,
    signal: AbortSignal,
    wanted: Access = { credentials: {}, verify: false },
  ): Promise<FetchedChart> {
    return inSource(`${repository.name}/${version.name}`, async () => {
      const [url = ''] = version.urls;
      // a registry checks a digest of its own
      if (isOci(url)) return this.#fetchOci(url, wanted, signal);
      const archive = await repository.archiveOf(version);
      const credentials = isEmpty(wanted.credentials) ? archive.credentials : wanted.credentials;
      return this.#fetch({ ...archive, credentials }, wanted.verify, signal);
    });
  }

  /** @throws GatewayError as `find`; UNIMPLEMENTED where there are no uploads */
  readUpload(name: string, range: string, signal: AbortSignal, verify = false): Promise<FetchedChart> {
    return inSource(`${uploadsName}/${name}`, async () => {
      const { upload, content } = await this.uploads.read(name, range, signal);
      return this.#load(uploaded(content, upload.urls[0], upload.fileName), verify);
    });
  }

  async #fetchOci(url: string, { credentials, verify }: Access, signal: AbortSignal): Promise<FetchedChart> {
    const given = isEmpty(credentials) ? undefined : credentials;
    return this.#load(await this.#oci.fetch(parseOciReference(url), given, signal), verify);
  }

  /** The icon that a chart names. @throws GatewayError as readIcon */
  readIcon(named: NamedIcon, signal: AbortSignal): Promise<ChartIcon> {
    return readIcon(named, this.#downloader, signal);
  }

  #loadLocal(name: string, { path, root }: LocalChart, verify: boolean): Promise<FetchedChart> {
    const load = async () => {
      const bytes = await readFileInside(path, root, size => this.#checkSize(size));
      const readProvenance = () => readLocalProvenance(`${path}.prov`, root);
      if (bytes) return this.#load({ bytes, name, fileName: () => basename(path), readProvenance }, verify);
      if (verify) throw invalidArgument('only packed charts can be verified');
      return { content: await readChartFolder(path, root, this.#options), name };
    };
    return inSource(name, () => load().catch(refuseFile));
  }

  #checkSize(bytes: number): void {
    if (bytes > this.#options.maxBytes) {
      throw invalidArgument(`is larger than ${this.#options.maxBytes} bytes`);
    }
  }

  #load(packed: PackedChart, verify: boolean): Promise<FetchedChart> {
    return inSource(packed.name, async () => {
      this.#checkSize(packed.bytes.length);
      const { keyring } = this.#options;
      if (verify && keyring === undefined)
        throw invalidArgument('verify needs the gateway to have a --keyring');
      if (verify) await verifyProvenance(packed, keyring!);
      return { content: packed.bytes, name: packed.name };
    });
  }
}

function unknownSource(text: string): GatewayError {
  // a URL without its scheme may hold user info all the same
  const shown = JSON.stringify(text.replace(/^.*@/s, '').replace(/\?.*$/s, '').slice(0, 200));
  return invalidArgument(
    `chart_url ${shown} is no http(s) URL, no oci:// reference, no chart of a configured repository (REPO/CHART) and no path below the gateway's --chart-dir`,
  );
}

/** An archive that came from a client. */
function uploaded(bytes: Uint8Array, name = 'chart_archive', fileName = ''): PackedChart {
  const readProvenance = () => {
    throw invalidArgument('an uploaded archive has no provenance file to verify it by');
  };
  return { bytes, name, fileName: () => fileName, readProvenance };
}

async function readLocalProvenance(path: string, root: string): Promise<Uint8Array> {
  const missing = invalidArgument('has no provenance file beside it');
  if (!(await findLocalChart(path, root))) throw missing;
  const bytes = await readFileInside(path, root, size => {
    if (size > maxProvenanceBytes) throw missing;
  });
  if (!bytes) throw missing;
  return bytes;
}

/** @throws what the system says of a file that is gone, or closed to us, without its path; other errors as they are */
function refuseFile(error: NodeJS.ErrnoException): never {
  if (error instanceof GatewayError || error.syscall === undefined) throw error;
  throw invalidArgument(`has a file that cannot be read: ${error.code}`, { cause: error });
}
