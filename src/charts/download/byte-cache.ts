/** What a repository said about a download, so that it can be asked whether it still holds. */
export interface CachedDownload {
  readonly bytes: Buffer;
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** Keeps downloads up to a bound in bytes; the ones not used for longest go first. */
export class ByteCache {
  readonly #entries = new Map<string, CachedDownload>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(key: string): CachedDownload | undefined {
    const entry = this.#entries.get(key);
    if (entry) {
      // the order of a Map is the order of insertion: used last stands last
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    return entry;
  }

  /** Keeps a download, unless it alone is over the bound. */
  set(key: string, entry: CachedDownload): void {
    this.delete(key);
    if (entry.bytes.length > this.#maxBytes) return;
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes.length;
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }
}
