import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { callScope, invalidArgument, unavailable } from '../../protocol/index.ts';
import type { ChartOptions } from '../chart/chart-options.ts';
import {
  checkAddress,
  type Download,
  type DownloadRequest,
  download,
  type FetchResponse,
  follow,
  type Network,
  type Validators,
} from './fetch.ts';
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
  /** What names the digest, for messages. Default: the repository's index. */
  readonly digestOf?: string | undefined;
  /** In the place of what the source and the credentials make. Its fingerprint tells who may have what is kept. */
  readonly access?: Access | undefined;
  readonly maxBytes: number;
}

/** One request, whose answer its caller reads. */
export type Question = Pick<DownloadRequest, 'url' | 'method' | 'access' | 'accept' | 'maxBytes'> & {
  readonly maxRedirects?: number;
};

type KeptDownload = Download & { readonly bytes: Buffer };

/** One download, with the key that it is shared and kept under. */
interface Job {
  readonly key: string;
  readonly url: URL;
  readonly access: Access;
  readonly digest: string | undefined;
  readonly digestOf: string;
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
    const access = wanted.access ?? resolveAccess(wanted.source, wanted.credentials);
    const digest = wanted.digest?.toLowerCase();
    const { digestOf = "the repository's index" } = wanted;
    const key = sha256(`${access.fingerprint} ${digest ?? ''} ${wanted.source.url.href}`);
    const job = { key, url: wanted.source.url, access, digest, digestOf, maxBytes: wanted.maxBytes };
    return this.#shared.run(key, signal, shared => this.#fetchInTurn(job, shared));
  }

  /**
   * Fetches what the caller keeps in a form of its own: the bytes, compressed where the server can do that, or undefined where
   * they have not changed.
   * @throws GatewayError as `fetch`
   */
  fetchChanged(
    { source, credentials, maxBytes }: Source,
    known: Partial<Validators>,
    signal: AbortSignal,
  ): Promise<Download> {
    const access = resolveAccess(source, credentials);
    const { network, maxRedirects } = this.#options;
    const wanted = { url: source.url, access, maxBytes, maxRedirects, gzip: true };
    return this.#inTurn(source.url, signal, turn => download(network, { ...wanted, ...known, signal: turn }));
  }

  /**
   * The answer to one request, whatever it is, redirects followed.
   * @throws GatewayError INVALID_ARGUMENT when an address is refused or the answer is too large; UNAVAILABLE when it does not come
   */
  async ask(question: Question, signal: AbortSignal): Promise<FetchResponse> {
    const { network, maxRedirects } = this.#options;
    const ask = (turn: AbortSignal) => follow(network, { maxRedirects, ...question, signal: turn });
    return (await this.#inTurn(question.url, signal, ask)).response;
  }

  /**
   * Checks the host of a URL as a download would.
   * @throws GatewayError INVALID_ARGUMENT when it is refused; UNAVAILABLE when it cannot be resolved
   */
  check(url: URL, signal: AbortSignal): Promise<void> {
    return this.#inTurn(url, signal, turn => checkAddress(this.#options.network, url, turn));
  }

  close(): void {
    this.#closing.abort(unavailable('the gateway is stopping'));
    this.#cache?.clear();
  }

  #fetchInTurn(job: Job, signal: AbortSignal): Promise<Buffer> {
    return this.#inTurn(job.url, signal, turn => this.#fetchOrAsk(job, turn));
  }

  /** Runs a piece of work within the bounds on time and number that all of them share. */
  async #inTurn<T>(url: URL, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs } = this.#options;
    const late = () => unavailable(`${showUrl(url)}: took longer than ${timeoutMs} ms`);
    const scope = callScope({ signal: AbortSignal.any([signal, this.#closing.signal]), timeoutMs, late });
    try {
      return await this.#limiter.run(() => work(scope.signal), scope.signal);
    } finally {
      scope.end();
    }
  }

  async #fetchOrAsk({ key, digest, digestOf, ...job }: Job, signal: AbortSignal): Promise<Buffer> {
    const { network, maxRedirects } = this.#options;
    const known = this.#cache?.get(key);
    // what has the digest that is wanted needs no asking
    if (known && digest !== undefined) return known.bytes;
    const { etag, lastModified } = known ?? {};
    const answer = await download(network, { ...job, maxRedirects, signal, etag, lastModified });
    const bytes = answer.bytes ?? known?.bytes ?? Buffer.alloc(0);
    checkDigest(bytes, digest, job.url, digestOf);
    const kept = answer.bytes ? answer : { etag: answer.etag ?? etag, lastModified };
    const mayKeep = digest !== undefined || kept.etag !== undefined || kept.lastModified !== undefined;
    if (mayKeep) this.#cache?.set(key, { bytes, etag: kept.etag, lastModified: kept.lastModified });
    else this.#cache?.delete(key);
    return bytes;
  }
}

function checkDigest(bytes: Buffer, digest: string | undefined, url: URL, digestOf: string): void {
  if (digest === undefined || sha256(bytes) === digest.replace(/^sha256:/, '')) return;
  throw invalidArgument(`${showUrl(url)}: the archive's SHA-256 digest is not the one in ${digestOf}`);
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
