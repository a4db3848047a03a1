import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { invalidArgument } from '../../protocol/index.ts';
import { maxProvenanceBytes, type PackedChart } from '../archive/verify-provenance.ts';
import type { ChartOptions, Credentials } from '../chart/chart-options.ts';
import { inSource } from '../chart/chart-yaml.ts';
import type { Downloader } from '../download/downloader.ts';
import { inTime } from '../download/tasks.ts';
import { readConfiguredCredentials } from '../repository/stored-repository.ts';
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
import { createAuthorizations, RegistryClient } from './registry-client.ts';

const maxTags = 10_000;
const tagsPerPage = 1_000;
const maxTagPages = 20;
const maxTagBytes = 1024 * 1024;

const wholeVersion = /^v?\d+\.\d+\.\d+/;
/** `1`, `1.2`, `1.x`, `1.2.x` */
const maybeRange = /^v?\d+(?:\.(?:\d+|[xX])(?:\.[xX])?)?$/;

/** Charts of OCI registries, by the distribution specification as Helm 3 uses it. */
export class OciCharts {
  readonly #options: ChartOptions;
  readonly #downloader: Downloader;
  readonly #authorizations = createAuthorizations();
  readonly #configured: ReadonlyMap<string, Credentials>;

  /** @throws GatewayError INVALID_ARGUMENT when a registry of the configuration is no host */
  constructor(options: ChartOptions, downloader: Downloader) {
    this.#options = options;
    this.#downloader = downloader;
    const { registries = [] } = options;
    this.#configured = new Map(registries.map(({ host, credentials }) => [registryHost(host), credentials]));
  }

