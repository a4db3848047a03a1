import {
  type CallContext,
  Code,
  GatewayError,
  type HttpRequest,
  type HttpResponse,
  headerOf,
  parseGrpcTimeout,
} from '../protocol/index.ts';

/** How long a request may go on: until its client leaves, or the deadline it gave with `Grpc-Timeout` passes. */
export class ClientSignal implements CallContext {
  readonly deadline: number | undefined;
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout | undefined;
  private readonly response: HttpResponse;

  /** @throws GatewayError INVALID_ARGUMENT for a malformed `Grpc-Timeout` */
  constructor(request: HttpRequest, response: HttpResponse) {
    const timeout = headerOf(request, 'grpc-timeout');
    const timeoutMs = timeout === undefined ? undefined : parseGrpcTimeout(timeout);
    this.response = response;
    response.once('close', this.leave);
    if (timeoutMs === undefined) return;
    this.deadline = performance.now() + timeoutMs;
    this.timer = setTimeout(this.expire, timeoutMs);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The request is answered: nothing is left to be ended. */
  release(): void {
    clearTimeout(this.timer);
    this.response.off('close', this.leave);
  }

  private readonly leave = (): void => {
    this.controller.abort(new GatewayError(Code.CANCELLED, 'the client has gone'));
  };

  private readonly expire = (): void => {
    this.controller.abort(
      new GatewayError(Code.DEADLINE_EXCEEDED, 'the deadline given in Grpc-Timeout has passed'),
    );
  };
}
