import { proxyFor } from '../proxy-environment.ts';
import type { ClusterAccess } from './cluster-access.ts';
import { createExecPlugin, type ExecPlugin } from './exec-plugin.ts';
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
