import type { GatewayClient } from './gateway/gateway-client.ts';
import type { Records } from './records/index.ts';
import type { TillerClient } from './tiller/index.ts';

/** Calls to Tiller; whether a connection has to be opened first is not seen from here. */
export type TillerCalls = Pick<TillerClient, 'unary' | 'stream' | 'pass' | 'writes'>;

/** Tiller itself, over gRPC, and its records in Kubernetes where the gateway may watch them. */
export interface TillerBackend {
  readonly kind: 'tiller';
  readonly tiller: TillerCalls;
  readonly records?: Records | undefined;
}

/** What answers for the releases of one cluster. */
export type Backend =
  | TillerBackend
  /** The cluster's own gateway, over HTTP through its API server. */
  | { readonly kind: 'gateway'; readonly gateway: GatewayClient };

export {
  type Forwarded,
  type ForwardedRequest,
  GatewayClient,
  type GatewayEvents,
  type GatewayOptions,
} from './gateway/gateway-client.ts';
export * from './records/index.ts';
export * from './tiller/index.ts';
