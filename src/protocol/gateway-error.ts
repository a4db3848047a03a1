import { Code } from './code.ts';

/**
 * The one error of this program. `message` is for the caller and never holds a secret; `cause` is for the log.
 * Anything else that is thrown is a fault of the program itself and reaches the caller as INTERNAL without details.
 */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** What a caller may see of anything that was thrown: itself if it is a GatewayError, INTERNAL otherwise. */
  static from(error: unknown): GatewayError {
    if (error instanceof GatewayError) return error;
    return new GatewayError(Code.INTERNAL, 'internal error', { cause: error });
  }
}

/** The caller sent something that cannot be right: INVALID_ARGUMENT, HTTP 400. */
export function invalidArgument(message: string, options?: ErrorOptions): GatewayError {
  return new GatewayError(Code.INVALID_ARGUMENT, message, options);
}

/** Something this program depends on cannot be reached: UNAVAILABLE, HTTP 503. */
export function unavailable(message: string, options?: ErrorOptions): GatewayError {
  return new GatewayError(Code.UNAVAILABLE, message, options);
}
