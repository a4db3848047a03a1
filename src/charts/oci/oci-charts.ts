import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { callScope, invalidArgument, unavailable } from '../../protocol/index.ts';
import { maxProvenanceBytes } from '../archive/verify-provenance.ts';
import type { ChartOptions, Credentials } from '../chart/chart-options.ts';
import { withSource } from '../chart/chart-yaml.ts';
import type { Downloader } from '../download/downloader.ts';
import type { FetchResponse } from '../download/fetch.ts';
import { compareVersions, parseConstraint, parseVersion } from '../requirements/version-constraint.ts';
import {
  type ChartManifest,
  type Descriptor,
  manifestTypes,
  maxManifestBytes,
  parseJson,
  parseManifest,
} from './manifest.ts';
import { type OciReference, registryHost, showReference } from './reference.ts';
import { type RegistryAccess, RegistryClient } from './registry-client.ts';

/** A chart of a registry, packed. */
export interface OciChart {
  readonly bytes: Buffer;
  readonly name: string;
  /** As a provenance file names it, `NAME-VERSION.tgz`. */
  readonly fileName: () => Promise<string>;
  readonly readProvenance: () => Promise<Buffer>;
}

const maxTags = 10_000;
const tagsPerPage = 1_000;
const maxTagPages = 20;
const maxTagBytes = 1024 * 1024;

const wholeVersion = /^v?\d+\.\d+\.\d+/;
/** `1`, `1.2`, `1.x`, `1.2.x` */
const maybeRange = /^v?\d+(?:\.(?:\d+|[xX])(?:\.[xX])?)?$/;

type Options = Pick<ChartOptions, 'registries' | 'maxBytes' | 'timeoutMs'>;

/** Charts of OCI registries, by the distribution specification as Helm 3 uses it. */
export class OciCharts {
  readonly #options: Options;
  readonly #downloader: Downloader;
  readonly #client: RegistryClient;
  readonly #configured: ReadonlyMap<string, Credentials>;
  readonly #readCredentials: (host: string) => Promise<Credentials>;

  /**
   * @param readCredentials those of a registry that the configuration's list does not have
   * @throws GatewayError INVALID_ARGUMENT when a registry of the configuration is no host
   */
  constructor(
    options: Options,
    downloader: Downloader,
    readCredentials: (host: string) => Promise<Credentials>,
  ) {
    this.#options = options;
    this.#downloader = downloader;
    this.#client = new RegistryClient(downloader);
    const { registries = [] } = options;
    this.#configured = new Map(registries.map(({ host, credentials }) => [registryHost(host), credentials]));
    this.#readCredentials = readCredentials;
  }

  /**
   * Fetches a chart. Digests are checked, of the manifest where the reference or the registry names one, of the chart always.
   * @param credentials of the request; undefined for those that the configuration has for the registry
   * @throws GatewayError INVALID_ARGUMENT for what the caller can mend; UNAVAILABLE when a server cannot be reached, fails or takes too
   * long; the signal's reason
   */
  async fetch(
    reference: OciReference,
    credentials: Credentials | undefined,
    signal: AbortSignal,
  ): Promise<OciChart> {
    const name = showReference(reference);
    return this.#inTime(name, signal, async scope => {
      const registry = await this.#open(reference, credentials);
      const place = reference.digest ?? (await this.#tagOf(registry, reference, scope));
      const manifest = await this.#manifest(registry, place, name, scope);
      const bytes = await this.#blob(registry, manifest.chart, this.#options.maxBytes, scope);
      const { config, provenance } = manifest;
      return {
        bytes,
        name,
        fileName: async () => fileNameOf(await this.#blob(registry, config, maxManifestBytes, signal), name),
        readProvenance: async () => {
          if (!provenance) throw invalidArgument(`${name}: has no provenance file`);
          return this.#blob(registry, provenance, maxProvenanceBytes, signal);
        },
      };
    });
  }

