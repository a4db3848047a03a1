import type { Way, WayEvents } from '../../clusters/way.ts';
import type { ClusterAccess } from '../../kubernetes/index.ts';
import { createForward } from './forward.ts';
import { GatewayLink } from './gateway-link.ts';
import type { GatewayProxy } from './gateway-proxy.ts';
import type { ProxyOptions } from './proxy-options.ts';
import { createRemoteService } from './remote-service.ts';

/** A cluster whose own gateway answers, through its API server's service proxy. */
export function createProxyWay(
  access: ClusterAccess,
  path: string,
  proxy: GatewayProxy,
  options: ProxyOptions,
  events: WayEvents,
): Way {
  const link = new GatewayLink(access, path, options);
  return {
    kind: 'proxy',
    description: `the gateway behind ${path}`,
    service: createRemoteService(link, options, events),
    tiller: undefined,
    forward: createForward(link, proxy, options, events),
    // there is nothing to open ahead of a request: the agent connects when one is sent
    connect: async () => {},
    close: () => link.close(),
    destroy: () => link.close(),
  };
}
