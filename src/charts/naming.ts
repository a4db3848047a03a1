import { GatewayError } from '../protocol/index.ts';

/** Puts a source's name before the message of a GatewayError that does not begin with it; other errors stay as they are. */
export function naming(error: unknown, name: string): unknown {
  if (!(error instanceof GatewayError) || error.message.startsWith(name)) return error;
  return new GatewayError(error.code, `${name}: ${error.message}`, { cause: error });
}
