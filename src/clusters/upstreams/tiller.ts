import { readTillerTls, TillerClient, type TillerTls } from '../../backends/index.ts';
import { decodeMessage } from '../../codec/index.ts';
import {
  type Connector,
  createDirectConnector,
  createInclusterConnector,
  createKubeconfigConnector,
  parseEndpoint,
} from '../../kubernetes/index.ts';
import { invalidArgument } from '../../protocol/index.ts';
import { type ClusterEntry, kubeconfigOf, type UpstreamKind } from '../entry/cluster-entry.ts';
import type { OpenUpstream, Upstream, UpstreamEvents, UpstreamOptions } from './upstream.ts';

/** Tiller at a known address. */
export const openDirect: OpenUpstream = (entry, options, events) => {
  const { endpoint, tls } = entry;
  if (endpoint === undefined) throw invalidArgument('the upstream direct needs an endpoint');
  const endpointIsTls = parseEndpoint(endpoint).tls === true;
  const read = readTillerTls({ insecureSkipVerify: false, ...tls, endpointIsTls });
  return createTillerUpstream('direct', entry, createDirectConnector({ endpoint }), read, options, events);
};

/** Tiller of the cluster that this gateway runs in. */
export const openService: OpenUpstream = (entry, options, events) =>
  createTillerUpstream(
    'service',
    entry,
    createInclusterConnector(namespaceOf(entry)),
    tlsOf(entry),
    options,
    events,
  );

/** A port-forward to Tiller's Pod. */
export const openTunnel: OpenUpstream = (entry, options, events) => {
  const kind = entry.upstream === 'sandbox' ? 'sandbox' : 'tunnel';
  const connector = createKubeconfigConnector({
    ...kubeconfigOf(entry, options.environment),
    ...namespaceOf(entry),
  });
  return createTillerUpstream(kind, entry, connector, tlsOf(entry), options, events);
};

function namespaceOf({ tillerNamespace }: ClusterEntry): { tillerNamespace?: string } {
  return tillerNamespace === undefined ? {} : { tillerNamespace };
}

function tlsOf({ tls }: ClusterEntry): TillerTls | undefined {
  return tls && readTillerTls({ ...tls, endpointIsTls: true });
}

/**
 * A Tiller that is called by gRPC over what the connector opens. Of several connections the first that opens makes it
 * connected, and the last that is lost ends that.
 */
function createTillerUpstream(
  kind: UpstreamKind,
  { connections = 1 }: ClusterEntry,
  connector: Connector,
  tls: TillerTls | undefined,
  options: UpstreamOptions,
  events: UpstreamEvents,
): Upstream {
  let open = 0;
  const tiller = new TillerClient({
    ...options.tiller,
    connector,
    tls,
    connections,
    onOpened({ version, target }) {
      open++;
      events.connected(version, target);
    },
    onLost(_target, reason) {
      if (--open === 0) events.lost(reason);
    },
    onAttemptFailed(error) {
      if (open === 0) events.failed(error);
    },
  });
  return {
    kind,
    description: connector.description,
    backend: { kind: 'tiller', tiller },
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
