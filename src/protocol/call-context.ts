/** What a call takes from the request that it serves. */
export interface CallContext {
  /** Fires with a GatewayError when the client has gone or its deadline has passed. */
  readonly signal: AbortSignal;
  /** When the client's deadline passes, on the clock of `performance.now()`; undefined where it set none. */
  readonly deadline: number | undefined;
  /** The id of the request in logs. */
  readonly requestId?: string | undefined;
}
