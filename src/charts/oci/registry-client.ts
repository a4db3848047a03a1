import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { invalidArgument } from '../../protocol/index.ts';
import type { Credentials } from '../chart/chart-options.ts';
import type { Downloader } from '../download/downloader.ts';
import { type FetchResponse, statusError } from '../download/fetch.ts';
import { type Access, hostOf, resolveAccess, showUrl } from '../download/source.ts';
import { parseJson } from './manifest.ts';
import type { OciReference } from './reference.ts';

const maxTokenBytes = 64 * 1024;
const maxTokens = 100;
const maxRealmChars = 2048;
/** What the registry's authentication service means where it says nothing. */
const defaultTokenSeconds = 60;
const maxTokenSeconds = 300;
/** A token is not used in its last seconds: it has to last for the request as well. */
const spareSeconds = 5;

/** Authorization headers that a registry accepted, by repository and credentials. */
export type Authorizations = LRUCache<string, string>;

export function createAuthorizations(): Authorizations {
  return new LRUCache({ max: maxTokens, ttl: maxTokenSeconds * 1000 });
}

/**
 * Reads one repository of a registry, and asks for a token where the registry wants one. Credentials go to the registry itself and
 * to the token service that it names, and only over https, but for a registry on the gateway's own machine.
 */
export class RegistryClient {
  readonly origin: URL;
  readonly repository: string;
  readonly #downloader: Downloader;
  readonly #authorizations: Authorizations;
  readonly #access: Access;
  readonly #credentials: Credentials;
  readonly #key: string;
  /** The Authorization header of the last answer: the next request may use it even where it is about to be renewed. */
  #accepted: string | undefined;

  /** @throws GatewayError INVALID_ARGUMENT when the credentials cannot be right */
  constructor(
    downloader: Downloader,
    authorizations: Authorizations,
    { host, repository }: OciReference,
    credentials: Credentials,
  ) {
    this.#downloader = downloader;
    this.#authorizations = authorizations;
    this.origin = new URL(`${usesTls(host, credentials) ? 'https' : 'http'}://${host}`);
    this.repository = repository;
    this.#access = resolveAccess({ url: this.origin }, credentials);
    this.#credentials = credentials;
    const { fingerprint } = this.#access;
    this.#key = createHash('sha256')
      .update(`${fingerprint} ${this.origin.origin} ${repository}`)
      .digest('hex');
  }

  /** The URL of what is below the repository: `manifests/1.0.0`, say. */
  urlOf(path: string): URL {
    return new URL(`/v2/${this.repository}/${path}`, this.origin);
  }

