import { readTillerTls, TillerClient, type TillerTls } from '../../backends/index.ts';
import { decodeMessage } from '../../codec/index.ts';
import {
  type Connector,
  createKubeconfigAccess,
  createServiceAccountAccess,
  parseEndpoint,
  serviceAccountFolder,
} from '../../kubernetes/index.ts';
import { invalidArgument, unavailable } from '../../protocol/index.ts';
import { createDirectConnector, createInclusterConnector, createKubeconfigConnector } from './connectors.ts';
import { openGateway } from './gateway.ts';
import type {
  ClusterEntry,
  TillerPlace,
  Upstream,
  UpstreamEvents,
  UpstreamKind,
  UpstreamOptions,
} from './upstream.ts';

/**
 * Opens the upstream that the entry names; without one, the cluster's gateway where it has one, else a tunnel.
 * @throws GatewayError UNAVAILABLE or INVALID_ARGUMENT that says what is wrong
 */
export async function openUpstream(
  entry: ClusterEntry,
  options: UpstreamOptions,
  events: UpstreamEvents,
  signal: AbortSignal,
): Promise<Upstream> {
  const { upstream } = entry;
  if (upstream !== undefined && upstream !== 'gateway') return openTiller(upstream, entry, options, events);
  const gateway = await openGateway(entry, options, events, signal);
  if (gateway) return gateway;
  if (upstream === undefined) return openTiller('tunnel', entry, options, events);
  throw unavailable(
    'finding the gateway: no service in kube-system is labelled as kubectl cluster-info lists it',
    { step: 'finding the gateway' },
  );
}

interface TillerConnection {
  readonly connector: Connector;
  readonly tls: TillerTls | undefined;
  readonly kubernetes?: TillerPlace;
}

type Connect = (entry: ClusterEntry, environment: NodeJS.ProcessEnv) => TillerConnection;

/** A port-forward to Tiller's Pod. */
const tunnel: Connect = (entry, environment) => {
  const { kubeconfig, context, tillerNamespace } = entry;
  const access = createKubeconfigAccess({ kubeconfig, context, environment });
  return {
    connector: createKubeconfigConnector({ kubeconfig, context, environment, tillerNamespace }),
    tls: tlsOf(entry),
    kubernetes: { access, namespaces: async () => [tillerNamespace] },
  };
};

const connections: Readonly<Record<Exclude<UpstreamKind, 'gateway'>, Connect>> = {
  /** Tiller at a known address. */
  direct({ endpoint, tls }) {
    if (endpoint === undefined) throw invalidArgument('the upstream direct needs an endpoint');
    const endpointIsTls = parseEndpoint(endpoint).tls === true;
    return {
      connector: createDirectConnector(endpoint),
      tls: readTillerTls({ ...tls, endpointIsTls }),
    };
  },
  /** Tiller of the cluster that this gateway runs in. */
  service(entry, environment) {
    const { tillerNamespace } = entry;
    const access = createServiceAccountAccess(serviceAccountFolder, environment);
    const namespaces = async () =>
      tillerNamespace === undefined ? [await access.namespace(), undefined] : [tillerNamespace];
    return {
      connector: createInclusterConnector({ tillerNamespace }),
      tls: tlsOf(entry),
      kubernetes: { access, namespaces },
    };
  },
  tunnel,
  sandbox: tunnel,
};

/** TLS to Tiller, where the entry asks for it. @throws GatewayError INVALID_ARGUMENT for files that cannot be read */
function tlsOf({ tls }: ClusterEntry): TillerTls | undefined {
  return tls && readTillerTls({ ...tls, endpointIsTls: true });
}

/**
 * A Tiller that is called by gRPC over what the connector opens. Of several connections the first that opens makes it
 * connected, and the last that is lost ends that.
 */
function openTiller(
  kind: keyof typeof connections,
  entry: ClusterEntry,
  options: UpstreamOptions,
  events: UpstreamEvents,
): Upstream {
  const { connector, tls, kubernetes } = connections[kind](entry, options.environment);
  let open = 0;
  const tiller = new TillerClient({
    ...options.tiller,
    connector,
    tls,
    connections: entry.connections ?? 1,
    onOpened({ version, target }) {
      open++;
      events.connected(version, target);
    },
    onLost(_target, reason) {
      if (--open === 0) events.lost(reason);
    },
    onWritten: (...write) => events.written(...write),
    onAttemptFailed(error) {
      if (open === 0) events.failed(error);
    },
  });
  return {
    kind,
    description: connector.description,
    backend: { kind: 'tiller', tiller },
    ...(kubernetes && { kubernetes }),
    async connect(signal) {
      await tiller.check(signal);
    },
    async version(signal) {
      const reply = await tiller.unary('GetVersion', Buffer.alloc(0), { signal, deadline: undefined });
      return decodeMessage('hapi.services.tiller.GetVersionResponse', reply).Version?.sem_ver ?? '';
    },
    close: reason => tiller.close(reason),
    destroy: () => tiller.destroy(),
  };
}
