import type { Code } from '../protocol/index.ts';
import type { ServerCall } from './server-call.ts';

/**
 * Answers a call and gives the status that it ends with.
 * @throws GatewayError, which becomes the call's status
 */
export type CallHandler = (call: ServerCall) => Promise<Code>;
