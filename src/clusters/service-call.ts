import type { CallContext } from '../protocol/index.ts';
import type { ReleaseService } from '../releases/index.ts';

/** Calls a method that has one reply. */
export function callUnary(
  service: ReleaseService,
  name: string,
  request: Uint8Array,
  context: CallContext,
): Promise<Uint8Array> {
  const method = service.methods.find(({ contract }) => contract.name === name);
  if (method?.kind !== 'unary') throw new Error(`${service.name} has no method ${name} with one reply`);
  return method.call(request, context);
}
