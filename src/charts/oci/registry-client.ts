import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { invalidArgument, unavailable } from '../../protocol/index.ts';
import type { Downloader } from '../download/downloader.ts';
import type { FetchResponse } from '../download/fetch.ts';
import { type Access, type Credentials, hostOf, resolveAccess, showUrl } from '../download/source.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { parseJson } from './manifest.ts';

/** One repository of a registry, with what it takes to read it. */
export interface RegistryAccess {
  readonly origin: URL;
  readonly repository: string;
  readonly access: Access;
  readonly credentials: Credentials;
  /** The Authorization header of its last answer: the next request may use it even where it is about to be renewed. */
  accepted: string | undefined;
}

const maxTokenBytes = 64 * 1024;
const maxTokens = 100;
const maxRealmChars = 2048;
/** What the registry's authentication service means where it says nothing. */
const defaultTokenSeconds = 60;
const maxTokenSeconds = 300;
/** A token is not used in its last seconds: it has to last for the request as well. */
const spareSeconds = 5;

/**
 * Asks registries, and for tokens where they want some. Credentials go to the registry itself and to the token service that it names,
 * and only over https, but for a registry on the gateway's own machine.
 */
export class RegistryClient {
  readonly #downloader: Downloader;
  /** Authorization headers that a registry accepted, by repository and credentials. */
  readonly #authorizations = new LRUCache<string, string>({ max: maxTokens, ttl: maxTokenSeconds * 1000 });

  constructor(downloader: Downloader) {
    this.#downloader = downloader;
  }

  /** @throws GatewayError INVALID_ARGUMENT when the credentials cannot be right */
  open(host: string, repository: string, credentials: Credentials): RegistryAccess {
    const origin = new URL(`${usesTls(host, credentials) ? 'https' : 'http'}://${host}`);
    const access = resolveAccess({ url: origin, username: '', password: '' }, credentials);
    return { origin, repository, access, credentials, accepted: undefined };
  }

  /**
   * The answer to a GET below the repository, `manifests/1.0.0`, say.
   * @throws GatewayError INVALID_ARGUMENT when the registry refuses, has no such thing, or names a token service that may not be asked;
   * UNAVAILABLE when it or its token service cannot be reached or fails
   */
  async get(
    registry: RegistryAccess,
    path: string,
    { accept, maxBytes }: { readonly accept?: string; readonly maxBytes: number },
    signal: AbortSignal,
  ): Promise<FetchResponse> {
    const url = new URL(`/v2/${registry.repository}/${path}`, registry.origin);
    const ask = (authorization: string | undefined) => {
      const access = { ...registry.access, authorization };
      return this.#downloader.ask({ url, access, accept, maxBytes }, signal);
    };
    let authorization = this.authorization(registry);
    let response = await ask(authorization);
    if (response.status === 401) {
      const refused = authorization;
      authorization = await this.#authorize(registry, response, signal);
      if (authorization !== undefined && authorization !== refused) response = await ask(authorization);
    }
    if (response.status === 200) {
      registry.accepted = authorization;
      return response;
    }
    const message = `${showUrl(url)}: the registry answered ${response.status}`;
    throw response.status >= 500 ? unavailable(message) : invalidArgument(message);
  }

  /** The header that the repository has accepted before; a token of the caller's own is sent at once. */
  authorization(registry: RegistryAccess): string | undefined {
    if (registry.credentials.token) return registry.access.authorization;
    return this.#authorizations.get(keyOf(registry)) ?? registry.accepted;
  }

  /** What a registry that answered 401 asks for; undefined where there is nothing to give. */
  async #authorize(
    registry: RegistryAccess,
    response: FetchResponse,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { access, credentials } = registry;
    if (credentials.token) return undefined;
    const challenges = parseChallenges(response.list('www-authenticate'));
    const key = keyOf(registry);
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer) {
      const { token, seconds } = await this.#fetchToken(registry, bearer, signal);
      const ttl = Math.max(1, seconds - spareSeconds) * 1000;
      this.#authorizations.set(key, `Bearer ${token}`, { ttl });
      return `Bearer ${token}`;
    }
    const isBasic = challenges.some(({ scheme }) => scheme === 'basic');
    if (!isBasic || access.authorization === undefined) return undefined;
    this.#authorizations.set(key, access.authorization);
    return access.authorization;
  }

  /** https://distribution.github.io/distribution/spec/auth/token/ */
  async #fetchToken(
    { origin, repository, access }: RegistryAccess,
    { parameters }: Challenge,
    signal: AbortSignal,
  ): Promise<{ readonly token: string; readonly seconds: number }> {
    const url = readRealm(parameters.get('realm') ?? '', origin);
    const service = parameters.get('service');
    if (service !== undefined) url.searchParams.set('service', service.slice(0, maxRealmChars));
    // never more than is needed, whatever the registry asks for
    url.searchParams.set('scope', `repository:${repository}:pull`);
    // the client certificate is for the registry alone
    const forService = url.origin === origin.origin ? access : { ...access, identity: {} };
    const question = { url, access: forService, maxBytes: maxTokenBytes, maxRedirects: 0 };
    const response = await this.#downloader.ask(question, signal);
    if (response.status !== 200) {
      const message = `${showUrl(url)}: the token service answered ${response.status}`;
      throw response.status >= 500 ? unavailable(message) : invalidArgument(message);
    }
    const json = parseJson(response.body, showUrl(url));
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

function keyOf({ origin, repository, access }: RegistryAccess): string {
  return createHash('sha256').update(`${access.fingerprint} ${origin.origin} ${repository}`).digest('hex');
}
