import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { unavailable } from '../../protocol/index.ts';
import type { RequestSettings } from './cluster-access.ts';
import type { ExecPlugin, KubeconfigCluster, SelectedContext } from './kubeconfig-document.ts';

/** Bound on what a proxy takes to answer CONNECT. */
const proxyTimeoutMs = 10_000;

/** Credentials and proxies that take more than reading files: left to @kubernetes/client-node. */
export interface LibraryCredentials {
  /** Adds to the settings what the plugin, the identity provider or the proxy has to give. */
  apply(settings: RequestSettings): Promise<RequestSettings>;
}

/** Whether the context has an exec plugin, an auth provider (OIDC and its like) or a proxy. */
export function needsLibrary({ cluster, user }: SelectedContext): boolean {
  return Boolean(user.exec || user['auth-provider'] || cluster['proxy-url']);
}

/**
 * Loads @kubernetes/client-node on first use (it takes half a second and 90 MB, which a kubeconfig with a token or a
 * certificate should not cost) and keeps its objects, which cache the plugin's token.
 */
export function createLibraryCredentials(selected: SelectedContext): LibraryCredentials {
  let loading: Promise<KubeConfig> | undefined;
  let running: Promise<RequestSettings> | undefined;

  async function run(settings: RequestSettings): Promise<RequestSettings> {
    loading ??= load(selected, settings);
    const options: RequestOptions = { headers: { ...settings.headers }, timeout: proxyTimeoutMs };
    try {
      await (await loading).applyToHTTPSOptions(options);
    } catch (cause) {
      // what a plugin printed may hold a secret: it goes to the log only, which redacts
      throw unavailable(`${stepOf(selected)} failed`, { cause });
    }
    return merged(settings, options, selected.cluster);
  }

  return {
    apply(settings) {
      // one at a time: a plugin that hangs must not be started again by everyone who waits for it
      running ??= run(settings).finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

function stepOf({ user }: SelectedContext): string {
  if (user.exec) return `getting credentials from the plugin ${user.exec.command}`;
  if (user['auth-provider']) return 'getting credentials from the identity provider';
  return 'setting up the proxy of the kubeconfig or the environment';
}

function merged(
  settings: RequestSettings,
  options: RequestOptions,
  cluster: KubeconfigCluster,
): RequestSettings {
  const given = (options.headers ?? {}) as Record<string, string | undefined>;
  const authorization = given.Authorization ?? settings.headers.authorization;
  return {
    ...settings,
    headers: { ...settings.headers, ...(authorization && { authorization }) },
    tls: {
      ...settings.tls,
      ...(options.cert && { cert: options.cert }),
      ...(options.key && { key: options.key }),
    },
    agent: cluster['proxy-url'] && typeof options.agent === 'object' ? options.agent : undefined,
  };
}

async function load(selected: SelectedContext, settings: RequestSettings): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  const { cluster, user } = selected;
  config.loadFromString(
    JSON.stringify({
      'current-context': 'it',
      contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
      clusters: [{ name: 'it', cluster: acceptedCluster(cluster) }],
      // the token has been read already, and the library would put it over the plugin's
      users: [
        {
          name: 'it',
          user: {
            ...user,
            token: undefined,
            ...(user.exec && { exec: withInfo(user.exec, cluster, settings) }),
          },
        },
      ],
    }),
  );
  return config;
}

/** The library refuses `http:` unless verification is off; there is nothing to verify on such a connection. */
function acceptedCluster(cluster: SelectedContext['cluster']): KubeconfigCluster {
  return cluster.server.startsWith('http:') ? { ...cluster, 'insecure-skip-tls-verify': true } : cluster;
}

/** The library starts the plugin without `KUBERNETES_EXEC_INFO`, which some plugins insist on. */
function withInfo(
  exec: ExecPlugin,
  cluster: SelectedContext['cluster'],
  { tls }: RequestSettings,
): ExecPlugin {
  const info = {
    apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(exec.provideClusterInfo && {
        cluster: {
          server: cluster.server,
          'tls-server-name': cluster['tls-server-name'],
          'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'],
          'proxy-url': cluster['proxy-url'],
          ...(Buffer.isBuffer(tls?.ca) && { 'certificate-authority-data': tls.ca.toString('base64') }),
        },
      }),
    },
  };
  const env = [...(exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
  return { ...exec, env };
}
