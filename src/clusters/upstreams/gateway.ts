import { GatewayClient } from '../../backends/index.ts';
import { decodeMessage, service } from '../../codec/index.ts';
import {
  type ClusterAccess,
  createKubeconfigAccess,
  listServices,
  type Service,
} from '../../kubernetes/index.ts';
import type { ClusterEntry, Upstream, UpstreamEvents, UpstreamOptions } from './upstream.ts';

const getVersion = service('appscode.swift.v2.ReleaseService').methods.find(
  ({ name }) => name === 'GetVersion',
)!;

/** The labels and the namespace that `kubectl cluster-info` searches. */
const labels = 'kubernetes.io/cluster-service=true';
const namespace = 'kube-system';

/** The cluster's own gateway, behind the service proxy of its API server. @returns undefined where there is none */
export async function openGateway(
  { kubeconfig, context, service }: ClusterEntry,
  options: UpstreamOptions,
  events: UpstreamEvents,
  signal: AbortSignal,
): Promise<Upstream | undefined> {
  const access = createKubeconfigAccess({ kubeconfig, context, environment: options.environment });
  const path = service === undefined ? await findGateway(access, signal) : proxyPathOf(service);
  if (path === undefined) return undefined;
  const gateway = new GatewayClient(access, path, options.gateway, events);
  return {
    kind: 'gateway',
    description: `the gateway behind ${path}`,
    backend: { kind: 'gateway', gateway },
    // nothing to open ahead of a request: each one connects if it must
    connect: async () => {},
    async version(signal) {
      const reply = await gateway.unary(getVersion, Buffer.alloc(0), { signal, deadline: undefined });
      return decodeMessage('appscode.swift.v2.GetVersionResponse', Buffer.from(reply)).Version?.sem_ver ?? '';
    },
    close: () => gateway.close(),
    destroy: () => gateway.close(),
  };
}

/**
 * Looks for a cluster's gateway as `kubectl cluster-info` would. Of the services that it lists, a gateway is the one
 * named as swift was, by its own name or the label that is shown, or labelled as in this project's manifests.
 * @returns the path of its service proxy; undefined where there is none
 * @throws GatewayError UNAVAILABLE where the API server does not say
 */
export async function findGateway(access: ClusterAccess, signal: AbortSignal): Promise<string | undefined> {
  const services = await listServices(access, { namespace, labels, signal, step: 'finding the gateway' });
  const service = services.find(isGateway);
  return service && proxyPath(namespace, nameWithPort(service));
}

/** The path of `NAMESPACE/[SCHEME:]NAME[:PORT]`, as it stands in the clusters file. */
export function proxyPathOf(service: string): string {
  const [place = '', name = ''] = service.split('/');
  // with a scheme the path has three parts, so an absent port leaves its colon
  return proxyPath(place, /^https?:[^:]*$/.test(name) ? `${name}:` : name);
}

function proxyPath(place: string, name: string): string {
  return `/api/v1/namespaces/${place}/services/${name}/proxy`;
}

function isGateway({ metadata: { name, labels = {} } }: Service): boolean {
  return (
    name === 'swift' ||
    labels['kubernetes.io/name']?.toLowerCase() === 'swift' ||
    labels.app === 'tiller-gateway'
  );
}

/** As `kubectl cluster-info` links it: the first port, and `https:` where it is named so or is 443. */
function nameWithPort({ metadata: { name }, spec }: Service): string {
  const [port] = spec?.ports ?? [];
  if (!port) return name;
  const isSecure = port.name === 'https' || port.port === 443;
  if (isSecure) return `https:${name}:${port.name ?? ''}`;
  return port.name ? `${name}:${port.name}` : name;
}
