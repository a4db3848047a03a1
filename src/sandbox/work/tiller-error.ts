import { HelmRenderError } from '@tiller-gateway/helm-render/yaml';
import { Code, GatewayError } from '../../protocol/index.ts';

/** A failure as Tiller reports every one of its own: status 2 with a text. */
export function tillerError(text: string, options?: ErrorOptions): GatewayError {
  return new GatewayError(Code.UNKNOWN, text, options);
}

/** Where a real Tiller's process ends, with all calls of all its clients, the sandbox answers this instead. */
export class TillerCrash extends GatewayError {
  constructor(cause: string) {
    super(Code.INTERNAL, `${cause}: a real Tiller crashes on this`);
  }
}

/**
 * What a method of Tiller's answers when something below it failed. Tiller knows one status for all that its callers can
 * cause; the sandbox's own limits keep their codes, since no text of Tiller's says the same.
 */
export function toTillerError(error: unknown): GatewayError {
  if (error instanceof HelmRenderError) return tillerError(error.message, { cause: error });
  if (!(error instanceof GatewayError)) return GatewayError.from(error);
  return ownCodes.has(error.code) ? error : tillerError(error.message, { cause: error });
}

const ownCodes: ReadonlySet<Code> = new Set([
  Code.UNKNOWN,
  Code.UNIMPLEMENTED,
  Code.RESOURCE_EXHAUSTED,
  Code.INTERNAL,
]);

/** The failure with a text in front, where it is one of Tiller's; the sandbox's own limits stay as they are. */
export function prefixed(prefix: string, error: unknown): GatewayError {
  const failure = toTillerError(error);
  return failure.code === Code.UNKNOWN
    ? tillerError(`${prefix}${failure.message}`, { cause: error })
    : failure;
}

/**
 * Waits for a step; its failure gets a text in front.
 * @throws GatewayError
 */
export async function withPrefixAsync<T>(prefix: string, step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    throw prefixed(prefix, error);
  }
}

/**
 * Runs a step; its failure gets a text in front.
 * @throws GatewayError
 */
export function withPrefix<T>(prefix: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw prefixed(prefix, error);
  }
}
