import { compareUtf8 } from '@tiller-gateway/helm-render/yaml';
import type { Release } from '../../codec/index.ts';
import { Code, limitExceeded } from '../../protocol/index.ts';
import { ClusterObjects } from '../objects/cluster-objects.ts';
import { invalid, KubeFailure } from '../objects/failure.ts';
import { objectNameCauses } from '../objects/object-name.ts';
import type { ObjectEvent } from '../objects/object-store.ts';
import type { ServedResource } from '../objects/resources.ts';
import { tillerError } from '../work/tiller-error.ts';
import { configMapToRevision, type ReleaseConfigMap, revisionToConfigMap } from './config-map.ts';
import { type Revision, releaseToRevision, revisionKey, revisionToRelease } from './revision.ts';
import type { RevisionFolder } from './revision-folder.ts';

export interface StoreBounds {
  /** How many revisions may be kept. */
  readonly maxRevisions: number;
  /** How many bytes they may have together, as messages. */
  readonly maxBytes: number;
}

export interface RevisionStoreOptions {
  readonly bounds: StoreBounds;
  readonly now: () => Date;
  /** Where the revisions are kept across restarts. */
  readonly folder?: RevisionFolder | undefined;
  /** Gets a sentence for each revision that cannot be read or kept. */
  readonly report: (problem: string) => void;
  /** The cluster's objects. Default: objects of its own. */
  readonly objects?: ClusterObjects | undefined;
}

/** Tiller's own namespace. */
export const tillerNamespace = 'kube-system';

/** The API server takes no larger request. */
const maxRequestBytes = 3 * 1024 * 1024;

/**
 * Tiller's storage: every revision of every release, by name and version. They are the cluster's ConfigMaps with
 * `OWNER=TILLER` in Tiller's namespace, whoever writes them; beside each stands what it unpacks to, so that nothing is
 * unpacked to be read. What the store gives are copies; a change counts when it is put back. Error texts are those of
 * Tiller's ConfigMap driver.
 */
export class RevisionStore {
  readonly #objects: ClusterObjects;
  readonly #configMaps: ServedResource;
  readonly #releases = new Map<string, Map<number, Revision>>();
  readonly #byKey = new Map<string, Revision>();
  readonly #notMessages = new WeakMap<Release, string>();
  readonly #options: RevisionStoreOptions;
  /** What the ConfigMap that is being written unpacks to. */
  #own: Revision | undefined;
  /** Keys of revisions that are being created. */
  readonly #creating = new Set<string>();
  /** Releases that cannot be stored. */
  readonly #unstored = new WeakSet<Release>();
  #sorted: Revision[] | undefined;
  #bytes = 0;

  private constructor(options: RevisionStoreOptions) {
    this.#options = options;
    this.#objects = options.objects ?? new ClusterObjects();
    this.#configMaps = this.#objects.resources.find('', 'v1', 'configmaps')!;
  }

