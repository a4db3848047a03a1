import type { TillerClient } from '../backends/tiller/index.ts';
import { Code, GatewayError } from '../protocol/index.ts';
import type { ReleaseService } from '../releases/index.ts';
import type { CallHandler } from './handler.ts';
import type { MessageTap } from './message-tap.ts';
import { handlerOf } from './native.ts';
import { passThroughHandler } from './pass-through.ts';

/** Who answers a call in place of the gateway's own Tiller. */
export interface Served {
  readonly service: ReleaseService;
  /** Undefined where Tiller itself cannot be spoken to, only a gateway in front of it. */
  readonly tiller: TillerClient | undefined;
}

/** A cluster that a call's metadata names. */
export interface Elsewhere {
  readonly cluster: string;
  /** Holds the cluster open while `work` runs. @throws GatewayError where it cannot be reached */
  use<T>(signal: AbortSignal, work: (served: Served) => Promise<T>): Promise<T>;
}

/** Answers a call of either release service from another cluster. */
export function elsewhereHandler(elsewhere: Elsewhere, tap?: MessageTap): CallHandler {
  return call =>
    elsewhere.use(call.signal, ({ service, tiller }) => {
      const method = service.methods.find(
        ({ contract }) => call.path === `/${service.name}/${contract.name}`,
      );
      if (method) return handlerOf(method)(call);
      if (tiller) return passThroughHandler(tiller, tap)(call);
      throw new GatewayError(
        Code.UNIMPLEMENTED,
        `cluster ${elsewhere.cluster} is reached through its gateway's HTTP API, which ${call.path} cannot pass: call ${service.name}`,
      );
    });
}
