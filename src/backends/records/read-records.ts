import { decodeMessage, encodeMessage, WireWriter } from '../../codec/index.ts';
import { type CallContext, Code, GatewayError } from '../../protocol/index.ts';
import { type StoredRevision, storageField, storageNumbers } from './decode-record.ts';
import { selectReleases, writeReleases } from './list-releases.ts';
import type { RecordStore } from './record-store.ts';
import { notFound, notInNamespace, revisionKey, tillerError, validateReleaseName } from './tiller-texts.ts';

/** What a read of records may say beside Tiller's request. */
export interface ReadOptions {
  /** Of the release, where several namespaces have one of its name. */
  readonly namespace?: string | undefined;
  /** A list with whole releases, as Tiller's; otherwise without charts' contents, manifests and hooks. */
  readonly whole?: boolean | undefined;
}

/** Gives the whole `hapi.release.Release` of each revision; undefined for one that is gone. */
export type FetchWhole = (
  revisions: readonly StoredRevision[],
  context: CallContext,
) => Promise<(Uint8Array | undefined)[]>;

type Read = (request: Uint8Array, context: CallContext, options: ReadOptions) => Promise<Uint8Array>;

/** In `GetHistoryResponse` and `GetReleaseContentResponse` the releases are field 1. */
const releaseField = 1;

/** How many namespaces an error names. */
const maxPlaces = 20;

/** Tiller's read methods, answered from records: the same requests, replies and errors. */
export class RecordReader {
  readonly #store: RecordStore;
  readonly #fetch: FetchWhole;
  readonly #unary: Readonly<Record<string, Read>> = {
    GetHistory: (...read) => this.#history(...read),
    GetReleaseContent: (...read) => this.#content(...read),
    GetReleaseStatus: (...read) => this.#status(...read),
  };

  constructor(store: RecordStore, fetch: FetchWhole) {
    this.#store = store;
    this.#fetch = fetch;
  }

  /** @throws GatewayError UNKNOWN with Tiller's text, ALREADY_EXISTS for a name in several namespaces */
  async unary(
    method: string,
    request: Uint8Array,
    context: CallContext,
    options: ReadOptions = {},
  ): Promise<Uint8Array> {
    const read = this.#unary[method];
    if (read) return read(request, context, options);
    throw new GatewayError(Code.UNIMPLEMENTED, `${method} is not answered from records`);
  }

  /** `ListReleases`. @throws GatewayError UNKNOWN with Tiller's text */
  async *list(
    request: Uint8Array,
    context: CallContext,
    { whole = false }: ReadOptions = {},
  ): AsyncGenerator<Buffer> {
    const asked = decodeMessage('hapi.services.tiller.ListReleasesRequest', request);
    const page = selectReleases(this.#store.all(), asked, { offsetOf });
    yield* writeReleases(page, async revision => {
      if (!whole) return revision.wire;
      return (await this.#fetch([revision], context))[0] ?? revision.wire;
    });
  }

  async #history(request: Uint8Array, context: CallContext, options: ReadOptions): Promise<Uint8Array> {
    const { name, max } = decodeMessage('hapi.services.tiller.GetHistoryRequest', request);
    validateReleaseName(name);
    const newest = this.#revisions(name, options).slice(0, Math.max(0, max));
    const out = new WireWriter(4096);
    for (const wire of await this.#fetch(newest, context)) if (wire) out.bytesField(releaseField, wire);
    return out.intField(storageField.GetHistory, numberOf(newest[0])).finish();
  }

  async #content(request: Uint8Array, context: CallContext, options: ReadOptions): Promise<Uint8Array> {
    const { name, version } = decodeMessage('hapi.services.tiller.GetReleaseContentRequest', request);
    validateReleaseName(name);
    const revision = this.#revision(name, version, options);
    const [wire] = await this.#fetch([revision], context);
    if (!wire) throw notFound(revisionKey(name, revision.version));
    return new WireWriter(wire.length + 16)
      .bytesField(releaseField, wire)
      .intField(storageField.GetReleaseContent, numberOf(revision))
      .finish();
  }

  /** Without the table of resources. */
  async #status(request: Uint8Array, _context: CallContext, options: ReadOptions): Promise<Uint8Array> {
    const { name, version } = decodeMessage('hapi.services.tiller.GetReleaseStatusRequest', request);
    validateReleaseName(name);
    const prefix =
      version <= 0 ? `getting deployed release "${name}": ` : `getting release '${name}' (v${version}): `;
    const revision = withPrefix(prefix, () => this.#revision(name, version, options));
    const { info, namespace } = decodeMessage('hapi.release.Release', revision.wire);
    if (info?.status) info.status.resources = '';
    const reply = encodeMessage('hapi.services.tiller.GetReleaseStatusResponse', { name, info, namespace });
    return new WireWriter(reply.length + 2)
      .raw(reply)
      .intField(storageField.GetReleaseStatus, numberOf(revision))
      .finish();
  }

  #revision(name: string, version: number, options: ReadOptions): StoredRevision {
    const revisions = this.#revisions(name, options, version > 0 ? revisionKey(name, version) : name);
    const revision = version > 0 ? revisions.find(one => one.version === version) : revisions[0];
    if (!revision) throw notFound(revisionKey(name, version));
    return revision;
  }

  /**
   * The revisions of the one release of that name, newest first.
   * @param wanted what the error says is not there
   */
  #revisions(name: string, { namespace }: ReadOptions, wanted = name): StoredRevision[] {
    const namesakes = this.#store.named(name);
    if (namesakes.length === 0) throw notFound(wanted);
    const revisions = namesakes.filter(
      revision => namespace === undefined || revision.namespace === namespace,
    );
    if (revisions.length === 0) throw notInNamespace(name, namespace ?? '');
    const byRelease = Map.groupBy(revisions, releaseOf);
    const releases = [...byRelease.keys()];
    if (releases.length > 1 && namespace === undefined) throw ambiguous(name, releases);
    // in one namespace there may be Helm 2's and what was moved to Helm 3: changes through this gateway go to the former
    const chosen = byRelease.get(releases.find(release => release.startsWith('helm2')) ?? releases[0]!)!;
    // and what another storage driver has left, with the same numbers: the driver that was used last counts
    const used = chosen.reduce((last, one) =>
      one.lastDeployedSeconds > last.lastDeployedSeconds ? one : last,
    ).resource;
    return chosen.filter(({ resource }) => resource === used).sort((a, b) => b.version - a.version);
  }
}

