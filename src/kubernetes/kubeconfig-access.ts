import type { Agent, OutgoingHttpHeaders } from 'node:http';
import type { SecureContext } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { unavailable } from '../protocol/index.ts';
import type { YamlValue } from '../yaml/index.ts';
import type { ClusterAccess, RequestSettings, ServerTls } from './api.ts';
import { createExecPlugin, type ExecPlugin, type ExecRequest } from './exec-plugin.ts';
import {
  type KubeconfigCluster,
  type KubeconfigSource,
  type KubeconfigUser,
  readKubeconfig,
  requireUsable,
  type SelectedContext,
  selectContext,
} from './kubeconfig-file.ts';
import { createOidcProvider, type OidcProvider } from './oidc.ts';
import { createRouteAgent, parseProxy, proxyFor } from './proxy.ts';
import {
  certificatesOf,
  createTrust,
  generalAuthorities,
  type KeyPair,
  problemOfPair,
  readNamedFile,
  verifiedAs,
} from './server-tls.ts';
import { normalizedServer, parseServer, type Server } from './server-url.ts';

/*
 * Credentials as kubectl 1.35 uses them, or an error: nothing is sent that kubectl would not send. Own code and not
 * @kubernetes/client-node's, which takes more than kubectl does (a certificate without its key, an expired token, any text
 * for `insecure-skip-tls-verify`), and then asks as nobody or without verification.
 * Source: https://github.com/kubernetes/client-go/tree/v0.35.2/tools/clientcmd and rest. Exceptions: docs/kubeconfigs.md
 */

export interface KubeconfigAccessOptions {
  /** Default: as kubectl, `KUBECONFIG`, else `~/.kube/config`. */
  readonly kubeconfig?: KubeconfigSource | undefined;
  /** Default: the kubeconfig's current context. */
  readonly context?: string | undefined;
  /**
   * `KUBECONFIG`, `HOME`, `PATH`, `SSL_CERT_FILE`, `SSL_CERT_DIR`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are read from
   * it, and plugins get it. Default: the process's.
   */
  readonly environment?: NodeJS.ProcessEnv;
  /** Bound on a run of an exec plugin, which is killed then. Default 30 s. */
  readonly pluginTimeoutMs?: number;
}

/**
 * Access to the API server of one kubeconfig context. The kubeconfig is read at every use, which is rare, so that a
 * changed one counts at once; only what a plugin or an identity provider gave is kept.
 */
export function createKubeconfigAccess(options: KubeconfigAccessOptions = {}): ClusterAccess {
  const { kubeconfig, context, environment = process.env } = options;
  const parts: Parts = {
    environment,
    plugins: keepOne(request => createExecPlugin(request, environment, options.pluginTimeoutMs)),
    providers: keepOne(config => createOidcProvider(config, environment)),
    trusts: keepOne(({ ca, pair }) => createTrust(ca, pair)),
  };
  return {
    async settings() {
      const selected = selectContext(await readKubeconfig(kubeconfig, environment), context);
      await requireUsable(selected);
      const { cluster, user, clusterName } = selected;
      const server = parseServer(cluster.server);
      if (!server)
        throw unavailable(`the server of ${clusterName} is not a URL that kubectl sends requests to`);
      const headers = {
        ...impersonation(user),
        ...(server.hostHeader !== undefined && { host: server.hostHeader }),
      };
      if (server.isSecure) return secureSettings(selected, server, headers, parts);
      return plainSettings(selected, server, headers, parts);
    },
    forget() {
      // a plugin can be asked again; an identity provider's refresh token may be good only once, and renews by itself
      parts.plugins.drop();
    },
  };
}

/** What outlives one reading of the kubeconfig, since it takes a program, a request, or time to get it. */
interface Parts {
  readonly environment: NodeJS.ProcessEnv;
  readonly plugins: Kept<ExecRequest, ExecPlugin>;
  readonly providers: Kept<ReadonlyMap<string, string>, OidcProvider>;
  readonly trusts: Kept<
    { readonly ca: readonly string[] | undefined; readonly pair: KeyPair | undefined },
    SecureContext
  >;
}

interface Kept<Key, T> {
  of(key: Key): T;
  drop(): void;
}

/** Keeps what is made of a key for as long as the key stays equal. */
function keepOne<Key, T>(create: (key: Key) => T): Kept<Key, T> {
  let kept: { readonly key: Key; readonly value: T } | undefined;
  return {
    of(key) {
      if (!kept || !isDeepStrictEqual(kept.key, key)) kept = { key, value: create(key) };
      return kept.value;
    },
    drop() {
      kept = undefined;
    },
  };
}

/** Over a connection without TLS kubectl sends no credentials but a login in the server's URL. What the kubeconfig says of TLS is kept for reports. */
async function plainSettings(
  { cluster, clusterName }: SelectedContext,
  server: Server,
  headers: OutgoingHttpHeaders,
  { environment }: Parts,
): Promise<RequestSettings> {
  const ca = await caOf(cluster, clusterName).catch(() => undefined);
  return {
    server: server.url,
    headers: {
      ...(server.login && { authorization: basic(server.login.name, server.login.password) }),
      ...headers,
    },
    tls: {
      ...(ca && { ca }),
      ...(cluster['insecure-skip-tls-verify'] && { rejectUnauthorized: false }),
    },
    agent: await agentOf(cluster, server, environment),
  };
}

