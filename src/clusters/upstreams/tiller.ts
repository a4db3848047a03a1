import { readTillerTls, TillerClient, type TillerTls } from '../../backends/index.ts';
import { decodeMessage } from '../../codec/index.ts';
import type { Connector } from '../../kubernetes/index.ts';
import type {
  ClusterEntry,
  TillerPlace,
  Upstream,
  UpstreamEvents,
  UpstreamKind,
  UpstreamOptions,
} from './upstream.ts';

/** TLS to Tiller, where the entry asks for it. @throws GatewayError INVALID_ARGUMENT for files that cannot be read */
export function tlsOf({ tls }: ClusterEntry): TillerTls | undefined {
  return tls && readTillerTls({ ...tls, endpointIsTls: true });
}

export interface TillerConnection {
  readonly connector: Connector;
  readonly tls: TillerTls | undefined;
  readonly kubernetes?: TillerPlace;
}

/**
 * A Tiller that is called by gRPC over what the connector opens. Of several connections the first that opens makes it
 * connected, and the last that is lost ends that.
 */
export function createTillerUpstream(
  kind: UpstreamKind,
  { connections = 1 }: ClusterEntry,
  { connector, tls, kubernetes }: TillerConnection,
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
