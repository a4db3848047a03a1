/** Other APIs over the same releases and charts. They speak to the release service and to `Charts`, never to Tiller. */
import { type Route, sendContent } from '../http/index.ts';
import { type HelmWrapperOptions, type RouteTable, toRoutes } from './helm-wrapper/call.ts';
import { changeRoutes } from './helm-wrapper/change-routes.ts';
import { chartRoutes } from './helm-wrapper/chart-routes.ts';
import { readRoutes } from './helm-wrapper/read-routes.ts';

/** The paths of this API, also below a cluster. */
export const helmWrapperPaths = /^(?:\/clusters\/[^/]+)?\/api\//;

/** What helm-wrapper says at its root, for probes and people that ask it. */
export const helmWrapperHome: Route = {
  template: '/',
  verbs: ['GET'],
  summary: 'That this is helm-wrapper.',
  operation: {
    operationId: 'HelmWrapperHome',
    tags: ['helm-wrapper'],
    summary: 'That this is helm-wrapper.',
    responses: {
      200: { description: 'The answer.', content: { 'text/plain': { schema: { type: 'string' } } } },
    },
  },
  answer: exchange =>
    sendContent(exchange, {
      status: 200,
      type: 'text/plain; charset=utf-8',
      body: Buffer.from('Welcome helm wrapper server'),
    }),
};

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

/** A request that names a cluster sees that name as its context. */
const environmentRoute: RouteTable = {
  'GET /api/envs': {
    summary: "Shows Helm's environment.",
    data: environment,
    answer: async ({ exchange }) =>
      JSON.stringify({ ...environment, HELM_KUBECONTEXT: exchange.target.selection.name ?? '' }),
  },
};

/**
 * The API of helm-wrapper (https://github.com/opskumu/helm-wrapper), so that its dashboards can be pointed here. Contract:
 * docs/helm-wrapper.md.
 */
export function createHelmWrapperRoutes(options: HelmWrapperOptions): Route[] {
  return toRoutes({ ...readRoutes, ...changeRoutes, ...chartRoutes, ...environmentRoute }, options);
}
