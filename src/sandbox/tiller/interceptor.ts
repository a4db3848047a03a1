/** A call to the sandbox Tiller, as tests may watch it. */
export interface SandboxCall {
  /** `InstallRelease` */
  readonly method: string;
  /** The `x-helm-api-client` that came with it; empty when none did. */
  readonly client: string;
  /** The request message. */
  readonly request: Buffer;
  /** Aborted when the client cancels, its deadline passes, or its connection ends. The call itself goes on regardless. */
  readonly signal: AbortSignal;
}

/**
 * Is asked before a call is answered, with the version checked. It may wait, so that the call is delayed or, until
 * `signal`, hangs; what it throws (GatewayError) is the answer instead. For tests of faults; the default run has none.
 */
export type Interceptor = (call: SandboxCall) => void | Promise<void>;