/** Names are unique per cluster in Helm 2, per namespace in Helm 3. */
function releaseOf({ storage, namespace }: StoredRevision): string {
  return `${storage} ${namespace}`;
}

function ambiguous(name: string, releases: readonly string[]): GatewayError {
  const places = releases.map(release => release.replace(/^helm(\d) (.*)$/, '$2 (Helm $1)')).sort();
  const shown = places.slice(0, maxPlaces).join(', ');
  const more = places.length > maxPlaces ? ` and ${places.length - maxPlaces} more` : '';
  const message = `release ${JSON.stringify(name)} is in several namespaces: ${shown}${more}; choose one with namespace`;
  return new GatewayError(Code.ALREADY_EXISTS, message, { reason: 'RELEASE_AMBIGUOUS' });
}

/** Tiller's offset is a name. Names of Helm 3 may stand for several releases, so there it is a record. */
function offsetOf({ storage, namespace, name, version }: StoredRevision): string {
  return storage === 'helm2' ? name : `${namespace}/${revisionKey(name, version)}`;
}

function numberOf(revision: StoredRevision | undefined): number {
  return revision ? storageNumbers[revision.storage] : 0;
}

/** Tiller's words before an error. */
function withPrefix<T>(prefix: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== Code.UNKNOWN) throw error;
    throw tillerError(`${prefix}${error.message}`, { cause: error });
  }
}
