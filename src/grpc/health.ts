import { once } from 'node:events';
import { WireWriter, wireFields } from '../codec/index.ts';
import { Code, GatewayError } from '../protocol/index.ts';
import type { CallHandler } from './call.ts';

/** grpc.health.v1.HealthCheckResponse.ServingStatus. Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
const servingStatus = { serving: 1, notServing: 2, serviceUnknown: 3 } as const;

export const healthService = 'grpc.health.v1.Health';

export interface Health {
  /** Whether Tiller can be reached. */
  serving(): boolean;
  /** Runs when that changes; gives a function that ends it. */
  onChange(listener: () => void): () => void;
}

/** `grpc.health.v1.Health` for the gateway as a whole (service "") and each of its services. */
export function healthHandlers(health: Health, services: readonly string[]): [string, CallHandler][] {
  const known = new Set(['', ...services]);
  const statusOf = (name: string) =>
    known.has(name)
      ? health.serving()
        ? servingStatus.serving
        : servingStatus.notServing
      : servingStatus.serviceUnknown;

  const check: CallHandler = async call => {
    const name = serviceOf(await call.request());
    if (!known.has(name))
      throw new GatewayError(Code.NOT_FOUND, `unknown service ${JSON.stringify(name.slice(0, 100))}`);
    await call.send(reply(statusOf(name)));
    return Code.OK;
  };

  const watch: CallHandler = async call => {
    const name = serviceOf(await call.request());
    let last = statusOf(name);
    await call.send(reply(last));
    // the client may be gone by now, and an abort that is past calls no listener
    if (!call.signal.aborted) {
      const stop = health.onChange(() => {
        const status = statusOf(name);
        if (status !== last) call.send(reply(status)).catch(error => call.abort(GatewayError.from(error)));
        last = status;
      });
      await once(call.signal, 'abort').finally(stop);
    }
    throw GatewayError.from(call.signal.reason);
  };

  return [
    [`/${healthService}/Check`, check],
    [`/${healthService}/Watch`, watch],
  ];
}

function serviceOf(request: Buffer): string {
  const fields = [...wireFields(request)].filter(field => field.number === 1);
  const last = fields.at(-1);
  return last ? request.toString('utf8', last.valueStart, last.end) : '';
}

function reply(status: number): Buffer {
  return new WireWriter().intField(1, status).finish();
}
