import type { GatewayClient } from './gateway/gateway-client.ts';
import type { Records } from './records/records.ts';
import type { TillerClient } from './tiller/client.ts';

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

export { GatewayClient, type GatewayOptions } from './gateway/gateway-client.ts';
export { type Storage, type StoredRevision, storageField } from './records/decode-record.ts';
export { createMatcher, maxMessageBytes, selectReleases, writeReleases } from './records/list-releases.ts';
export type { RecordChange, RecordEvents, RecordsReport } from './records/record-store.ts';
export { Records, type RecordsOptions } from './records/records.ts';
export { maxNameLength, notInNamespace, validateReleaseName } from './records/tiller-texts.ts';
export { outcomeOf } from './tiller/call.ts';
export { readTillerTls, type TillerTls, type TillerTlsFiles } from './tiller/channel.ts';
export { TillerClient, type TillerClientOptions } from './tiller/client.ts';
export type { TillerMethod } from './tiller/methods.ts';
export { saysNothingBegan, translateTillerError } from './tiller/translate-error.ts';
