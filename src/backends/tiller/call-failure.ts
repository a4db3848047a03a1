import { type Code, GatewayError } from '../../protocol/index.ts';

/**
 * How far a call had come when its connection failed, which decides whether it may be tried again:
 * - `unsent`: not a byte of it reached Tiller, so any call may
 * - `unanswered`: sent, but no answer began, so a call that only reads may
 * - `answered`: the answer had begun, so none may
 */
export type CallProgress = 'unsent' | 'unanswered' | 'answered';

/** A call that failed because of its connection, not because of what Tiller said. */
export class CallFailure extends GatewayError {
  readonly progress: CallProgress;

  constructor(code: Code, message: string, progress: CallProgress, options?: ErrorOptions) {
    super(code, message, options);
    this.progress = progress;
  }
}
