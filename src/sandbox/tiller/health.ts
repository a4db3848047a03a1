import { WireWriter, wireFields } from '../../codec/index.ts';
import { Code, GatewayError } from '../../protocol/index.ts';

/** Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export const healthService = 'grpc.health.v1.Health';

/** The names under which Tiller answers. */
const knownServices = new Set(['', 'Tiller']);

const serving = new WireWriter().intField(1, 1).finish();

/**
 * `Check`: `HealthCheckResponse` in wire format; a sandbox that answers is serving.
 * @throws GatewayError NOT_FOUND for a service it does not know
 */
export function checkHealth(request: Buffer): Buffer {
  let name = '';
  for (const field of wireFields(request)) {
    if (field.number === 1) name = request.toString('utf8', field.valueStart, field.end);
  }
  if (!knownServices.has(name)) throw new GatewayError(Code.NOT_FOUND, 'unknown service');
  return serving;
}
