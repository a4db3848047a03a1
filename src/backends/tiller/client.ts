import { type CallContext, Code, GatewayError } from '../../protocol/index.ts';
import { Call } from './call.ts';
import { CallFailure } from './call-failure.ts';
import { callHeaders, tillerPath } from './call-headers.ts';
import type { Connection } from './connection.ts';
import { KeptConnection, type KeptConnectionOptions } from './kept-connection.ts';
import { translateTillerCode } from './translate-error.ts';

/** Methods that change nothing may be called again when nobody answered. */
const reads = ['GetHistory', 'GetReleaseContent', 'GetReleaseStatus', 'GetVersion', 'ListReleases'] as const;

export type TillerMethod =
  | (typeof reads)[number]
  | 'InstallRelease'
  | 'RollbackRelease'
  | 'RunReleaseTest'
  | 'UninstallRelease'
  | 'UpdateRelease';

export interface TillerClientOptions extends KeptConnectionOptions {
  /** Bound on a call; its client may set a nearer deadline. */
  readonly timeoutMs: number;
  /** How many connections share the calls. */
  readonly connections: number;
  /** True gives Tiller's own status codes (always UNKNOWN) instead of what its texts mean. */
  readonly rawErrors: boolean;
  /** Runs after every call, also failed ones. */
  readonly onCall?: (method: string, code: Code, durationMs: number) => void;
}

/** Calls to one Tiller. Requests and replies are messages of `hapi.services.tiller` in wire format. */
export class TillerClient {
  private readonly options: TillerClientOptions;
  private readonly connections: readonly KeptConnection[];
  private next = 0;

  constructor(options: TillerClientOptions) {
    this.options = options;
    this.connections = Array.from({ length: options.connections }, () => new KeptConnection(options));
  }

  /**
   * A call with one reply.
   * @param minTimeoutMs what the call may take, over the bound of the options if need be: a write waits in Tiller
   * @throws GatewayError with the code that Tiller's text means, or with what failed on the way
   */
  async unary(
    method: TillerMethod,
    request: Uint8Array,
    context: CallContext,
    minTimeoutMs = 0,
  ): Promise<Buffer> {
    const started = performance.now();
    let code: Code = Code.OK;
    try {
      return await this.attempts(method, context, minTimeoutMs, (connection, timeoutMs) =>
        this.start(connection, method, request, context, timeoutMs).unary(),
      );
    } catch (error) {
      const failure = this.translate(error);
      code = failure.code;
      throw failure;
    } finally {
      this.options.onCall?.(method, code, performance.now() - started);
    }
  }

  /** A call with a stream of replies, read no faster than they are taken; leaving the loop cancels the call. */
  async *stream(
    method: TillerMethod,
    request: Uint8Array,
    context: CallContext,
    minTimeoutMs = 0,
  ): AsyncGenerator<Buffer, void, undefined> {
    const started = performance.now();
    let code: Code = Code.CANCELLED; // what it is when the loop is left early
    try {
      const opened = await this.attempts(method, context, minTimeoutMs, async (connection, timeoutMs) => {
        const messages = this.start(connection, method, request, context, timeoutMs).messages();
        return { messages, first: await messages.next() };
      });
      try {
        if (!opened.first.done) yield opened.first.value;
        yield* opened.messages;
      } finally {
        await opened.messages.return();
      }
      code = Code.OK;
    } catch (error) {
      const failure = this.translate(error);
      code = failure.code;
      throw failure;
    } finally {
      this.options.onCall?.(method, code, performance.now() - started);
    }
  }

  /** An open connection, for calls that are passed through as they come; they are told of by `countPassed`. */
  connection(signal: AbortSignal | undefined): Promise<Connection> {
    return this.pick().get(signal);
  }

  /** Counts a call that was passed through. */
  countPassed(method: string, code: Code, durationMs: number): void {
    this.options.onCall?.(method, code, durationMs);
  }

  /**
   * Whether Tiller can be reached: opens a connection if there is none.
   * @returns Tiller's version
   * @throws GatewayError naming the step that failed
   */
  async check(signal: AbortSignal): Promise<string> {
    return (await this.connection(signal)).version;
  }

  /** Lets calls under way finish; `reason` is what those who wait for a connection are told. */
  close(reason?: string): void {
    for (const connection of this.connections) connection.close(reason);
  }

  /** Fails calls under way. */
  destroy(): void {
    for (const connection of this.connections) connection.destroy();
  }

  /** Runs a call, a second time where the rules allow it: only connections are at fault, never Tiller's answers. */
  private async attempts<T>(
    method: TillerMethod,
    context: CallContext,
    minTimeoutMs: number,
    run: (connection: Connection, timeoutMs: number) => Promise<T>,
  ): Promise<T> {
    const ownDeadline = performance.now() + Math.max(this.options.timeoutMs, minTimeoutMs);
    const deadline = Math.min(context.deadline ?? ownDeadline, ownDeadline);
    // the second attempt waits for the same place to be filled anew: what broke one connection has mostly broken the
    // others as well, and they may not know it yet
    const place = this.pick();
    for (let attempt = 1; ; attempt++) {
      const connection = await place.get(context.signal);
      const timeoutMs = deadline - performance.now();
      if (timeoutMs <= 0)
        throw new GatewayError(Code.DEADLINE_EXCEEDED, 'the deadline passed before Tiller was reached');
      try {
        return await run(connection, timeoutMs);
      } catch (error) {
        if (attempt === 2 || !mayTryAgain(method, error)) throw error;
      }
    }
  }

  private start(
    connection: Connection,
    method: TillerMethod,
    request: Uint8Array,
    context: CallContext,
    timeoutMs: number,
  ): Call {
    let stream: ReturnType<Connection['request']>;
    try {
      stream = connection.request(callHeaders(tillerPath(method), connection.version, timeoutMs));
    } catch (cause) {
      throw new CallFailure(
        Code.UNAVAILABLE,
        'the connection to Tiller was lost before the call was sent',
        'unsent',
        { cause },
      );
    }
    return new Call(stream, request, {
      signal: context.signal,
      timeoutMs,
      maxMessageBytes: this.options.maxMessageBytes,
    });
  }

  /** The next place whose connection is open, so that a lost one holds nobody up while others work; else the next. */
  private pick(): KeptConnection {
    this.next = (this.next + 1) % this.connections.length;
    const inTurn = [...this.connections.slice(this.next), ...this.connections.slice(0, this.next)];
    const open = inTurn.find(connection => connection.open) ?? inTurn[0]!;
    for (const lost of inTurn.slice(0, inTurn.indexOf(open))) lost.reopen();
    return open;
  }

  private translate(error: unknown): GatewayError {
    const failure = GatewayError.from(error);
    const code = this.options.rawErrors ? failure.code : translateTillerCode(failure.code, failure.message);
    return code === failure.code ? failure : new GatewayError(code, failure.message, { cause: failure });
  }
}

function mayTryAgain(method: TillerMethod, error: unknown): boolean {
  if (!(error instanceof CallFailure)) return false;
  const isRead = (reads as readonly string[]).includes(method);
  return error.progress === 'unsent' || (isRead && error.progress === 'unanswered');
}
