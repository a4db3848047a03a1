import { TillerClient, type TillerClientOptions, type TillerTls } from '../backends/tiller/index.ts';
import type { Connector } from '../kubernetes/index.ts';
import type { ReleaseService } from '../releases/index.ts';
import type { Way, WayEvents } from './way.ts';

export interface TillerWayOptions {
  /** How Tillers are called; what differs between clusters is added here. */
  readonly tiller: Omit<
    TillerClientOptions,
    'connector' | 'tls' | 'connections' | 'onOpened' | 'onLost' | 'onAttemptFailed'
  >;
  readonly serviceOf: (tiller: TillerClient) => ReleaseService;
}

/** A cluster whose Tiller is called directly, over a tunnel or an address. */
export function createTillerWay(
  kind: 'tunnel' | 'direct',
  connector: Connector,
  tls: TillerTls | undefined,
  { tiller: options, serviceOf }: TillerWayOptions,
  events: WayEvents,
): Way {
  const tiller = new TillerClient({
    ...options,
    connector,
    tls,
    connections: 1,
    onOpened: () => events.connected(),
    onLost: (_target, reason) => events.lost(reason),
    onAttemptFailed: error => events.failed(error),
  });
  return {
    kind,
    description: connector.description,
    service: serviceOf(tiller),
    tiller,
    forward: undefined,
    connect: async signal => {
      await tiller.check(signal);
    },
    close: reason => tiller.close(reason),
    destroy: () => tiller.destroy(),
  };
}