async function secureSettings(
  selected: SelectedContext,
  server: Server,
  headers: OutgoingHttpHeaders,
  parts: Parts,
): Promise<RequestSettings> {
  const { cluster, clusterName } = selected;
  const isInsecure = cluster['insecure-skip-tls-verify'];
  const bundle = await caOf(cluster, clusterName);
  if (isInsecure && bundle)
    throw unavailable(`${clusterName} has both certificate-authority and insecure-skip-tls-verify`);
  const own = bundle && bundle.length > 0 ? bundle : undefined;
  const authorities = isInsecure
    ? undefined
    : own
      ? certificatesOf(own, `certificate-authority of ${clusterName}`)
      : await generalAuthorities(parts.environment);
  const ca = own ?? authorities;
  const { authorization, pair } = await credentialsOf(selected, server, bundle, parts);
  const verification = {
    ...(ca && { ca }),
    ...pair,
    secureContext: parts.trusts.of({ ca: authorities, pair }),
    ...(isInsecure && { rejectUnauthorized: false }),
  };
  const tls = { ...verification, ...verifiedAs(cluster['tls-server-name'] || server.host) };
  return {
    server: server.url,
    headers: { ...(authorization && { authorization }), ...headers },
    tls,
    agent: await agentOf(cluster, server, parts.environment, { verification, tls }),
  };
}

/** The CA as it was given; undefined without one. An empty file is one, and means the general authorities. */
function caOf(cluster: KubeconfigCluster, clusterName: string): Promise<Buffer | undefined> {
  const what = `certificate-authority of ${clusterName}`;
  return contentOf(cluster['certificate-authority'], cluster['certificate-authority-data'], what);
}

/** The data of an entry, else what its file holds; undefined where it has neither. */
async function contentOf(file: string, data: Buffer, what: string): Promise<Buffer | undefined> {
  if (data.length > 0) return data;
  return file === '' ? undefined : readNamedFile(file, what);
}

/** Needed for a proxy, and for hosts that a URL parser would take for others. */
async function agentOf(
  cluster: KubeconfigCluster,
  server: Server,
  environment: NodeJS.ProcessEnv,
  secure?: { readonly verification: ServerTls; readonly tls: ServerTls },
): Promise<Agent | undefined> {
  const given = cluster['proxy-url'] || proxyFor(server.url, environment, server.host);
  const proxy = given ? parseProxy(given) : undefined;
  if (given && !proxy)
    throw unavailable('the proxy of the environment is not a URL with http, https or socks5');
  if (!proxy && server.hostHeader !== undefined)
    throw unavailable(`no name server knows ${server.host}, the server of the kubeconfig's context`);
  if (!proxy && !server.host.includes('%')) return undefined;
  // for a server without TLS nothing that the kubeconfig says of TLS counts, for its proxy neither
  const verification = secure?.verification ?? { ca: await generalAuthorities(environment) };
  const name = (secure && cluster['tls-server-name']) || proxy?.host || '';
  const proxyTls = { ...verification, ...verifiedAs(name) };
  return createRouteAgent({ ...server, proxy, tls: secure?.tls ?? {}, proxyTls });
}

interface Credentials {
  readonly authorization: string | undefined;
  readonly pair: KeyPair | undefined;
}

/**
 * What identifies the user: a login in the server's URL, else the token, else name and password, else a plugin's or an
 * identity provider's token; and a certificate. Each of the kubeconfig's own keeps a plugin from being run.
 * @throws GatewayError UNAVAILABLE also without any, where kubectl asks for a name
 */
async function credentialsOf(
  { cluster, user, userName }: SelectedContext,
  server: Server,
  ca: Buffer | undefined,
  { plugins, providers }: Parts,
): Promise<Credentials> {
  const token = await tokenOf(user, userName);
  const own =
    token !== undefined ? `Bearer ${token}` : user.username ? basic(user.username, user.password) : undefined;
  const pair = await pairOf(user, userName);
  const authorization = server.login ? basic(server.login.name, server.login.password) : own;
  const { exec, 'auth-provider': provider } = user;
  if (exec) {
    requireKnownVersion(exec, userName);
    if (own !== undefined || pair) return { authorization, pair };
    if (exec.interactiveMode === 'Always')
      throw unavailable(`exec of ${userName} has interactiveMode Always, and there is no terminal here`);
    const info = exec.provideClusterInfo ? clusterInfo(cluster, ca) : undefined;
    const given = await plugins.of({ exec, cluster: info })();
    const theirs = given.token === undefined ? undefined : bearer(given.token, 'the token of the plugin');
    return { authorization: authorization ?? theirs, pair: given.pair };
  }
  if (provider) {
    if (provider.name !== 'oidc')
      throw unavailable(`auth-provider of ${userName} is not oidc, the only one that kubectl still has`);
    const kept = providers.of(provider.config);
    await kept.check();
    return { authorization: authorization ?? bearer(await kept.idToken(), 'id-token'), pair };
  }
  if (own === undefined && !pair) throw unavailable(`${userName} has no credentials`);
  return { authorization, pair };
}

