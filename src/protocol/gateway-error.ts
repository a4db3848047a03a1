import { Code, codeToReason, type Reason } from './code.ts';

export interface GatewayErrorOptions extends ErrorOptions {
  /** Default: what the code says (`codeToReason`). */
  readonly reason?: Reason | undefined;
  /** The step on the path to Tiller that failed, such as `finding Tiller`. The message begins with it. */
  readonly step?: string | undefined;
}

/**
 * The one error of this program. `message` is for the caller and never holds a secret; `cause` is for the log.
 * Anything else that is thrown is a fault of the program itself and reaches the caller as INTERNAL without details.
 */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: Code;
  /** For clients to branch on. */
  readonly reason: Reason;
  readonly step: string | undefined;

  constructor(code: Code, message: string, { reason, step, cause }: GatewayErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.reason = reason ?? codeToReason(code);
    this.step = step;
  }

  /** What a caller may see of anything that was thrown: itself if it is a GatewayError, INTERNAL otherwise. */
  static from(error: unknown): GatewayError {
    if (error instanceof GatewayError) return error;
    return new GatewayError(Code.INTERNAL, 'internal error', { cause: error });
  }
}

/** The caller sent something that cannot be right: INVALID_ARGUMENT, HTTP 400. */
export function invalidArgument(message: string, options?: GatewayErrorOptions): GatewayError {
  return new GatewayError(Code.INVALID_ARGUMENT, message, options);
}

/** A bound was passed: RESOURCE_EXHAUSTED, HTTP 429 unless the reason has a status of its own. */
export function limitExceeded(message: string, options?: GatewayErrorOptions): GatewayError {
  return new GatewayError(Code.RESOURCE_EXHAUSTED, message, options);
}

/** Whether a request was refused before its body was read to its end: for its size, or as too much is being done. */
export function refusesBody({ reason }: GatewayError): boolean {
  return reason === 'BODY_TOO_LARGE' || reason === 'OVERLOADED';
}

/** Something this program depends on cannot be reached: UNAVAILABLE, HTTP 503. */
export function unavailable(message: string, options?: GatewayErrorOptions): GatewayError {
  return new GatewayError(Code.UNAVAILABLE, message, options);
}

/**
 * Why a write failed whose connection was lost after it was sent: UNAVAILABLE, HTTP 503, reason UPSTREAM_LOST.
 * @param what was lost, such as `the connection to Tiller was lost before Tiller answered`
 */
export function writeLost(what: string, options?: ErrorOptions): GatewayError {
  const look = 'ask for its status or history, or for the list of releases, before you send this again';
  return unavailable(`${what}: the release may have been changed all the same; ${look}`, {
    ...options,
    reason: 'UPSTREAM_LOST',
  });
}

/**
 * What becomes of an error after a write was carried out: its answer that finds no room is lost, where a client that is
 * told to try again would write twice. Other errors stay.
 */
export function afterWrite(error: unknown): GatewayError {
  const failure = GatewayError.from(error);
  return failure.reason === 'OVERLOADED'
    ? writeLost('too much is being done to send the answer', { cause: error })
    : failure;
}

/**
 * A step on the path to Tiller failed: UNAVAILABLE, with the message `STEP: what`.
 * @param step such as `finding Tiller`, `opening the tunnel to pod kube-system/tiller-1`
 */
export function stepFailed(step: string, what: string, options?: ErrorOptions): GatewayError {
  return unavailable(`${step}: ${what}`, { ...options, step });
}

/** What system error codes mean, in the words of this program's messages. */
const meanings: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed by the other side',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOTFOUND: 'the name cannot be resolved',
  EAI_AGAIN: 'the name cannot be resolved at the moment',
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed and not in the given CA',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate is signed by an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the certificate is signed by an unknown authority',
  CERT_SIGNATURE_FAILURE: 'the certificate is signed by an unknown authority',
  CERT_HAS_EXPIRED: 'the certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another name',
};

/** Why a connection failed, short and without anything that could be secret. */
export function reasonOf(error: unknown): string {
  // with several addresses tried, Node throws one AggregateError whose own code is that of the first failure
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (typeof code !== 'string') return error instanceof Error ? error.message : 'unknown reason';
  return meanings[code] ?? code;
}
