import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../../protocol/index.ts';
import { type ApiAnswer, failure, type Route } from './api-call.ts';
import type { ClusterState } from './cluster-state.ts';
import { parseLabelSelector } from './label-selector.ts';
import { endpointsToObject, type KubeObject, namespacesOf, podToObject, serviceToObject } from './objects.ts';
import { toTable, wantsTable } from './table.ts';

interface Kind {
  readonly kind: string;
  readonly shortName: string;
  objects(state: ClusterState): KubeObject[];
}

const kinds: Readonly<Record<string, Kind>> = {
  namespaces: { kind: 'Namespace', shortName: 'ns', objects: namespacesOf },
  pods: { kind: 'Pod', shortName: 'po', objects: state => state.pods.map(podToObject) },
  services: { kind: 'Service', shortName: 'svc', objects: state => state.services.map(serviceToObject) },
  endpoints: {
    kind: 'Endpoints',
    shortName: 'ep',
    objects: state => state.services.map(service => endpointsToObject(state, service)),
  },
};

const version = {
  major: '1',
  minor: '18',
  gitVersion: 'v1.18.20',
  gitCommit: 'sandbox',
  gitTreeState: 'clean',
  buildDate: '2021-06-16T12:51:17Z',
  goVersion: 'go1.13.15',
  compiler: 'gc',
  platform: 'linux/amd64',
};

/** What clients ask before they know anything; needs no login, as on a real cluster. */
export function publicDocument(path: string): object | undefined {
  return path === '/version' ? version : undefined;
}

/** The documents by which kubectl learns what there is. */
export function discoveryDocument(path: string): object | undefined {
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: [] };
  if (path !== '/api/v1') return undefined;
  const main = Object.entries(kinds).map(([name, { kind, shortName }]) => ({
    name,
    singularName: kind.toLowerCase(),
    namespaced: kind !== 'Namespace',
    kind,
    verbs: ['get', 'list'],
    shortNames: [shortName],
  }));
  const subresources = [
    {
      name: 'pods/portforward',
      singularName: '',
      namespaced: true,
      kind: 'PodPortForwardOptions',
      verbs: ['get', 'create'],
    },
    {
      name: 'services/proxy',
      singularName: '',
      namespaced: true,
      kind: 'ServiceProxyOptions',
      verbs: ['get', 'create', 'update', 'delete'],
    },
  ];
  return { kind: 'APIResourceList', groupVersion: 'v1', resources: [...main, ...subresources] };
}

/** Answers `get` and `list` of the resources there are, as objects or as a table. */
export function readObjects(
  state: ClusterState,
  route: Route,
  request: IncomingMessage,
  query: URLSearchParams,
): ApiAnswer {
  const known = Object.hasOwn(kinds, route.resource) ? kinds[route.resource] : undefined;
  if (!known || route.subresource) return failure(404, 'the server could not find the requested resource');
  if (request.method !== 'GET') return failure(405, 'the sandbox can only be read');
  if (query.get('watch') === 'true' || query.get('watch') === '1')
    return failure(405, 'the sandbox has no watches');
  const inNamespace = known
    .objects(state)
    .filter(({ metadata }) => !route.namespace || metadata.namespace === route.namespace);
  if (route.name !== undefined) {
    const object = inNamespace.find(({ metadata }) => metadata.name === route.name);
    if (!object) return failure(404, `${route.resource} ${JSON.stringify(route.name)} not found`);
    return { status: 200, body: wantsTable(request.headers.accept) ? toTable(known.kind, [object]) : object };
  }
  try {
    const matches = parseLabelSelector(query.get('labelSelector') ?? '');
    const items = inNamespace.filter(({ metadata }) => matches(metadata.labels));
    if (wantsTable(request.headers.accept)) return { status: 200, body: toTable(known.kind, items) };
    const list = { kind: `${known.kind}List`, apiVersion: 'v1', metadata: { resourceVersion: '1' }, items };
    return { status: 200, body: list };
  } catch (error) {
    return failure(400, GatewayError.from(error).message);
  }
}
