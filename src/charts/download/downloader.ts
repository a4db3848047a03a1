import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { callScope, invalidArgument, unavailable } from '../../protocol/index.ts';
import type { ChartOptions } from '../chart/chart-options.ts';
import { type Download, download, type Network } from './fetch.ts';
import { Limiter } from './limiter.ts';
import { SharedTasks } from './shared-tasks.ts';
import { type Access, type Credentials, resolveAccess, type SourceUrl, showUrl } from './source.ts';

type DownloaderOptions = { readonly network: Network } & Pick<
  ChartOptions,
  'maxRedirects' | 'timeoutMs' | 'concurrency' | 'maxWaiting' | 'cacheBytes'
>;

/** What to fetch, and what is known of it. */
export interface Source {
  readonly source: SourceUrl;
  readonly credentials: Credentials;
  /** SHA-256 in hexadecimal, where a repository's index names it. */
  readonly digest?: string | undefined;
  readonly maxBytes: number;
}

type KeptDownload = Download & { readonly bytes: Buffer };

/** One download, with the key that it is shared and kept under. */
interface Job {
  readonly key: string;
  readonly url: URL;
  readonly access: Access;
  readonly digest: string | undefined;
  readonly maxBytes: number;
}

/**
 * Downloads archives and indexes. The same download wanted twice at a time is made once; what came with an ETag or a date is kept
 * and, when wanted again, only asked about.
 */
export class Downloader {
  readonly #options: DownloaderOptions;
  readonly #limiter: Limiter;
  /** Kept up to a bound in bytes; those not used for longest go first. */
  readonly #cache: LRUCache<string, KeptDownload> | undefined;
  readonly #shared = new SharedTasks<Buffer>();
  readonly #closing = new AbortController();

  constructor(options: DownloaderOptions) {
    this.#options = options;
    this.#limiter = new Limiter(options.concurrency, options.maxWaiting);
    const { cacheBytes } = options;
    // an empty body counts as a byte: the cache takes no size of 0
    const sizeCalculation = ({ bytes }: KeptDownload) => Math.max(1, bytes.length);
    this.#cache = cacheBytes > 0 ? new LRUCache({ maxSize: cacheBytes, sizeCalculation }) : undefined;
  }

  /**
   * @throws GatewayError INVALID_ARGUMENT for what the caller can mend, a digest that differs included; UNAVAILABLE when the server
   * cannot be reached, answers 5xx or takes too long; the signal's reason when it is aborted
   */
  async fetch(wanted: Source, signal: AbortSignal): Promise<Buffer> {
    const access = resolveAccess(wanted.source, wanted.credentials);
    const digest = wanted.digest?.toLowerCase();
    const key = sha256(`${access.fingerprint} ${digest ?? ''} ${wanted.source.url.href}`);
    const job = { key, url: wanted.source.url, access, digest, maxBytes: wanted.maxBytes };
    return this.#shared.run(key, signal, shared => this.#fetchInTurn(job, shared));
  }

  close(): void {
    this.#closing.abort(unavailable('the gateway is stopping'));
    this.#cache?.clear();
  }

  async #fetchInTurn(job: Job, signal: AbortSignal): Promise<Buffer> {
    const { timeoutMs } = this.#options;
    const late = () => unavailable(`${showUrl(job.url)}: took longer than ${timeoutMs} ms`);
    const scope = callScope({ signal: AbortSignal.any([signal, this.#closing.signal]), timeoutMs, late });
    try {
      return await this.#limiter.run(() => this.#fetchOrAsk(job, scope.signal), scope.signal);
    } finally {
      scope.end();
    }
  }

  async #fetchOrAsk({ key, digest, ...job }: Job, signal: AbortSignal): Promise<Buffer> {
    const { network, maxRedirects } = this.#options;
    const known = this.#cache?.get(key);
    // what has the digest that is wanted needs no asking
    if (known && digest !== undefined) return known.bytes;
    const { etag, lastModified } = known ?? {};
    const answer = await download(network, { ...job, maxRedirects, signal, etag, lastModified });
    const bytes = answer.bytes ?? known?.bytes ?? Buffer.alloc(0);
    checkDigest(bytes, digest, job.url);
    const kept = answer.bytes ? answer : { etag: answer.etag ?? etag, lastModified };
    const mayKeep = digest !== undefined || kept.etag !== undefined || kept.lastModified !== undefined;
    if (mayKeep) this.#cache?.set(key, { bytes, etag: kept.etag, lastModified: kept.lastModified });
    else this.#cache?.delete(key);
    return bytes;
  }
}

function checkDigest(bytes: Buffer, digest: string | undefined, url: URL): void {
  if (digest === undefined || sha256(bytes) === digest.replace(/^sha256:/, '')) return;
  throw invalidArgument(
    `${showUrl(url)}: the archive's SHA-256 digest is not the one in the repository's index`,
  );
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
