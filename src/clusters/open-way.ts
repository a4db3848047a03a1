import type { GatewayProxy } from '../backends/gateway/gateway-proxy.ts';
import type { ProxyOptions } from '../backends/gateway/proxy-options.ts';
import { createProxyWay } from '../backends/gateway/proxy-way.ts';
import { readTillerTls } from '../backends/tiller/index.ts';
import {
  createDirectConnector,
  createKubeconfigAccess,
  createKubeconfigConnector,
  type KubeconfigAccessOptions,
  parseEndpoint,
} from '../kubernetes/index.ts';
import { invalidArgument, unavailable } from '../protocol/index.ts';
import { findGateway, proxyPathOf } from './find-gateway.ts';
import type { ClusterEntry } from './source/cluster-entry.ts';
import { createTillerWay, type TillerWayOptions } from './tiller-way.ts';
import type { Way, WayEvents } from './way.ts';

export interface OpenWayOptions extends TillerWayOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** Loaded with the first cluster that needs it. */
  readonly proxy: () => Promise<GatewayProxy>;
  readonly proxyOptions: ProxyOptions;
}

/**
 * Opens the way that the entry names, or the one that is found.
 * @throws GatewayError UNAVAILABLE or INVALID_ARGUMENT that says what is wrong
 */
export async function openWay(
  entry: ClusterEntry,
  options: OpenWayOptions,
  events: WayEvents,
  signal: AbortSignal,
): Promise<Way> {
  if (entry.way === 'direct') return openDirect(entry, options, events);
  if (entry.way === 'tunnel') return openTunnel(entry, options, events);
  const access = createKubeconfigAccess(accessOptions(entry, options));
  const path = entry.service === undefined ? await findGateway(access, signal) : proxyPathOf(entry.service);
  if (path !== undefined)
    return createProxyWay(access, path, await options.proxy(), options.proxyOptions, events);
  if (entry.way === undefined) return openTunnel(entry, options, events);
  throw unavailable(
    'finding the gateway: no service in kube-system is labelled as kubectl cluster-info lists it',
  );
}

function openDirect({ endpoint, tls }: ClusterEntry, options: OpenWayOptions, events: WayEvents): Way {
  if (endpoint === undefined) throw invalidArgument('the way direct needs an endpoint');
  const endpointIsTls = parseEndpoint(endpoint).tls === true;
  const read = readTillerTls({ insecureSkipVerify: false, ...tls, endpointIsTls });
  return createTillerWay('direct', createDirectConnector({ endpoint }), read, options, events);
}

function openTunnel(entry: ClusterEntry, options: OpenWayOptions, events: WayEvents): Way {
  const { tillerNamespace, tls } = entry;
  const connector = createKubeconfigConnector({
    ...accessOptions(entry, options),
    ...(tillerNamespace !== undefined && { tillerNamespace }),
  });
  const read = tls && readTillerTls({ ...tls, endpointIsTls: true });
  return createTillerWay('tunnel', connector, read, options, events);
}

function accessOptions(entry: ClusterEntry, { environment }: OpenWayOptions): KubeconfigAccessOptions {
  const { kubeconfig, context } = entry;
  return { environment, ...(kubeconfig && { kubeconfig }), ...(context !== undefined && { context }) };
}