  static async open(options: RevisionStoreOptions): Promise<RevisionStore> {
    const store = new RevisionStore(options);
    const { folder, report } = options;
    store.#objects.store.subscribe(event => store.#follow(event));
    for await (const { revision, configMap } of folder?.revisions(report) ?? []) {
      try {
        store.#refuseAbove(revision);
        const now = new Date(revision.createdAt * 1000);
        store.#write(revision, () =>
          store.#objects.create(store.#configMaps, tillerNamespace, { ...configMap }, { now }),
        );
      } catch (error) {
        report(`${revision.key} is left out: ${(error as Error).message}`);
      }
    }
    return store;
  }

  /** Notes that a release is no message of protobuf, and in whose words: it can be neither stored nor sent. */
  refuse(release: Release, fault: string): void {
    this.#notMessages.set(release, fault);
  }

  /** Why a release is no message of protobuf, or undefined when it is one. */
  messageFault(release: Release | null): string | undefined {
    return release ? this.#notMessages.get(release) : undefined;
  }

  /**
   * Adds or replaces a revision where Tiller only warns when it cannot store one, and goes on: one that is too large, for
   * instance, or has a name that no ConfigMap can have.
   * @throws GatewayError UNKNOWN when it is there already, or is not there; RESOURCE_EXHAUSTED
   */
  async record(release: Release, how: 'create' | 'update'): Promise<void> {
    if (this.#unstored.has(release)) return;
    try {
      await this[how](release);
    } catch (error) {
      if (!(error instanceof KubeFailure) || error.code !== Code.UNKNOWN) throw error;
      this.#unstored.add(release);
      this.#options.report(`warning: Failed to record release ${release.name}: ${error.message}`);
    }
  }

  /**
   * Adds a revision.
   * @throws GatewayError UNKNOWN when it is there already; KubeFailure when it cannot be stored; RESOURCE_EXHAUSTED
   */
  async create(release: Release): Promise<void> {
    const key = revisionKey(release.name, release.version);
    this.#refuseUnstorable(release, key);
    const isThere = this.#objects.find(this.#configMaps, tillerNamespace, key) !== undefined;
    if (isThere || this.#creating.has(key)) throw tillerError(`release: "${key}" already exists`);
    const now = this.#options.now();
    const revision = releaseToRevision(release, toSeconds(now), undefined);
    this.#refuseAbove(revision);
    this.#creating.add(key);
    try {
      await this.#keep(revision, configMap =>
        this.#objects.create(this.#configMaps, tillerNamespace, configMap, { now }),
      );
    } finally {
      this.#creating.delete(key);
    }
  }

  /**
   * Replaces a revision.
   * @throws GatewayError UNKNOWN when it is not there; KubeFailure when it cannot be stored; RESOURCE_EXHAUSTED
   */
  async update(release: Release): Promise<void> {
    this.#refuseUnstorable(release, revisionKey(release.name, release.version));
    const before = this.revision(release.name, release.version);
    const revision = releaseToRevision(release, before.createdAt, toSeconds(this.#options.now()));
    this.#refuseAbove(revision);
    await this.#keep(revision, configMap =>
      this.#objects.update(this.#configMaps, tillerNamespace, revision.key, configMap),
    );
  }

  /** @throws GatewayError UNKNOWN when it is not there */
  async delete(name: string, version: number): Promise<void> {
    const { key } = this.revision(name, version);
    await this.#options.folder?.remove(key);
    if (this.#byKey.has(key)) this.#objects.delete(this.#configMaps, tillerNamespace, key);
  }

  /** @throws GatewayError UNKNOWN when it is not there */
  get(name: string, version: number): Release {
    return revisionToRelease(this.revision(name, version));
  }

  /**
   * All revisions of a release, newest first.
   * @throws GatewayError UNKNOWN when there is none
   */
  history(name: string): Revision[] {
    const revisions = this.#releases.get(name);
    if (!revisions) throw tillerError(`release: "${name}" not found`);
    return [...revisions.values()].sort((a, b) => b.version - a.version);
  }

  /** @throws GatewayError UNKNOWN when there is none */
  last(name: string): Release {
    return revisionToRelease(this.history(name)[0]!);
  }

  /** @throws GatewayError UNKNOWN when there is none */
  deployed(name: string): Release {
    const newest = this.has(name)
      ? this.history(name).find(({ status }) => status === 'DEPLOYED')
      : undefined;
    if (!newest) throw tillerError(`"${name}" has no deployed releases`);
    return revisionToRelease(newest);
  }

  has(name: string): boolean {
    return this.#releases.has(name);
  }

  /** All revisions in the order in which Kubernetes lists their ConfigMaps: by key. */
  all(): readonly Revision[] {
    this.#sorted ??= [...this.#byKey.values()].sort((a, b) => compareUtf8(a.key, b.key));
    return this.#sorted;
  }

  /** The releases' names. */
  names(): string[] {
    return [...this.#releases.keys()];
  }

  /** @throws GatewayError UNKNOWN when it is not there */
  revision(name: string, version: number): Revision {
    const revision = this.#releases.get(name)?.get(version);
    if (!revision) throw tillerError(`release: "${revisionKey(name, version)}" not found`);
    return revision;
  }

  /** Tiller takes upper case and underscores in a name, a ConfigMap does not. @throws KubeFailure */
  #refuseUnstorable(release: Release, key: string): void {
    const fault = this.messageFault(release);
    if (fault !== undefined) throw new KubeFailure(400, 'BadRequest', fault);
    const causes = objectNameCauses('ConfigMap', { name: key });
    if (causes.length > 0) throw invalid(this.#configMaps, key, causes);
  }

  /** On disk first, so that what can be read is kept. */
  async #keep(revision: Revision, write: (configMap: ReleaseConfigMap) => unknown): Promise<void> {
    const configMap = await revisionToConfigMap(revision, tillerNamespace);
    const bytes = configMap.data.release.length;
    if (bytes > maxRequestBytes) {
      const text = `Request entity too large: limit is ${maxRequestBytes}`;
      throw new KubeFailure(413, 'RequestEntityTooLarge', text);
    }
    this.#objects.check(this.#configMaps, configMap);
    await this.#options.folder?.write(configMap);
    this.#write(revision, () => write(configMap));
  }

  /** Writes a ConfigMap that needs not be unpacked again. */
  #write(revision: Revision, write: () => unknown): void {
    this.#own = revision;
    try {
      write();
    } finally {
      this.#own = undefined;
    }
  }

  /** Keeps what is unpacked in step with the ConfigMaps, also with those that others write. */
  #follow({ table, type, object }: ObjectEvent): void {
    const { namespace, name, labels } = object.metadata;
    if (table !== '/configmaps' || namespace !== tillerNamespace) return;
    const own = this.#own;
    if (type === 'DELETED' || labels?.OWNER !== 'TILLER') {
      if (this.#forget(name)) this.#follows(this.#options.folder?.remove(name), own);
      return;
    }
    try {
      const revision = own ?? configMapToRevision(object);
      if (!own) this.#refuseAbove(revision);
      this.#forget(name);
      this.#remember(revision);
      if (!own) this.#follows(this.#options.folder?.write(object as unknown as ReleaseConfigMap), own);
    } catch (error) {
      this.#forget(name);
      this.#options.report(`the ConfigMap ${name} is no release: ${(error as Error).message}`);
    }
  }

  /** A write to the folder that nobody waits for. */
  #follows(writing: Promise<void> | undefined, own: Revision | undefined): void {
    if (!own) writing?.catch(error => this.#options.report((error as Error).message));
  }

  #remember(revision: Revision): void {
    const revisions = this.#releases.get(revision.name) ?? new Map<number, Revision>();
    revisions.set(revision.version, revision);
    this.#releases.set(revision.name, revisions);
    this.#byKey.set(revision.key, revision);
    this.#sorted = undefined;
    this.#bytes += revision.wire.length;
  }

  /** @returns whether it was there */
  #forget(key: string): boolean {
    const revision = this.#byKey.get(key);
    if (!revision) return false;
    this.#byKey.delete(key);
    this.#sorted = undefined;
    this.#bytes -= revision.wire.length;
    const revisions = this.#releases.get(revision.name);
    revisions?.delete(revision.version);
    if (revisions?.size === 0) this.#releases.delete(revision.name);
    return true;
  }

  /** @throws GatewayError RESOURCE_EXHAUSTED where there is no room for a revision */
  #refuseAbove({ key, wire }: Revision): void {
    const { maxRevisions, maxBytes } = this.#options.bounds;
    const replaced = this.#byKey.get(key);
    const count = this.#byKey.size + (replaced ? 0 : 1);
    const bytes = this.#bytes + wire.length - (replaced?.wire.length ?? 0);
    if (count <= maxRevisions && bytes <= maxBytes) return;
    throw limitExceeded(
      `the sandbox keeps at most ${maxRevisions} revisions and ${maxBytes} bytes of them; purge some releases`,
    );
  }
}

function toSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