  /** What a request takes, with the header that the repository has accepted before; a token of the caller's own is sent at once. */
  access(): Access {
    const authorization = this.#credentials.token
      ? this.#access.authorization
      : (this.#authorizations.get(this.#key) ?? this.#accepted);
    return { ...this.#access, authorization };
  }

  /**
   * The answer to a GET below the repository.
   * @throws GatewayError INVALID_ARGUMENT when the registry refuses, has no such thing, or names a token service that may not be asked;
   * UNAVAILABLE when it or its token service cannot be reached or fails
   */
  async get(
    path: string,
    bounds: { readonly accept?: string; readonly maxBytes: number },
    signal: AbortSignal,
  ): Promise<FetchResponse> {
    const url = this.urlOf(path);
    const ask = (access: Access) => this.#downloader.ask({ ...bounds, url, access }, signal);
    let access = this.access();
    let response = await ask(access);
    if (response.status === 401) {
      const authorization = await this.#authorize(response, signal);
      const refused = access.authorization;
      access = { ...access, authorization };
      if (authorization !== undefined && authorization !== refused) response = await ask(access);
    }
    const { status } = response;
    if (status !== 200) throw statusError(url, `the registry answered ${status}`, status);
    this.#accepted = access.authorization;
    return response;
  }

  /** What a registry that answered 401 asks for; undefined where there is nothing to give. */
  async #authorize(response: FetchResponse, signal: AbortSignal): Promise<string | undefined> {
    if (this.#credentials.token) return undefined;
    const challenges = parseChallenges(response.list('www-authenticate'));
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer) {
      const { token, seconds } = await this.#fetchToken(bearer, signal);
      const ttl = Math.max(1, seconds - spareSeconds) * 1000;
      this.#authorizations.set(this.#key, `Bearer ${token}`, { ttl });
      return `Bearer ${token}`;
    }
    const isBasic = challenges.some(({ scheme }) => scheme === 'basic');
    const { authorization } = this.#access;
    if (!isBasic || authorization === undefined) return undefined;
    this.#authorizations.set(this.#key, authorization);
    return authorization;
  }

  /** https://distribution.github.io/distribution/spec/auth/token/ */
  async #fetchToken(
    { parameters }: Challenge,
    signal: AbortSignal,
  ): Promise<{ readonly token: string; readonly seconds: number }> {
    const url = readRealm(parameters.get('realm') ?? '', this.origin);
    const service = parameters.get('service');
    if (service !== undefined) url.searchParams.set('service', service.slice(0, maxRealmChars));
    // never more than is needed, whatever the registry asks for
    url.searchParams.set('scope', `repository:${this.repository}:pull`);
    // the client certificate is for the registry alone
    const access = url.origin === this.origin.origin ? this.#access : { ...this.#access, identity: {} };
    const question = { url, access, maxBytes: maxTokenBytes, maxRedirects: 0 };
    const { status, body } = await this.#downloader.ask(question, signal);
    if (status !== 200) throw statusError(url, `the token service answered ${status}`, status);
    const json = parseJson(body, showUrl(url));
    const token = json.token ?? json.access_token;
    if (typeof token !== 'string' || !/^[\x21-\x7e]{1,16384}$/.test(token)) {
      throw invalidArgument(`${showUrl(url)}: the token service answered without a token`);
    }
    const given = Number(json.expires_in ?? defaultTokenSeconds);
    const seconds = given > 0 ? Math.min(given, maxTokenSeconds) : defaultTokenSeconds;
    return { token, seconds };
  }
}

/** @throws GatewayError INVALID_ARGUMENT for a token service that no credentials may go to */
function readRealm(realm: string, origin: URL): URL {
  const where = `${origin.host}: the registry names a token service`;
  if (realm.length > maxRealmChars || !URL.canParse(realm)) throw invalidArgument(`${where} that is no URL`);
  const url = new URL(realm);
  const isAllowed = url.protocol === 'https:' || (url.protocol === 'http:' && origin.protocol === 'http:');
  if (!isAllowed) throw invalidArgument(`${where} that is not reached by https`);
  if (url.username !== '' || url.password !== '') throw invalidArgument(`${where} with user info`);
  url.hash = '';
  return url;
}

/**
 * Registries are asked by https. One of the gateway's own machine, which only --chart-allow-loopback lets through, is asked by http as
 * Helm does, unless something is given that only TLS has a use for.
 */
function usesTls(host: string, credentials: Credentials): boolean {
  const name = hostOf(new URL(`http://${host}`));
  const isLoopback = /^(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|::1)$/.test(name);
  const { caBundle, clientCertificate, insecureSkipVerify } = credentials;
  return !isLoopback || Boolean(caBundle?.length || clientCertificate?.length || insecureSkipVerify);
}

/** What a server asks for by WWW-Authenticate (RFC 9110, section 11.6.1). */
interface Challenge {
  /** In small letters. */
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const maxHeaderChars = 8 * 1024;
const maxChallenges = 10;
const maxParameters = 20;
/** `name=token` or `name="quoted"`, and the comma or end behind it. */
const parameterPattern = /\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))\s*(?:,|$)/y;
const schemePattern = /[\s,]*([\w!#$%&'*+.^`|~-]+)(?:\s+|,|$)/y;

/** Reads the header; what cannot be read ends it. Nothing is thrown: a header that makes no sense asks for nothing. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  if (header.length > maxHeaderChars) return challenges;
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match) at = pattern.lastIndex;
    return match;
  };
  while (at < header.length && challenges.length < maxChallenges) {
    const scheme = take(schemePattern)?.[1];
    if (scheme === undefined) break;
    const parameters = new Map<string, string>();
    while (parameters.size < maxParameters) {
      const [, name, quoted, plain] = take(parameterPattern) ?? [];
      if (name === undefined) break;
      parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '');
    }
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
  }
  return challenges;
}
