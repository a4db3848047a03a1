import type { Route } from '../../http/index.ts';
import { type HelmWrapperOptions, routeMaker } from './call.ts';

/**
 * Helm's environment by name, with Helm 3's defaults. Paths of the server are no matter of its clients, and there is no
 * token: these are empty.
 */
const environment = {
  HELM_BIN: 'helm-wrapper',
  HELM_BURST_LIMIT: '100',
  HELM_CACHE_HOME: '',
  HELM_CONFIG_HOME: '',
  HELM_DATA_HOME: '',
  HELM_DEBUG: 'false',
  HELM_DRIVER: '',
  HELM_KUBEAPISERVER: '',
  HELM_KUBEASGROUPS: '',
  HELM_KUBEASUSER: '',
  HELM_KUBECAFILE: '',
  HELM_KUBECONTEXT: '',
  HELM_KUBEINSECURE_SKIP_TLS_VERIFY: 'false',
  HELM_KUBETLS_SERVER_NAME: '',
  HELM_KUBETOKEN: '',
  HELM_MAX_HISTORY: '0',
  HELM_NAMESPACE: 'default',
  HELM_PLUGINS: '',
  HELM_QPS: '0.00',
  HELM_REGISTRY_CONFIG: '',
  HELM_REPOSITORY_CACHE: '',
  HELM_REPOSITORY_CONFIG: '',
};

/** The route of `helm env`. A request that names a cluster sees that name as its context. */
export function environmentRoute(options: HelmWrapperOptions): Route {
  const route = routeMaker(options);
  const text = { summary: "Shows Helm's environment.", data: environment };
  return route('GET', '/api/envs', text, async ({ exchange }) => {
    const context = exchange.target.selection.name ?? '';
    return JSON.stringify({ ...environment, HELM_KUBECONTEXT: context });
  });
}
