import { readFile } from 'node:fs/promises';
import type { OutgoingHttpHeaders } from 'node:http';
import { getCACertificates } from 'node:tls';
import { reasonOf, unavailable } from '../protocol/index.ts';
import type { ClusterAccess, RequestSettings } from './api.ts';
import { createExecPlugin, type ExecPlugin } from './exec-plugin.ts';
import {
  type KubeconfigCluster,
  type KubeconfigSource,
  type KubeconfigUser,
  readKubeconfig,
  type SelectedContext,
  selectContext,
} from './kubeconfig-file.ts';
import { createLibraryCredentials, type LibraryCredentials, needsLibrary } from './library-credentials.ts';
import { proxyFor } from './proxy-environment.ts';

export interface KubeconfigAccessOptions {
  /** Default: as kubectl, `KUBECONFIG`, else `~/.kube/config`. */
  readonly kubeconfig?: KubeconfigSource;
  /** Default: the kubeconfig's current context. */
  readonly context?: string;
  /** `KUBECONFIG`, `SSL_CERT_FILE`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are read from it. Default: the process's. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Bound on a run of an exec plugin, which is killed then. Default 30 s. */
  readonly pluginTimeoutMs?: number;
}

/**
 * Access to the API server of one kubeconfig context. The kubeconfig is read at every use, which is rare, so that a
 * changed one counts at once; nothing but the credentials of a plugin is kept.
 */
export function createKubeconfigAccess(options: KubeconfigAccessOptions = {}): ClusterAccess {
  const { kubeconfig, context, environment = process.env } = options;
  const libraries = keepOne(createLibraryCredentials);
  const plugins = keepOne(selected => createExecPlugin(selected, environment, options.pluginTimeoutMs));

  return {
    async settings() {
      const selected = withProxy(
        selectContext(await readKubeconfig(kubeconfig, environment), context),
        environment,
      );
      const settings = await staticSettings(selected, environment);
      const more = needsLibrary(selected) ? await libraries.of(selected).apply(settings) : settings;
      return selected.user.exec ? plugins.of(selected).apply(more) : more;
    },
    forget() {
      // a plugin can be asked again; an identity provider's refresh token may be good only once, and renews by itself
      plugins.drop();
    },
  };
}

/** Keeps what belongs to a context for as long as nothing in the context changes. */
function keepOne<T extends LibraryCredentials | ExecPlugin>(create: (selected: SelectedContext) => T) {
  let kept: { readonly key: string; readonly value: T } | undefined;
  return {
    of(selected: SelectedContext): T {
      const key = JSON.stringify(selected);
      if (kept?.key !== key) kept = { key, value: create(selected) };
      return kept.value;
    },
    drop() {
      kept = undefined;
    },
  };
}

function withProxy(selected: SelectedContext, environment: NodeJS.ProcessEnv): SelectedContext {
  const { cluster } = selected;
  const proxy = cluster['proxy-url'] ?? proxyFor(cluster.server, environment);
  return proxy ? { ...selected, cluster: { ...cluster, 'proxy-url': proxy } } : selected;
}

/**
 * The credentials in the kubeconfig or in files that it names: certificates, token, token file, basic, impersonation. Files are
 * read anew each time, so that what changed in them counts. As in kubectl, data in the kubeconfig goes before a file,
 * except for tokens, where the file goes first.
 * @throws GatewayError UNAVAILABLE that names the file that cannot be read
 */
async function staticSettings(
  { cluster, user }: SelectedContext,
  environment: NodeJS.ProcessEnv,
): Promise<RequestSettings> {
  const [tls, authorization] = await Promise.all([
    readTls(cluster, user, environment),
    readAuthorization(user),
  ]);
  return {
    server: cluster.server,
    headers: { ...(authorization && { authorization }), ...impersonation(user) },
    tls,
    agent: undefined,
  };
}

async function readTls(
  cluster: KubeconfigCluster,
  user: KubeconfigUser,
  environment: NodeJS.ProcessEnv,
): Promise<RequestSettings['tls']> {
  const [ca, cert, key] = await Promise.all([
    dataOrFile(cluster['certificate-authority-data'], cluster['certificate-authority']),
    dataOrFile(user['client-certificate-data'], user['client-certificate']),
    dataOrFile(user['client-key-data'], user['client-key']),
  ]);
  return {
    ca: ca ?? (await generalAuthorities(environment)),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(cluster['tls-server-name'] && { servername: cluster['tls-server-name'] }),
    ...(cluster['insecure-skip-tls-verify'] && { rejectUnauthorized: false }),
  };
}

/**
 * Whom to trust where the kubeconfig has no CA: as kubectl, `SSL_CERT_FILE`, else the system's; and Node's own, which
 * include `NODE_EXTRA_CA_CERTS`.
 */
async function generalAuthorities(environment: NodeJS.ProcessEnv): Promise<Buffer | string[]> {
  if (environment.SSL_CERT_FILE) return readCredential(environment.SSL_CERT_FILE);
  return [...getCACertificates('default'), ...getCACertificates('system')];
}

async function readAuthorization(user: KubeconfigUser): Promise<string | undefined> {
  if (user.tokenFile) return `Bearer ${(await readCredential(user.tokenFile)).toString().trim()}`;
  if (user.token) return `Bearer ${user.token}`;
  if (user.username === undefined) return undefined;
  return `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
}

/** Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
function impersonation(user: KubeconfigUser): OutgoingHttpHeaders {
  return {
    ...(user.as && { 'impersonate-user': user.as }),
    ...(user['as-uid'] && { 'impersonate-uid': user['as-uid'] }),
    ...(user['as-groups']?.length && { 'impersonate-group': [...user['as-groups']] }),
  };
}

async function dataOrFile(data: string | undefined, file: string | undefined): Promise<Buffer | undefined> {
  if (data) return Buffer.from(data, 'base64');
  return file ? readCredential(file) : undefined;
}

function readCredential(file: string): Promise<Buffer> {
  return readFile(file).catch(cause => {
    throw unavailable(`reading ${file}, which the kubeconfig or the environment names: ${reasonOf(cause)}`, {
      cause,
    });
  });
}
