import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { unavailable, withDeadline } from '../protocol/index.ts';
import type { RequestSettings } from './api.ts';
import type { KubeconfigCluster, SelectedContext } from './kubeconfig-file.ts';

/** Bound on what a proxy takes to answer CONNECT. */
const proxyTimeoutMs = 10_000;

/** Bound on renewing a token; the library itself has none. */
const renewalTimeoutMs = 30_000;

/** Credentials and proxies that take more than reading files: left to @kubernetes/client-node. */
export interface LibraryCredentials {
  /** Adds to the settings what the identity provider or the proxy has to give. */
  apply(settings: RequestSettings): Promise<RequestSettings>;
}

/** Whether the context has an auth provider (OIDC and its like) or a proxy. */
export function needsLibrary({ cluster, user }: SelectedContext): boolean {
  return Boolean(user['auth-provider'] || cluster['proxy-url']);
}

/**
 * Loads @kubernetes/client-node on first use (it takes half a second and 90 MB, which a kubeconfig with a token or a
 * certificate should not cost) and keeps its objects, which cache the provider's token.
 */
export function createLibraryCredentials(selected: SelectedContext): LibraryCredentials {
  let loading: Promise<KubeConfig> | undefined;
  let running: Promise<RequestSettings> | undefined;

  async function run(settings: RequestSettings): Promise<RequestSettings> {
    loading ??= load(selected);
    const options: RequestOptions = { headers: { ...settings.headers }, timeout: proxyTimeoutMs };
    try {
      const renewal = (await loading).applyToHTTPSOptions(options);
      // a renewal that takes longer is left to itself, and the next attempt begins anew
      await withDeadline(renewal, renewalTimeoutMs, () => new Error('no answer in time'));
    } catch (cause) {
      // what a provider answered may hold a secret: it goes to the log only, which redacts
      throw unavailable(`${stepOf(selected)} failed`, { cause });
    }
    return merged(settings, options, selected.cluster);
  }

  return {
    apply(settings) {
      // one at a time: a refresh token may be good only once
      running ??= run(settings).finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

function stepOf({ user }: SelectedContext): string {
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

async function load(selected: SelectedContext): Promise<KubeConfig> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  const { cluster, user } = selected;
  config.loadFromString(
    JSON.stringify({
      'current-context': 'it',
      contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
      clusters: [{ name: 'it', cluster: acceptedCluster(cluster) }],
      // token and plugin are seen to already, and the library would put them over the provider's
      users: [{ name: 'it', user: { ...user, token: undefined, exec: undefined } }],
    }),
  );
  return config;
}

/** The library refuses `http:` unless verification is off; there is nothing to verify on such a connection. */
function acceptedCluster(cluster: SelectedContext['cluster']): KubeconfigCluster {
  return cluster.server.startsWith('http:') ? { ...cluster, 'insecure-skip-tls-verify': true } : cluster;
}
