import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { Agent, OutgoingHttpHeaders } from 'node:http';
import type { SecureContext } from 'node:tls';
import { type GatewayError, reasonOf, unavailable } from '../protocol/index.ts';
import type { ClusterAccess, RequestSettings, ServerTls } from './api.ts';
import { createExecPlugin } from './exec-plugin.ts';
import {
  type KubeconfigCluster,
  type KubeconfigSource,
  type KubeconfigUser,
  readKubeconfig,
  type SelectedContext,
  selectContext,
} from './kubeconfig-file.ts';
import { createOidcProvider } from './oidc.ts';
import { createRouteAgent, parseProxy, proxyFor } from './proxy.ts';
import {
  certificatesOf,
  createTrust,
  generalAuthorities,
  type KeyPair,
  readNamedFile,
  verifiedAs,
} from './server-tls.ts';
import { parseServer, type Server } from './server-url.ts';
import { basic, credentialsOf, type Issuers, impersonation, type Kept, keepOne } from './user-credentials.ts';

/*
 * Credentials as kubectl 1.35 uses them, or an error: nothing is sent that kubectl would not send. Own code and not
 * @kubernetes/client-node's, which takes more than kubectl does (a certificate without its key, an expired token, any text
 * for `insecure-skip-tls-verify`), and then asks as nobody or without verification.
 * Source: https://github.com/kubernetes/client-go/tree/v0.35.2/tools/clientcmd and rest. Exceptions: docs/kubeconfigs.md
 */

export interface KubeconfigAccessOptions {
  /** Default: as kubectl, `KUBECONFIG`, else `~/.kube/config`. */
  readonly kubeconfig?: KubeconfigSource;
  /** Default: the kubeconfig's current context. */
  readonly context?: string;
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

/** What outlives one reading of the kubeconfig. */
interface Parts extends Issuers {
  readonly environment: NodeJS.ProcessEnv;
  readonly trusts: Kept<
    { readonly ca: readonly string[] | undefined; readonly pair: KeyPair | undefined },
    SecureContext
  >;
}

/** Over a connection without TLS kubectl sends no credentials but a login in the server's URL. What the kubeconfig says of TLS is kept for reports. */
async function plainSettings(
  { cluster, clusterName }: SelectedContext,
  server: Server,
  headers: OutgoingHttpHeaders,
  { environment }: Parts,
): Promise<RequestSettings> {
  const ca = await bundleOf(cluster, clusterName).catch(() => undefined);
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
  const bundle = await bundleOf(cluster, clusterName);
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
async function bundleOf(cluster: KubeconfigCluster, clusterName: string): Promise<Buffer | undefined> {
  if (cluster['certificate-authority-data'].length > 0) return cluster['certificate-authority-data'];
  const file = cluster['certificate-authority'];
  return file ? readNamedFile(file, `certificate-authority of ${clusterName}`) : undefined;
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

/**
 * Refuses what kubectl refuses of a context before it looks at its server.
 * Source: https://github.com/kubernetes/client-go/blob/v0.35.2/tools/clientcmd/validation.go
 * @throws GatewayError UNAVAILABLE that names the field and the file that it stands in
 */
export async function requireUsable({
  cluster,
  user,
  clusterName,
  userName,
}: SelectedContext): Promise<void> {
  if (
    cluster['proxy-url'] !== '' &&
    !/^(?:http|https|socks5)$/.test(parseProxy(cluster['proxy-url'])?.scheme ?? '')
  )
    throw unavailable(`proxy-url of ${clusterName} is not a URL with http, https or socks5`);
  requireOne(cluster, 'certificate-authority', clusterName);
  await requireReadable(cluster['certificate-authority'], `certificate-authority of ${clusterName}`);
  if (user['client-certificate'] || user['client-certificate-data'].length > 0) {
    requireOne(user, 'client-certificate', userName);
    requireOne(user, 'client-key', userName);
    if (!user['client-key'] && user['client-key-data'].length === 0)
      throw unavailable(`${userName} has a client-certificate without a client-key`);
    await requireReadable(user['client-certificate'], `client-certificate of ${userName}`);
    await requireReadable(user['client-key'], `client-key of ${userName}`);
  }
  requireUsablePlugin(user, userName);
  if ((user.username || user.password) && user.token)
    throw unavailable(`${userName} has both a token and a username or password`);
  const isImpersonating = user['as-uid'] || user['as-groups'].length > 0 || user['as-user-extra'].size > 0;
  if (isImpersonating && !user.as)
    throw unavailable(`${userName} has as-uid, as-groups or as-user-extra without as`);
}

function requireOne<Name extends string>(
  entry: { readonly [Field in Name | `${Name}-data`]: string | Buffer },
  name: Name,
  owner: string,
): void {
  if (entry[name].length > 0 && entry[`${name}-data`].length > 0)
    throw unavailable(`${owner} has both ${name} and ${name}-data`);
}

async function requireReadable(file: string, what: string): Promise<void> {
  if (file === '') return;
  await access(file, constants.R_OK).catch(cause => {
    throw unavailable(`reading ${file}, the ${what}: ${reasonOf(cause)}`, { cause });
  });
}

function requireUsablePlugin(user: KubeconfigUser, userName: string): void {
  const { exec } = user;
  if (!exec) return;
  const refuse = (problem: string): GatewayError => unavailable(`exec of ${userName} ${problem}`);
  if (user['auth-provider']) throw refuse('stands beside an auth-provider');
  if (exec.command === '') throw refuse('has no command');
  if (exec.apiVersion === '') throw refuse('has no apiVersion');
  if (exec.env.some(({ name }) => name === '')) throw refuse('has a variable in env without a name');
  const hasDefault = /^client\.authentication\.k8s\.io\/v1(?:alpha1|beta1)$/.test(exec.apiVersion);
  const modes = ['Never', 'IfAvailable', 'Always', ...(hasDefault ? [''] : [])];
  if (!modes.includes(exec.interactiveMode))
    throw refuse(`has no interactiveMode of ${modes.slice(0, 3).join(', ')}`);
}