function bearer(token: string, what: string): string {
  return `Bearer ${headerText(token, what)}`;
}

function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

/** The trimmed content of the token file; where it cannot be read or is blank, the token. */
async function tokenOf(user: KubeconfigUser, userName: string): Promise<string | undefined> {
  const { token, tokenFile, username } = user;
  const what = `token of ${userName}`;
  if (tokenFile === '') return token === '' ? undefined : headerText(token, what);
  if (username !== '') throw unavailable(`${userName} has both a tokenFile and a username`);
  const bytes = await readNamedFile(tokenFile, `tokenFile of ${userName}`).catch(error => {
    if (token === '') throw error;
    return Buffer.alloc(0);
  });
  const content = bytes.toString().replace(blanksAround, '');
  if (content.includes('\ufffd'))
    throw unavailable(`${tokenFile}, the tokenFile of ${userName}, is not UTF-8`);
  if (content !== '') return headerText(content, `tokenFile of ${userName}`);
  if (token !== '') return headerText(token, what);
  throw unavailable(`${tokenFile}, the tokenFile of ${userName}, is blank`);
}

/** What Go's strings.TrimSpace takes away: not a byte order mark, which `trim` would. */
const blanksAround = /^(?:(?!\ufeff)[\s\u0085])+|(?:(?!\ufeff)[\s\u0085])+$/g;

async function pairOf(user: KubeconfigUser, userName: string): Promise<KeyPair | undefined> {
  const read = (name: 'client-certificate' | 'client-key') =>
    contentOf(user[name], user[`${name}-data`], `${name} of ${userName}`);
  const cert = await read('client-certificate');
  const key = cert && (await read('client-key'));
  if (!cert || !key) return undefined;
  const problem = problemOfPair({ cert, key });
  if (problem) throw unavailable(`client-certificate of ${userName} ${problem}`);
  return { cert, key };
}

function requireKnownVersion({ apiVersion }: ExecRequest['exec'], userName: string): void {
  if (!/^client\.authentication\.k8s\.io\/v1(?:beta1)?$/.test(apiVersion))
    throw unavailable(
      `exec of ${userName} has an apiVersion other than client.authentication.k8s.io/v1 and v1beta1`,
    );
}

/** The cluster as `KUBERNETES_EXEC_INFO` describes it. */
function clusterInfo(cluster: KubeconfigCluster, ca: Buffer | undefined): ReadonlyMap<string, YamlValue> {
  const fields: readonly (readonly [string, YamlValue | undefined])[] = [
    ['server', normalizedServer(cluster.server)],
    ['tls-server-name', cluster['tls-server-name'] || undefined],
    ['insecure-skip-tls-verify', cluster['insecure-skip-tls-verify'] || undefined],
    ['certificate-authority-data', ca && ca.length > 0 ? ca.toString('base64') : undefined],
    ['proxy-url', cluster['proxy-url'].replace(/^\w+:/, scheme => scheme.toLowerCase()) || undefined],
    ['disable-compression', cluster['disable-compression'] || undefined],
    ['config', cluster.extensions.get('client.authentication.k8s.io/exec') ?? null],
  ];
  return new Map(fields.filter((field): field is [string, YamlValue] => field[1] !== undefined));
}

/** Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
function impersonation(user: KubeconfigUser): OutgoingHttpHeaders {
  if (!user.as) return {};
  const text = (value: string) => headerText(value, 'as, as-uid, as-groups or as-user-extra');
  const extra: Record<string, string[]> = {};
  for (const [key, values] of user['as-user-extra']) {
    const name = `impersonate-extra-${escapeKey(key)}`;
    if (values.length > 0) extra[name] = [...(extra[name] ?? []), ...values.map(text)];
  }
  return {
    'impersonate-user': text(user.as),
    ...(user['as-uid'] && { 'impersonate-uid': text(user['as-uid']) }),
    ...(user['as-groups'].length > 0 && { 'impersonate-group': user['as-groups'].map(text) }),
    ...extra,
  };
}

/** What no header's name can hold is percent-encoded, byte by byte. */
function escapeKey(key: string): string {
  const bytes = Buffer.from(key).toString('latin1');
  const encode = (byte: string) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return bytes.replace(/[^\w!#$&'*+\-.^`|~]/g, encode).toLowerCase();
}

/** A text as Node has to be given it so that its UTF-8 bytes are sent. */
function headerText(text: string, what: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what no header can hold
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(text))
    throw unavailable(`${what} in the kubeconfig holds a character that cannot be sent`);
  return Buffer.from(text).toString('latin1');
}