  /**
   * Fetches a chart. Digests are checked, of the manifest where the reference or the registry names one, of the chart always.
   * @param credentials of the request; undefined for those that the configuration has for the registry
   * @throws GatewayError INVALID_ARGUMENT for what the caller can mend; UNAVAILABLE when a server cannot be reached, fails or takes too
   * long; the signal's reason
   */
  fetch(
    reference: OciReference,
    credentials: Credentials | undefined,
    signal: AbortSignal,
  ): Promise<PackedChart> {
    const name = showReference(reference);
    const fetch = async (scope: AbortSignal) => {
      const client = await this.#open(reference, credentials);
      const place = reference.digest ?? (await tagOf(client, reference, scope));
      const { config, chart, provenance } = await readManifest(client, place, name, scope);
      return {
        bytes: await this.#blob(client, chart, this.#options.maxBytes, scope),
        name,
        fileName: async () => fileNameOf(await this.#blob(client, config, maxManifestBytes, signal), name),
        readProvenance: async () => {
          if (!provenance) throw invalidArgument(`${name}: has no provenance file`);
          return this.#blob(client, provenance, maxProvenanceBytes, signal);
        },
      };
    };
    const { timeoutMs } = this.#options;
    return inSource(name, () => inTime(name, { timeoutMs, signal }, fetch));
  }

  async #open(reference: OciReference, given: Credentials | undefined): Promise<RegistryClient> {
    const { host } = reference;
    const file = this.#options.repositoryCredentialsFile;
    const credentials =
      given ?? this.#configured.get(host) ?? (await readConfiguredCredentials(file, `oci://${host}`));
    return new RegistryClient(this.#downloader, this.#authorizations, reference, credentials);
  }

  #blob(
    client: RegistryClient,
    { digest, size }: Descriptor,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<Buffer> {
    if (size > maxBytes) throw invalidArgument(`is larger than ${maxBytes} bytes`);
    const source = { url: client.urlOf(`blobs/${digest}`) };
    const wanted = { source, credentials: {}, digest, digestOf: "the registry's manifest", maxBytes: size };
    return this.#downloader.fetch({ ...wanted, access: client.access() }, signal);
  }
}

/** The tag that is meant; what may be a tag and a range as well (`1.x`) is a tag where there is one. */
async function tagOf(
  client: RegistryClient,
  { tag, range }: OciReference,
  signal: AbortSignal,
): Promise<string> {
  if (tag !== undefined && !maybeRange.test(tag)) return tag;
  const tags = await readTags(client, signal);
  if (tag !== undefined && tags.includes(tag)) return tag;
  const wanted = tag || range || '*';
  const matches = parseConstraint(wanted);
  if (!matches)
    throw invalidArgument(`not a tag, a version or a range of versions: ${JSON.stringify(wanted)}`);
  // only whole versions count, as in Helm: a tag such as 1 or 2024 stands for something else
  const versions = tags.flatMap(each => {
    const version = wholeVersion.test(each) ? parseVersion(each.replaceAll('_', '+')) : undefined;
    return version && matches(version) ? [{ each, version }] : [];
  });
  const [newest] = versions.sort((a, b) => compareVersions(b.version, a.version));
  if (newest) return newest.each;
  throw invalidArgument(`the repository has no tag that matches ${JSON.stringify(wanted)}`);
}

async function readTags(client: RegistryClient, signal: AbortSignal): Promise<string[]> {
  const tags: string[] = [];
  let path: string | undefined = `tags/list?n=${tagsPerPage}`;
  for (let page = 0; path !== undefined; page++) {
    if (page >= maxTagPages) throw tooManyTags();
    const { body, list } = await client.get(path, { maxBytes: maxTagBytes }, signal);
    const given = parseJson(body, 'tags').tags ?? [];
    if (!Array.isArray(given)) throw invalidArgument('the registry answered what is no list of tags');
    for (const tag of given) if (typeof tag === 'string') tags.push(tag);
    if (tags.length > maxTags) throw tooManyTags();
    path = nextPage(list('link'), client);
  }
  return tags;
}

/** @param place a tag, or the digest that the manifest must have */
async function readManifest(
  client: RegistryClient,
  place: string,
  name: string,
  signal: AbortSignal,
): Promise<ChartManifest> {
  const first = await readOneManifest(client, place, name, signal);
  if ('chart' in first) return first;
  const manifest = await readOneManifest(client, first.digest, name, signal);
  if ('chart' in manifest) return manifest;
  throw invalidArgument(`${name}: is an index of indexes`);
}

async function readOneManifest(
  client: RegistryClient,
  place: string,
  name: string,
  signal: AbortSignal,
): Promise<ChartManifest | Descriptor> {
  const bounds = { accept: manifestTypes.join(', '), maxBytes: maxManifestBytes };
  const { body, header } = await client.get(`manifests/${place}`, bounds, signal);
  const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
  const stated = header('docker-content-digest') ?? '';
  const differs = (from: string) =>
    invalidArgument(`${name}: the SHA-256 digest of the manifest is not the one that ${from}`);
  if (place.includes(':') && place !== digest) throw differs('is asked for');
  if (stated.startsWith('sha256:') && stated !== digest) throw differs('the registry names');
  return parseManifest(body, name);
}

function tooManyTags(): Error {
  return invalidArgument(`the repository has more than ${maxTags} tags: name the one that is wanted`);
}

/** The path of the next page of tags. @throws GatewayError INVALID_ARGUMENT when it leads out of the repository's tags */
function nextPage(link: string, client: RegistryClient): string | undefined {
  const target = /<([^<>]{1,2048})>\s*;\s*rel="?next"?/.exec(link)?.[1];
  if (target === undefined) return undefined;
  const list = client.urlOf('tags/list');
  const url = URL.parse(target, list.href);
  if (url?.origin !== list.origin || url.pathname !== list.pathname) {
    throw invalidArgument('the registry names a next page of tags that is not below the repository');
  }
  return `tags/list${url.search}`;
}

/** @param config Chart.yaml as JSON */
function fileNameOf(config: Uint8Array, where: string): string {
  const { name, version } = parseJson(config, where);
  return basename(`${String(name)}-${String(version)}.tgz`);
}
