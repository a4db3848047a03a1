import { kubernetesVersion } from '@tiller-gateway/helm-render/versions';
import { joinApiVersion, type Resource, type Resources, storageVersionHash } from '../objects/resources.ts';
import { reviewsOf } from './reviews.ts';

/** As charts see it, but for the compiler that the recorded server was built by. */
const version = { ...kubernetesVersion, goVersion: 'go1.19.8' };

/** What clients ask before they know anything; needs no login, as on a real cluster. */
export function publicDocument(path: string): object | undefined {
  return path === '/version' || path === '/version/' ? version : undefined;
}

/** The documents by which kubectl learns what there is; undefined for other paths. */
export function discoveryDocument(resources: Resources, path: string, address: string): object | undefined {
  if (path === '/api') {
    const addresses = [{ clientCIDR: '0.0.0.0/0', serverAddress: address }];
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: addresses };
  }
  if (path === '/apis') {
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: resources.groups.map(groupDocument) };
  }
  if (path === '/openapi/v3') return openApiIndex(resources);
  const [, openApi, root, group = '', ofGroup = ''] =
    /^(\/openapi\/v3)?\/(api|apis)(?:\/([^/]+))?(?:\/([^/]+))?\/?$/.exec(path) ?? [];
  if (root === undefined || (root === 'api' && ofGroup !== '')) return undefined;
  if (root === 'apis' && ofGroup === '' && openApi === undefined) {
    const known = resources.groups.find(each => each.name === group);
    return known && { kind: 'APIGroup', apiVersion: 'v1', ...groupDocument(known) };
  }
  const [name, served] = root === 'api' ? ['', group] : [group, ofGroup];
  if (!resources.isServed(name, served)) return undefined;
  return openApi === undefined
    ? resourceList(resources, name, served)
    : openApiDocument(resources, name, served);
}

function groupDocument({ name, versions }: { name: string; versions: readonly string[] }) {
  const all = versions.map(each => ({ groupVersion: `${name}/${each}`, version: each }));
  return { name, versions: all, preferredVersion: all[0] };
}

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** These cannot be deleted all at once. */
const oneByOne: ReadonlySet<string> = new Set(['namespaces', 'services']);

const scale = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
const statusVerbs = ['get', 'patch', 'update'];
const proxyVerbs = ['create', 'delete', 'get', 'patch', 'update'];

/** Subresources of the core API beside `status` and `scale`; most are only listed. */
const coreSubresources: readonly [name: string, kind: string, verbs: readonly string[], more?: object][] = [
  ['namespaces/finalize', 'Namespace', ['update']],
  ['nodes/proxy', 'NodeProxyOptions', proxyVerbs],
  ['pods/attach', 'PodAttachOptions', ['create', 'get']],
  ['pods/binding', 'Binding', ['create']],
  ['pods/eviction', 'Eviction', ['create'], { group: 'policy', version: 'v1beta1' }],
  ['pods/exec', 'PodExecOptions', ['create', 'get']],
  ['pods/log', 'Pod', ['get']],
  ['pods/portforward', 'PodPortForwardOptions', ['create', 'get']],
  ['pods/proxy', 'PodProxyOptions', proxyVerbs],
  ['services/proxy', 'ServiceProxyOptions', proxyVerbs],
];

function resourceList(resources: Resources, group: string, served: string): object {
  const entries = resources.servedIn(group, served).flatMap(({ resource }) => describe(resource));
  const reviews = reviewsOf(group).map(review => ({ ...review, singularName: '', verbs: ['create'] }));
  const core = group === '' ? coreEntries() : [];
  const all = [...entries, ...reviews, ...core].sort((a, b) => (a.name < b.name ? -1 : 1));
  const groupVersion = joinApiVersion(group, served);
  // the core group's document is older than this field
  const apiVersion = group === '' ? {} : { apiVersion: 'v1' };
  return { kind: 'APIResourceList', ...apiVersion, groupVersion, resources: all };
}

function coreEntries() {
  const named = (name: string, kind: string, namespaced: boolean, verbs: readonly string[], more = {}) => ({
    name,
    singularName: '',
    namespaced,
    ...more,
    kind,
    verbs,
  });
  return [
    named('bindings', 'Binding', true, ['create']),
    named('componentstatuses', 'ComponentStatus', false, ['get', 'list'], { shortNames: ['cs'] }),
    ...coreSubresources.map(([name, kind, verbs, more]) =>
      named(name, kind, !/^(namespaces|nodes)\//.test(name), verbs, more),
    ),
  ];
}

function describe(resource: Resource) {
  const { plural, kind, namespaced, shortNames, isInAll, isCustom } = resource;
  const verbs = oneByOne.has(plural) ? allVerbs.filter(verb => verb !== 'deletecollection') : allVerbs;
  const main = {
    name: plural,
    singularName: isCustom ? kind.toLowerCase() : '',
    namespaced,
    kind,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(isInAll ? { categories: ['all'] } : {}),
    storageVersionHash: storageVersionHash(resource),
  };
  const sub = (name: string, more: object) => ({
    name: `${plural}/${name}`,
    singularName: '',
    namespaced,
    kind,
    verbs: statusVerbs,
    ...more,
  });
  return [
    main,
    ...(resource.hasScale ? [sub('scale', scale)] : []),
    ...(resource.hasStatus ? [sub('status', {})] : []),
  ];
}

function openApiIndex(resources: Resources): object {
  const versions = [
    'api/v1',
    ...resources.groups.flatMap(({ name, versions: all }) => all.map(each => `apis/${name}/${each}`)),
  ];
  const paths = versions.map(each => [each, { serverRelativeURL: `/openapi/v3/${each}` }]);
  return { paths: Object.fromEntries(paths) };
}

/**
 * Says no more than that fields are validated by the server, so that kubectl does not ask for their schemas.
 * Source: https://github.com/kubernetes/cli-runtime/blob/v0.32.0/pkg/resource/query_param_verifier_v3.go
 */
function openApiDocument(resources: Resources, group: string, served: string): object {
  const parameters = [{ name: 'fieldValidation', in: 'query', schema: { type: 'string' } }];
  const root = group === '' ? '/api/v1' : `/apis/${group}/${served}`;
  const paths = resources.servedIn(group, served).map(({ plural, kind, resource }) => {
    const place = resource.namespaced ? 'namespaces/{namespace}/' : '';
    const patch = {
      parameters,
      responses: {},
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group, version: served, kind },
    };
    return [`${root}/${place}${plural}/{name}`, { patch }];
  });
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: version.gitVersion },
    paths: Object.fromEntries(paths),
  };
}
