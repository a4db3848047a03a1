import { GatewayError, readBounded, unavailable } from '../protocol/index.ts';
import { sendRequest } from './api.ts';
import { createRouteAgent, parseProxy, proxyFor } from './proxy.ts';
import { certificatesOf, createTrust, generalAuthorities, readNamedFile, verifiedAs } from './server-tls.ts';
import { decodeBase64 } from './typed-fields.ts';

/*
 * Tokens of an OpenID Connect provider. Not left to @kubernetes/client-node, which goes on without a token where kubectl
 * stops: an expired one that cannot be renewed, one that is no JWT, a missing client-id or issuer.
 * Source: https://github.com/kubernetes/client-go/blob/v0.35.2/plugin/pkg/client/auth/oidc/oidc.go
 */

const renewalTimeoutMs = 30_000;
const maxAnswerBytes = 1024 * 1024;

/** A token is renewed when it holds for less than this. */
const marginMs = 10_000;

export interface OidcProvider {
  /** @throws GatewayError UNAVAILABLE where the provider's CA cannot be read, also where no request to it is needed */
  check(): Promise<void>;
  /** A token that still holds, renewed where it does not. The renewed one is kept here, and not written back to the file. */
  idToken(): Promise<string>;
}

/**
 * @param config as `users.user.auth-provider.config` has it
 * @throws GatewayError UNAVAILABLE that names what the config lacks
 */
export function createOidcProvider(
  config: ReadonlyMap<string, string>,
  environment: NodeJS.ProcessEnv,
): OidcProvider {
  for (const name of ['idp-issuer-url', 'client-id']) {
    if (!config.get(name)) throw refused(`auth-provider.config has no ${name}`);
  }
  let token = config.get('id-token') ?? '';
  let refreshToken = config.get('refresh-token') ?? '';
  let running: Promise<void> | undefined;

  async function renew(): Promise<void> {
    if (refreshToken === '') throw refused('the id-token has expired, and there is no refresh-token');
    try {
      const ask = await createAsk(config, environment);
      const issuer = config.get('idp-issuer-url')?.replace(/\/$/, '');
      const discovery = await ask(`${issuer}/.well-known/openid-configuration`);
      const grant = await refresh(ask, String(discovery.token_endpoint), config, refreshToken);
      if (typeof grant.id_token !== 'string') throw refused('the identity provider gave no id_token');
      token = grant.id_token;
      if (typeof grant.refresh_token === 'string') refreshToken = grant.refresh_token;
    } catch (cause) {
      if (cause instanceof GatewayError) throw cause;
      // what a provider answered may hold a secret: it goes to the log only, which redacts
      throw unavailable('getting credentials from the identity provider failed', { cause });
    }
  }

  return {
    async check() {
      await ownAuthorities(config);
    },
    async idToken() {
      if (token !== '' && expiryOf(token) > Date.now() + marginMs) return token;
      // one at a time: a refresh token may be good only once
      running ??= renew().finally(() => {
        running = undefined;
      });
      await running;
      return token;
    },
  };
}

function refused(problem: string): GatewayError {
  return unavailable(`the kubeconfig's OpenID Connect user: ${problem}`, { step: 'getting credentials' });
}

/** Milliseconds since 1970. */
function expiryOf(token: string): number {
  const parts = token.split('.');
  try {
    const [, payload = ''] = parts;
    if (parts.length !== 3 || !/^[\w-]*$/.test(payload)) throw new Error('not three parts of base64url');
    const { exp = 0 } = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return Number(exp) * 1000;
  } catch {
    throw refused('the id-token is not a JWT'); // not what the parser says: it may quote the token
  }
}

type Answer = Record<string, unknown>;
type Ask = (url: string, form?: URLSearchParams, authorization?: string) => Promise<Answer>;

/** As golang.org/x/oauth2: the client's secret in a header, and where the provider does not take that, in the form. */
async function refresh(
  ask: Ask,
  endpoint: string,
  config: ReadonlyMap<string, string>,
  refreshToken: string,
): Promise<Answer> {
  const id = config.get('client-id') ?? '';
  const secret = config.get('client-secret') ?? '';
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken });
  const login = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`;
  try {
    return await ask(endpoint, form, `Basic ${Buffer.from(login).toString('base64')}`);
  } catch {
    form.set('client_id', id);
    if (secret !== '') form.set('client_secret', secret);
    return ask(endpoint, form);
  }
}

/** Requests to the provider, verified by its own CA where the kubeconfig has one, through the environment's proxy. */
async function createAsk(config: ReadonlyMap<string, string>, environment: NodeJS.ProcessEnv): Promise<Ask> {
  const general = await generalAuthorities(environment);
  const own = await ownAuthorities(config);
  const signal = AbortSignal.timeout(renewalTimeoutMs);
  return async (address, form, authorization) => {
    const url = new URL(address);
    const isSecure = url.protocol === 'https:';
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const proxyUrl = proxyFor(address, environment);
    const proxy = proxyUrl === undefined ? undefined : parseProxy(proxyUrl);
    if (proxyUrl !== undefined && !proxy) throw refused('the proxy of the environment is not usable');
    const secureContext = createTrust(own ?? general, undefined);
    const tls = { secureContext, ...verifiedAs(host) };
    const port = Number(url.port) || (isSecure ? 443 : 80);
    const proxyTls = { secureContext, ...verifiedAs(proxy?.host ?? '') };
    const options = {
      method: form ? 'POST' : 'GET',
      headers: {
        accept: 'application/json',
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...(authorization && { authorization }),
      },
      agent: proxy ? createRouteAgent({ host, port, isSecure, proxy, tls, proxyTls }) : false,
      signal,
      ...tls,
    };
    const response = await sendRequest(url, options, form?.toString());
    const body = await readBounded(response, { maxBytes: maxAnswerBytes, what: 'the answer' });
    if (response.statusCode !== 200)
      throw new Error(`the provider answered with status ${response.statusCode}`);
    try {
      return JSON.parse(body.toString()) as Answer;
    } catch {
      throw new Error("the provider's answer is not JSON"); // not what the parser says: it may quote a token
    }
  };
}

async function ownAuthorities(config: ReadonlyMap<string, string>): Promise<string[] | undefined> {
  const what = 'idp-certificate-authority';
  const [data, file] = [config.get(`${what}-data`), config.get(what)];
  if (!data && !file) return undefined;
  const bundle = data ? decodeBase64(data) : await readNamedFile(file ?? '', what);
  if (!bundle) throw refused(`auth-provider.config.${what}-data is not base64`);
  return certificatesOf(bundle, what);
}
