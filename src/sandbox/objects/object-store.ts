import { KubeFailure } from './failure.ts';
import { jsonSize, type KubeObject } from './kube-object.ts';

export interface ObjectStoreOptions {
  /** How many objects may be kept. Default: 100,000. */
  readonly maxObjects?: number;
  /** About how many bytes of JSON they may have together. Default: 2 GiB. */
  readonly maxBytes?: number;
  /** How many changes are remembered for watches and pages. Default: 10,000. */
  readonly maxEvents?: number;
  /** About how many bytes of JSON the remembered changes may have. Default: 64 MiB. */
  readonly maxEventBytes?: number;
  /** The version before the first change. Default: one that grows over restarts, by two a second. */
  readonly firstVersion?: number;
}

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** A change of one object. */
export interface ObjectEvent {
  readonly type: EventType;
  /** Which table: a resource's group and plural. */
  readonly table: string;
  readonly version: number;
  /** What was there; undefined for ADDED. */
  readonly before: KubeObject | undefined;
  /** What is there now; for DELETED what was there last, with the version of the deletion. */
  readonly object: KubeObject;
}

/** One object's place: its namespace (empty for kinds that have none) and its name. */
export interface ObjectPlace {
  readonly table: string;
  readonly namespace: string;
  readonly name: string;
}

interface Row {
  readonly object: KubeObject;
  readonly size: number;
}

/** One resource's objects by `namespace/name`; the keys in order are made when somebody asks for them. */
interface Table {
  readonly rows: Map<string, Row>;
  keys: string[] | undefined;
}

/** Kubernetes objects in memory by resource, namespace and name, with one counter of versions as etcd has it. */
export class ObjectStore {
  readonly #tables = new Map<string, Table>();
  readonly #listeners = new Set<(event: ObjectEvent) => void>();
  readonly #options: Required<Omit<ObjectStoreOptions, 'firstVersion'>>;
  #events: { readonly event: ObjectEvent; readonly size: number }[] = [];
  #eventBytes = 0;
  readonly #untold: ObjectEvent[] = [];
  #objects = 0;
  #bytes = 0;
  #version: number;
  #oldest: number;

