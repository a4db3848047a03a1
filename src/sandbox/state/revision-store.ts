import { compareUtf8 } from '@tiller-gateway/helm-render';
import type { Release } from '../../codec/index.ts';
import { Code, GatewayError } from '../../protocol/index.ts';
import { objectNameFault } from '../objects/object-name.ts';
import { tillerError } from '../work/tiller-error.ts';
import { type Revision, releaseToRevision, revisionKey, revisionToRelease } from './revision.ts';
import type { RevisionFolder } from './revision-folder.ts';

export interface StoreBounds {
  /** How many revisions may be kept. */
  readonly maxRevisions: number;
  /** How many bytes they may have together, as messages. */
  readonly maxBytes: number;
}

/**
 * Tiller's storage: every revision of every release, by name and version. What it gives are copies; a change counts when
 * it is put back. Error texts are those of Tiller's ConfigMap driver.
 */
export class RevisionStore {
  readonly #releases = new Map<string, Map<number, Revision>>();
  readonly #notMessages = new WeakMap<Release, string>();
  readonly #bounds: StoreBounds;
  readonly #folder: RevisionFolder | undefined;
  readonly #now: () => Date;
  #count = 0;
  #bytes = 0;

  private constructor(bounds: StoreBounds, folder: RevisionFolder | undefined, now: () => Date) {
    this.#bounds = bounds;
    this.#folder = folder;
    this.#now = now;
  }

  /** @param report gets a sentence for each kept revision that cannot be read or exceeds the bounds */
  static async open(
    bounds: StoreBounds,
    now: () => Date,
    folder: RevisionFolder | undefined,
    report: (problem: string) => void,
  ): Promise<RevisionStore> {
    const store = new RevisionStore(bounds, folder, now);
    for await (const revision of folder?.revisions(report) ?? []) {
      try {
        store.#put(revision);
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
   * Why a release cannot be stored, or undefined when it can. Tiller takes upper case and underscores in a name, a
   * ConfigMap does not.
   */
  storageFault(release: Release): string | undefined {
    const fault = objectNameFault('v1', 'ConfigMap', { name: revisionKey(release.name, 1) });
    return this.messageFault(release) ?? fault;
  }

  /**
   * Adds a revision.
   * @throws GatewayError UNKNOWN when it is there already or cannot be stored; RESOURCE_EXHAUSTED
   */
  async create(release: Release): Promise<void> {
    const key = revisionKey(release.name, release.version);
    const fault = this.storageFault(release);
    if (fault !== undefined) throw tillerError(fault);
    if (this.#find(release.name, release.version)) throw tillerError(`release: "${key}" already exists`);
    const revision = releaseToRevision(release, this.#seconds(), undefined);
    this.#put(revision);
    await this.#folder?.write(revision).catch(error => {
      this.#remove(revision);
      throw error;
    });
  }

  /**
   * Replaces a revision.
   * @throws GatewayError UNKNOWN when it is not there; RESOURCE_EXHAUSTED
   */
  async update(release: Release): Promise<void> {
    const before = this.revision(release.name, release.version);
    const revision = releaseToRevision(release, before.createdAt, this.#seconds());
    this.#put(revision);
    await this.#folder?.write(revision).catch(error => {
      this.#put(before);
      throw error;
    });
  }

  /** @throws GatewayError UNKNOWN when it is not there */
  async delete(name: string, version: number): Promise<void> {
    const revision = this.revision(name, version);
    this.#remove(revision);
    await this.#folder?.remove(revision);
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
  all(): Revision[] {
    return [...this.#releases.values()]
      .flatMap(revisions => [...revisions.values()])
      .sort((a, b) => compareUtf8(a.key, b.key));
  }

  /** The releases' names. */
  names(): string[] {
    return [...this.#releases.keys()];
  }

  #find(name: string, version: number): Revision | undefined {
    return this.#releases.get(name)?.get(version);
  }

  /** @throws GatewayError UNKNOWN when it is not there */
  revision(name: string, version: number): Revision {
    const revision = this.#find(name, version);
    if (!revision) throw tillerError(`release: "${revisionKey(name, version)}" not found`);
    return revision;
  }

  #put(revision: Revision): void {
    const replaced = this.#find(revision.name, revision.version);
    const count = this.#count + (replaced ? 0 : 1);
    const bytes = this.#bytes + revision.wire.length - (replaced?.wire.length ?? 0);
    if (count > this.#bounds.maxRevisions || bytes > this.#bounds.maxBytes) {
      throw new GatewayError(
        Code.RESOURCE_EXHAUSTED,
        `the sandbox keeps at most ${this.#bounds.maxRevisions} revisions and ${this.#bounds.maxBytes} bytes of them; purge some releases`,
      );
    }
    const revisions = this.#releases.get(revision.name) ?? new Map<number, Revision>();
    revisions.set(revision.version, revision);
    this.#releases.set(revision.name, revisions);
    this.#count = count;
    this.#bytes = bytes;
  }

  #remove(revision: Revision): void {
    const revisions = this.#releases.get(revision.name);
    if (!revisions?.delete(revision.version)) return;
    if (revisions.size === 0) this.#releases.delete(revision.name);
    this.#count--;
    this.#bytes -= revision.wire.length;
  }

  #seconds(): number {
    return Math.floor(this.#now().getTime() / 1000);
  }
}
