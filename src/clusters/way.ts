import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TillerClient } from '../backends/tiller/index.ts';
import type { GatewayError } from '../protocol/index.ts';
import type { ReleaseService } from '../releases/index.ts';
import type { Answered, Exchange } from '../rest/index.ts';
import type { WayKind } from './source/cluster-entry.ts';

/** What a way tells of its connection. */
export interface WayEvents {
  connected(): void;
  /** An attempt failed; the message says which step. */
  failed(error: GatewayError): void;
  lost(reason: string): void;
}

/** A cluster as it is reached, from its opening to its closing. */
export interface Way {
  readonly kind: WayKind;
  /** Where it leads, for people. */
  readonly description: string;
  readonly service: ReleaseService;
  /** Where Tiller itself can be spoken to. */
  readonly tiller: TillerClient | undefined;
  /** Where the cluster's own gateway answers HTTP requests. */
  readonly forward: Forward | undefined;
  /** Opens the connection if there is none. @throws GatewayError naming the step that failed */
  connect(signal: AbortSignal): Promise<void>;
  /** Lets calls under way finish; `reason` is what those who wait for a connection are told. */
  close(reason: string): void;
  /** Fails calls under way. */
  destroy(): void;
}

/** Passes HTTP on to a cluster's own gateway. */
export interface Forward {
  /** @param target path and query at that gateway */
  request(exchange: Exchange, target: string, context: ForwardContext): Promise<Answered>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, target: string): Promise<void>;
}

export interface ForwardContext {
  readonly signal: AbortSignal;
  readonly deadline: number | undefined;
}