  async #open(
    { host, repository }: OciReference,
    credentials: Credentials | undefined,
  ): Promise<RegistryAccess> {
    const known = credentials ?? this.#configured.get(host) ?? (await this.#readCredentials(host));
    return this.#client.open(host, repository, known);
  }

  /** Bounds the time of all the requests that one chart takes. */
  async #inTime<T>(name: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs } = this.#options;
    const late = () => unavailable(`${name}: took longer than ${timeoutMs} ms`);
    const scope = callScope({ signal, timeoutMs, late });
    try {
      return await work(scope.signal);
    } catch (error) {
      throw withSource(error, name);
    } finally {
      scope.end();
    }
  }

  /** The tag that is meant; what may be a tag and a range as well (`1.x`) is a tag where there is one. */
  async #tagOf(registry: RegistryAccess, { tag, range }: OciReference, signal: AbortSignal): Promise<string> {
    if (tag !== undefined && !maybeRange.test(tag)) return tag;
    const tags = await this.#tags(registry, signal);
    if (tag !== undefined && tags.includes(tag)) return tag;
    const wanted = tag || range || '*';
    const matches = parseConstraint(wanted);
    if (!matches)
      throw invalidArgument(`not a tag, a version or a range of versions: ${JSON.stringify(wanted)}`);
    // only whole versions count, as in Helm: a tag such as 1 or 2024 stands for something else
    const versions = tags.flatMap(each => {
      const version = wholeVersion.test(each) ? parseVersion(toVersion(each)) : undefined;
      return version && matches(version) ? [{ each, version }] : [];
    });
    const [newest] = versions.sort((a, b) => compareVersions(b.version, a.version));
    if (newest) return newest.each;
    throw invalidArgument(`the repository has no tag that matches ${JSON.stringify(wanted)}`);
  }

  async #tags(registry: RegistryAccess, signal: AbortSignal): Promise<string[]> {
    const tags: string[] = [];
    let path: string | undefined = `tags/list?n=${tagsPerPage}`;
    for (let page = 0; path !== undefined; page++) {
      if (page >= maxTagPages) throw tooManyTags();
      const response: FetchResponse = await this.#client.get(
        registry,
        path,
        { maxBytes: maxTagBytes },
        signal,
      );
      const list = parseJson(response.body, 'tags').tags ?? [];
      if (!Array.isArray(list)) throw invalidArgument('the registry answered what is no list of tags');
      for (const tag of list) if (typeof tag === 'string') tags.push(tag);
      if (tags.length > maxTags) throw tooManyTags();
      path = nextPage(response.list('link'), registry);
    }
    return tags;
  }

  /** @param place a tag, or the digest that the manifest must have */
  async #manifest(
    registry: RegistryAccess,
    place: string,
    name: string,
    signal: AbortSignal,
  ): Promise<ChartManifest> {
    const first = await this.#getManifest(registry, place, name, signal);
    if ('chart' in first) return first;
    const manifest = await this.#getManifest(registry, first.digest, name, signal);
    if ('chart' in manifest) return manifest;
    throw invalidArgument(`${name}: is an index of indexes`);
  }

  async #getManifest(
    registry: RegistryAccess,
    place: string,
    name: string,
    signal: AbortSignal,
  ): Promise<ChartManifest | Descriptor> {
    const wanted = { accept: manifestTypes.join(', '), maxBytes: maxManifestBytes };
    const response = await this.#client.get(registry, `manifests/${place}`, wanted, signal);
    const digest = `sha256:${createHash('sha256').update(response.body).digest('hex')}`;
    const told = response.header('docker-content-digest') ?? '';
    if (place.includes(':') && place !== digest) {
      throw invalidArgument(`${name}: the SHA-256 digest of the manifest is not the one that is asked for`);
    }
    if (told.startsWith('sha256:') && told !== digest) {
      throw invalidArgument(
        `${name}: the SHA-256 digest of the manifest is not the one that the registry names`,
      );
    }
    return parseManifest(response.body, name);
  }

  #blob(
    registry: RegistryAccess,
    { digest, size }: Descriptor,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<Buffer> {
    if (size > maxBytes) throw invalidArgument(`is larger than ${maxBytes} bytes`);
    const url = new URL(`/v2/${registry.repository}/blobs/${digest}`, registry.origin);
    const access = { ...registry.access, authorization: this.#client.authorization(registry) };
    const source = { url, username: '', password: '' };
    const wanted = { source, credentials: {}, access, digest, digestOf: "the registry's manifest" };
    return this.#downloader.fetch({ ...wanted, maxBytes: size }, signal);
  }
}

function toVersion(tag: string): string {
  return tag.replaceAll('_', '+');
}

function tooManyTags(): Error {
  return invalidArgument(`the repository has more than ${maxTags} tags: name the one that is wanted`);
}

/** The path of the next page of tags. @throws GatewayError INVALID_ARGUMENT when it leads out of the repository's tags */
function nextPage(link: string, { origin, repository }: RegistryAccess): string | undefined {
  const target = /<([^<>]{1,2048})>\s*;\s*rel="?next"?/.exec(link)?.[1];
  if (target === undefined) return undefined;
  const list = new URL(`/v2/${repository}/tags/list`, origin);
  const url = URL.canParse(target, list.href) ? new URL(target, list) : undefined;
  if (url?.origin !== origin.origin || url.pathname !== list.pathname) {
    throw invalidArgument('the registry names a next page of tags that is not below the repository');
  }
  return `tags/list${url.search}`;
}

/** @param config Chart.yaml as JSON */
function fileNameOf(config: Uint8Array, where: string): string {
  const { name, version } = parseJson(config, where);
  return basename(`${String(name)}-${String(version)}.tgz`);
}
