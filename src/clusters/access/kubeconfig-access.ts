import { proxyFor } from '../proxy-environment.ts';
import type { ClusterAccess } from './cluster-access.ts';
import type { SelectedContext } from './kubeconfig-document.ts';
import { createLibraryCredentials, type LibraryCredentials, needsLibrary } from './library-credentials.ts';
import { type KubeconfigSource, readKubeconfig, selectContext } from './read-kubeconfig.ts';
import { staticSettings } from './static-credentials.ts';

export interface KubeconfigAccessOptions {
  /** Default: as kubectl, `KUBECONFIG`, else `~/.kube/config`. */
  readonly kubeconfig?: KubeconfigSource;
  /** Default: the kubeconfig's current context. */
  readonly context?: string;
  /** `KUBECONFIG`, `SSL_CERT_FILE`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are read from it. Default: the process's. */
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * Access to the API server of one kubeconfig context. The kubeconfig is read at every use, which is rare, so that a
 * changed one counts at once; nothing but the credentials of a plugin is kept.
 */
export function createKubeconfigAccess(options: KubeconfigAccessOptions = {}): ClusterAccess {
  const { kubeconfig, context, environment = process.env } = options;
  let kept: { readonly key: string; readonly credentials: LibraryCredentials } | undefined;
  let keptIsRenewable = false;

  function libraryFor(selected: SelectedContext): LibraryCredentials {
    const key = JSON.stringify(selected);
    if (kept?.key !== key) kept = { key, credentials: createLibraryCredentials(selected) };
    keptIsRenewable = selected.user['auth-provider'] === undefined;
    return kept.credentials;
  }

  return {
    async settings() {
      const selected = withProxy(
        selectContext(await readKubeconfig(kubeconfig, environment), context),
        environment,
      );
      const settings = await staticSettings(selected, environment);
      return needsLibrary(selected) ? libraryFor(selected).apply(settings) : settings;
    },
    forget() {
      // a plugin can be asked again; an identity provider's refresh token may be good only once, and renews by itself
      if (keptIsRenewable) kept = undefined;
    },
  };
}

function withProxy(selected: SelectedContext, environment: NodeJS.ProcessEnv): SelectedContext {
  const { cluster } = selected;
  const proxy = cluster['proxy-url'] ?? proxyFor(cluster.server, environment);
  return proxy ? { ...selected, cluster: { ...cluster, 'proxy-url': proxy } } : selected;
}
