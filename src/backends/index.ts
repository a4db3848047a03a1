import type { GatewayClient } from './gateway/gateway-client.ts';
import type { TillerClient } from './tiller/index.ts';

/** What answers for the releases of one cluster. */
export type Backend =
  /** Tiller itself, over gRPC. */
  | { readonly kind: 'tiller'; readonly tiller: TillerClient }
  /** The cluster's own gateway, over HTTP through its API server. */
  | { readonly kind: 'gateway'; readonly gateway: GatewayClient };

export type { Forwarded } from './gateway/forward.ts';
export { GatewayClient } from './gateway/gateway-client.ts';
export type { GatewayEvents, ProxyOptions as GatewayOptions } from './gateway/proxy-options.ts';
export * from './tiller/index.ts';
