import { Code, GatewayError } from '../../protocol/index.ts';

/** A failure as Tiller reports every one of its own: status 2 with a text. */
export function tillerError(text: string, options?: ErrorOptions): GatewayError {
  return new GatewayError(Code.UNKNOWN, text, options);
}

/**
 * What a method of Tiller's answers when something below it failed. Tiller knows one status for all that its callers can
 * cause; the sandbox's own limits keep their codes, since no text of Tiller's says the same.
 */
export function toTillerError(error: unknown): GatewayError {
  if (!(error instanceof GatewayError)) return GatewayError.from(error);
  return ownCodes.has(error.code) ? error : tillerError(error.message, { cause: error });
}

const ownCodes: ReadonlySet<Code> = new Set([
  Code.UNKNOWN,
  Code.UNIMPLEMENTED,
  Code.RESOURCE_EXHAUSTED,
  Code.INTERNAL,
]);

/**
 * Runs a step; what Tiller would report of it gets a text in front.
 * @throws GatewayError
 */
export function withPrefix<T>(prefix: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    const failure = toTillerError(error);
    if (failure.code !== Code.UNKNOWN) throw failure;
    throw tillerError(`${prefix}${failure.message}`, { cause: error });
  }
}
