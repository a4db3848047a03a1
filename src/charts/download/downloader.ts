import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { invalidArgument, Limiter, unavailable } from '../../protocol/index.ts';
import type { ChartOptions, Credentials } from '../chart/chart-options.ts';
import {
  checkAddress,
  type Download,
  download,
  type FetchRequest,
  type FetchResponse,
  follow,
  type Network,
  type Validators,
} from './fetch.ts';
import { type Access, resolveAccess, type SourceUrl, showUrl } from './source.ts';
import { inTime, SharedTasks, tooManyFetched } from './tasks.ts';

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
export type Question = Omit<FetchRequest, 'maxRedirects' | 'signal'> & { readonly maxRedirects?: number };

type KeptDownload = Download & { readonly bytes: Buffer };

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
    this.#limiter = new Limiter(options.concurrency, options.maxWaiting, tooManyFetched);
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
    const { url } = wanted.source;
    const access = wanted.access ?? resolveAccess(wanted.source, wanted.credentials);
    const digest = wanted.digest?.toLowerCase();
    const key = sha256(`${access.fingerprint} ${digest ?? ''} ${url.href}`);
    const fetch = (turn: AbortSignal) => this.#fetchOrAsk(key, access, { ...wanted, digest }, turn);
    return this.#shared.run(key, signal, shared => this.#inTurn(url, shared, fetch));
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
  async check(url: URL, signal: AbortSignal): Promise<void> {
    await this.#inTurn(url, signal, turn => checkAddress(this.#options.network, url, turn));
  }

  close(): void {
    this.#closing.abort(unavailable('the gateway is stopping'));
    this.#cache?.clear();
  }

  /** Runs a piece of work within the bounds on time and number that all of them share. */
  #inTurn<T>(url: URL, caller: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs } = this.#options;
    const signal = AbortSignal.any([caller, this.#closing.signal]);
    const run = (turn: AbortSignal) => this.#limiter.run(() => work(turn), turn);
    return inTime(showUrl(url), { timeoutMs, signal }, run);
  }

  async #fetchOrAsk(key: string, access: Access, wanted: Source, signal: AbortSignal): Promise<Buffer> {
    const { source, digest, maxBytes } = wanted;
    const known = this.#cache?.get(key);
    // what has the digest that is wanted needs no asking
    if (known && digest !== undefined) return known.bytes;
    const { network, maxRedirects } = this.#options;
    const { etag, lastModified } = known ?? {};
    const asked = { url: source.url, access, maxBytes, maxRedirects, signal, etag, lastModified };
    const answer = await download(network, asked);
    const bytes = answer.bytes ?? known?.bytes ?? Buffer.alloc(0);
    checkDigest(bytes, wanted);
    const kept = answer.bytes ? answer : { etag: answer.etag ?? etag, lastModified };
    const mayKeep = digest !== undefined || kept.etag !== undefined || kept.lastModified !== undefined;
    if (mayKeep) this.#cache?.set(key, { bytes, etag: kept.etag, lastModified: kept.lastModified });
    else this.#cache?.delete(key);
    return bytes;
  }
}

function checkDigest(bytes: Buffer, { digest, digestOf = "the repository's index", source }: Source): void {
  if (digest === undefined || sha256(bytes) === digest.replace(/^sha256:/, '')) return;
  throw invalidArgument(`${showUrl(source.url)}: the archive's SHA-256 digest is not the one in ${digestOf}`);
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