  constructor(options: ObjectStoreOptions = {}) {
    this.#options = {
      maxObjects: options.maxObjects ?? 100_000,
      maxBytes: options.maxBytes ?? 2 * 1024 ** 3,
      maxEvents: options.maxEvents ?? 10_000,
      maxEventBytes: options.maxEventBytes ?? 64 * 1024 ** 2,
    };
    this.#version = options.firstVersion ?? versionOfTime(Date.now());
    this.#oldest = this.#version;
  }

  /** The version of the last change. */
  get version(): number {
    return this.#version;
  }

  /** The oldest version whose state is still known. */
  get oldestVersion(): number {
    return this.#oldest;
  }

  get({ table, namespace, name }: ObjectPlace): KubeObject | undefined {
    return this.#tables.get(table)?.rows.get(keyOf(namespace, name))?.object;
  }

  /**
   * A resource's objects in the order of their keys.
   * @param namespace all namespaces when it is undefined
   */
  list(table: string, namespace?: string): KubeObject[] {
    const kept = this.#tables.get(table);
    if (!kept) return [];
    const prefix = namespace === undefined ? '' : `${namespace}/`;
    const objects: KubeObject[] = [];
    for (const key of sortedKeys(kept)) if (key.startsWith(prefix)) objects.push(kept.rows.get(key)!.object);
    return objects;
  }

  /** As `list`, as it was at an earlier version; undefined where that is no longer known. */
  listAt(table: string, namespace: string | undefined, version: number): KubeObject[] | undefined {
    const changes = this.since(version);
    if (!changes) return undefined;
    const undone = new Map<string, KubeObject | undefined>();
    for (const { table: changed, before, object } of changes) {
      const { namespace: place = '', name } = object.metadata;
      if (changed !== table || (namespace !== undefined && namespace !== place)) continue;
      const key = keyOf(place, name);
      if (!undone.has(key)) undone.set(key, before);
    }
    const now = this.list(table, namespace);
    if (undone.size === 0) return now;
    const then = new Map(now.map(object => [placeKey(object), object]));
    for (const [key, object] of undone) {
      if (object) then.set(key, object);
      else then.delete(key);
    }
    return [...then].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  /** The changes after a version, oldest first; undefined where they are no longer known. */
  since(version: number): ObjectEvent[] | undefined {
    if (version < this.#oldest) return undefined;
    let first = this.#events.length;
    while (first > 0 && this.#events[first - 1]!.event.version > version) first--;
    return this.#events.slice(first).map(({ event }) => event);
  }

  /**
   * Adds or replaces an object and gives what is stored: the same with its new version.
   * @throws KubeFailure 507 where there is no room
   */
  put(place: ObjectPlace, object: KubeObject): KubeObject {
    const key = keyOf(place.namespace, place.name);
    const table = this.#table(place.table);
    const before = table.rows.get(key);
    const size = jsonSize(object);
    const { maxObjects, maxBytes } = this.#options;
    if (!before && this.#objects >= maxObjects) {
      throw new KubeFailure(
        507,
        'InsufficientStorage',
        `the sandbox's cluster holds ${maxObjects} objects already`,
      );
    }
    if (this.#bytes + size - (before?.size ?? 0) > maxBytes) {
      throw new KubeFailure(
        507,
        'InsufficientStorage',
        `the sandbox's cluster holds ${maxBytes} bytes already`,
      );
    }
    const stored = withVersion(object, ++this.#version);
    table.rows.set(key, { object: stored, size });
    if (!before) {
      table.keys = undefined;
      this.#objects++;
    }
    this.#bytes += size - (before?.size ?? 0);
    const type = before ? 'MODIFIED' : 'ADDED';
    this.#tell({ type, table: place.table, before: before?.object, object: stored }, before?.size ?? 64);
    return stored;
  }

  /** Takes an object away and gives what was there; undefined where nothing was. */
  delete(place: ObjectPlace): KubeObject | undefined {
    const table = this.#table(place.table);
    const key = keyOf(place.namespace, place.name);
    const before = table.rows.get(key);
    if (!before) return undefined;
    table.rows.delete(key);
    table.keys = undefined;
    this.#objects--;
    this.#bytes -= before.size;
    const last = withVersion(before.object, ++this.#version);
    this.#tell({ type: 'DELETED', table: place.table, before: before.object, object: last }, before.size);
    return before.object;
  }

  /** The tables that have objects in a namespace. */
  tablesIn(namespace: string): string[] {
    return [...this.#tables.keys()].filter(table => this.list(table, namespace).length > 0);
  }

  /** Tells of each change, in order, until the function that it gives is called. Listeners may change the store. */
  subscribe(listener: (event: ObjectEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Forgets all changes, as etcd does from time to time: watches and pages from before get 410. */
  compact(): void {
    this.#events = [];
    this.#eventBytes = 0;
    this.#oldest = ++this.#version;
  }

  #table(name: string): Table {
    const known = this.#tables.get(name);
    if (known) return known;
    const table: Table = { rows: new Map(), keys: undefined };
    this.#tables.set(name, table);
    return table;
  }

  /** Listeners hear of one change after the other, also of those that a listener makes. */
  #tell(change: Omit<ObjectEvent, 'version'>, size: number): void {
    const event = { ...change, version: this.#version };
    this.#events.push({ event, size });
    this.#eventBytes += size;
    this.#trim();
    this.#untold.push(event);
    if (this.#untold.length > 1) return; // a listener made this change: the loop below goes on with it
    for (let next = this.#untold[0]; next; next = this.#untold[0]) {
      for (const listener of [...this.#listeners]) listener(next);
      this.#untold.shift();
    }
  }

  /** Half of what is over a bound goes at once, so that each change need not move all others. */
  #trim(): void {
    const { maxEvents, maxEventBytes } = this.#options;
    if (this.#events.length <= maxEvents && this.#eventBytes <= maxEventBytes) return;
    let count = 0;
    let bytes = this.#eventBytes;
    while (
      count < this.#events.length - 1 &&
      (this.#events.length - count > maxEvents / 2 || bytes > maxEventBytes / 2)
    ) {
      bytes -= this.#events[count++]!.size;
    }
    if (count === 0) return;
    this.#oldest = this.#events[count - 1]!.event.version;
    this.#events = this.#events.slice(count);
    this.#eventBytes = bytes;
  }
}

/** Two a second since 2020, so that a client that knew the store of an earlier process sees that it is behind. */
function versionOfTime(nowMs: number): number {
  return Math.max(1_000, Math.floor((nowMs - Date.UTC(2020, 0)) / 500));
}

function withVersion(object: KubeObject, version: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
}

function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** What orders an object among those of its resource, and continues a list behind it. */
export function placeKey({ metadata: { namespace = '', name } }: KubeObject): string {
  return keyOf(namespace, name);
}

/** Names are ASCII, so this is etcd's order. */
function sortedKeys(table: Table): string[] {
  table.keys ??= [...table.rows.keys()].sort();
  return table.keys;
}
