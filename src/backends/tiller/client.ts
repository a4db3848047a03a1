import * as grpc from '@grpc/grpc-js';
import { lastField } from '../../codec/index.ts';
import {
  afterWrite,
  type CallContext,
  Code,
  GatewayError,
  unavailable,
  writeLost,
} from '../../protocol/index.ts';
import { CallFailure, type CallOptions, callStream, callUnary, describeFailure, unsent } from './call.ts';
import { Connection, type ConnectionOptions, type OpenConnection } from './connection.ts';
import { dryRunFields, idempotentMethods, nameFields, type TillerMethod } from './methods.ts';
import { type FailedCall, translateFailure } from './translate-error.ts';

export interface TillerClientOptions extends ConnectionOptions {
  /** Bound on a call; its client may set a nearer deadline. */
  readonly timeoutMs: number;
  /** How many connections share the calls. */
  readonly connections: number;
  /** True gives Tiller's own status codes (always UNKNOWN) instead of what its texts mean. */
  readonly rawErrors: boolean;
  /** Runs after every call, also failed ones. */
  readonly onCall?: (method: string, code: Code, durationMs: number) => void;
  /**
   * Runs after a call that may have changed something, before its caller has the reply.
   * @param name of the release; empty where the request says none
   * @param reply undefined where there is none: nobody knows what the call has done
   */
  readonly onWritten?: (
    method: string,
    name: string,
    request: Uint8Array,
    reply: Uint8Array | undefined,
  ) => void;
}

/** Where a call runs, and how. */
interface Start {
  readonly connection: Connection;
  readonly opened: OpenConnection;
  readonly options: CallOptions;
}

/** What a call is ended with whose error text does not fit into a header: INTERNAL_ERROR, ENHANCE_YOUR_CALM (RFC 9113, 7). */
const byLongText = [2, 11];

/** Calls to one Tiller. Requests and replies are messages of `hapi.services.tiller` in wire format. */
export class TillerClient {
  readonly #options: TillerClientOptions;
  readonly #connections: readonly Connection[];
  #next = 0;
  #writes = 0;

  constructor(options: TillerClientOptions) {
    this.#options = options;
    this.#connections = Array.from({ length: options.connections }, () => new Connection(options));
  }

  /** How many calls that change something have ended, well or not. */
  get writes(): number {
    return this.#writes;
  }

  /**
   * A call with one reply.
   * @param minTimeoutMs what the call may take, over the bound of the options if need be: a write waits in Tiller
   * @throws GatewayError with the code that Tiller's text means, or with the step that failed
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
      const start = await this.#start(method, context, minTimeoutMs);
      try {
        const reply = await callUnary(method, asBuffer(request), start.options);
        this.#written(method, request, reply);
        return reply;
      } catch (error) {
        this.#written(method, request, undefined);
        throw this.#translate(this.#failure(error, method, request, start), callOf(method, request));
      }
    } catch (error) {
      const failure = GatewayError.from(error);
      code = failure.code;
      throw failure;
    } finally {
      this.#ended(method, code, started);
    }
  }

  /** A call with a stream of replies, read no faster than they are taken; leaving the loop cancels the call. */
  async *stream(
    method: TillerMethod,
    request: Uint8Array,
    context: CallContext,
    minTimeoutMs = 0,
  ): AsyncGenerator<Buffer> {
    try {
      yield* this.#stream(method, request, () => this.#start(method, context, minTimeoutMs));
    } catch (error) {
      throw this.#translate(error);
    }
  }

  /**
   * A call as a client of Tiller made it, with its own metadata, deadline and Tiller's own status. Any method is a stream.
   * @throws GatewayError with Tiller's status as it came
   */
  pass(
    method: string,
    request: Uint8Array,
    metadata: grpc.Metadata,
    context: CallContext,
  ): AsyncGenerator<Buffer> {
    return this.#stream(method, request, () => this.#startAt(method, context, metadata));
  }

  /**
   * Whether Tiller can be reached: opens a connection if there is none.
   * @throws GatewayError with the step that failed
   */
  check(signal: AbortSignal): Promise<OpenConnection> {
    return this.#pick().get(signal);
  }

  /** Lets calls in progress finish; `reason` is what those who wait for a connection are told. */
  close(reason?: string): void {
    for (const connection of this.#connections) connection.close(reason);
  }

  /** Fails calls in progress. */
  destroy(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  async *#stream(method: string, request: Uint8Array, prepare: () => Promise<Start>): AsyncGenerator<Buffer> {
    const started = performance.now();
    let code: Code = Code.CANCELLED; // what it is when the loop is left early
    try {
      const start = await prepare();
      try {
        for await (const reply of callStream(method, asBuffer(request), start.options)) {
          if (method !== 'RunReleaseTest') this.#written(method, request, reply);
          yield reply;
        }
        if (method === 'RunReleaseTest') this.#written(method, request, undefined);
      } catch (error) {
        this.#written(method, request, undefined);
        throw this.#failure(error, method, request, start);
      }
      code = Code.OK;
    } catch (error) {
      ({ code } = this.#translate(error));
      throw error;
    } finally {
      this.#ended(method, code, started);
    }
  }

  #written(method: string, request: Uint8Array, reply: Uint8Array | undefined): void {
    const { onWritten } = this.#options;
    if (!onWritten || idempotentMethods.includes(method) || isDryRun(method, request)) return;
    const name = lastField(request, nameFields.get(method));
    onWritten(method, name ? Buffer.from(name).toString() : '', request, reply);
  }

  #ended(method: string, code: Code, startedAt: number): void {
    if (!idempotentMethods.includes(method)) this.#writes++;
    this.#options.onCall?.(method, code, performance.now() - startedAt);
  }

  async #start(method: string, context: CallContext, minTimeoutMs: number): Promise<Start> {
    const ownDeadline = performance.now() + Math.max(this.#options.timeoutMs, minTimeoutMs);
    const deadline = Math.min(context.deadline ?? ownDeadline, ownDeadline);
    return this.#startAt(method, { signal: context.signal, deadline, hold: context.hold });
  }

  /** @param given the metadata; default: what says that the gateway speaks Tiller's version */
  async #startAt(method: string, context: CallContext, given?: grpc.Metadata): Promise<Start> {
    const { signal, deadline = Infinity, hold } = context;
    const connection = this.#pick();
    const opened = connection.open ?? (await connection.get(signal));
    const timeoutMs = deadline - performance.now();
    if (timeoutMs <= 0)
      throw new GatewayError(Code.DEADLINE_EXCEEDED, 'the deadline passed before Tiller was reached');
    const idempotent = idempotentMethods.includes(method);
    const metadata = given ?? (idempotent ? opened.metadata.idempotent : opened.metadata.once);
    // what is tried again waits for the connection; `connection` bounds how long
    if (given) metadata.setOptions({ waitForReady: idempotent });
    const unanswered = idempotent ? connection.unanswered : undefined;
    const options = { channel: opened.calls, metadata, timeoutMs, signal, unanswered, hold };
    return { connection, opened, options };
  }

  /** The next connection that is open, so that a lost one holds nobody up while others work; else the next. */
  #pick(): Connection {
    this.#next = (this.#next + 1) % this.#connections.length;
    const next = this.#connections[this.#next]!;
    if (next.open) return next;
    const inTurn = [...this.#connections.slice(this.#next), ...this.#connections.slice(0, this.#next)];
    const open = inTurn.find(connection => connection.open) ?? inTurn[0]!;
    for (const lost of inTurn.slice(0, inTurn.indexOf(open))) lost.reopen();
    return open;
  }

  #failure(error: unknown, method: string, request: Uint8Array, { connection, opened }: Start): GatewayError {
    const dryRun = isDryRun(method, request);
    // Tiller goes on with a write whatever becomes of its call
    const isRead = dryRun || idempotentMethods.includes(method);
    const say = (text: string) => (isRead ? text : writeLost(text).message);
    if (error instanceof GatewayError) {
      // ended here: a deadline, the gateway stops, a bound; or by its client, which has left
      if (isRead || error.code === Code.CANCELLED) return error;
      const { code, message, reason } = error;
      const failure = afterWrite(error);
      return failure === error ? new GatewayError(code, say(message), { reason, cause: error }) : failure;
    }
    if (!(error instanceof CallFailure)) {
      // grpc-js throws only where the channel was closed in this turn
      return unavailable(unsent, { cause: error });
    }
    const { code, message, resetCode, lost: isCut } = describeFailure(error);
    const lost = isCut || (resetCode === byLongText[1] && isLost(opened));
    if (lost) return unavailable(say(message), { reason: 'UPSTREAM_LOST', cause: error });
    const isUnknown = resetCode !== undefined || code === Code.DEADLINE_EXCEEDED;
    if (resetCode === undefined || !byLongText.includes(resetCode))
      return new GatewayError(code, isUnknown ? say(message) : message, { cause: error });
    connection.replace(opened); // after a text of megabytes the next call on it fails too
    return dryRun && !error.answered
      ? new GatewayError(Code.INVALID_ARGUMENT, `${tooLong} (${whyTooLong})`, {
          reason: 'CHART_INVALID',
          cause: error,
        })
      : new GatewayError(code, say(`${message}; so it does when its error text is over 64 KiB`), {
          cause: error,
        });
  }

  #translate(error: unknown, call?: FailedCall): GatewayError {
    return this.#options.rawErrors ? GatewayError.from(error) : translateFailure(error, call);
  }
}

const tooLong = "Tiller's error text was too long for HTTP/2: over 64 KiB";
const whyTooLong =
  'a YAML error of a dry run carries every rendered file; the same call without dry_run, or helm template, shows it in one line';

/** Whether the connection has broken, as where Tiller takes pings for an attack (GOAWAY 11): its calls end with that code too. */
function isLost({ calls }: OpenConnection): boolean {
  const { READY, SHUTDOWN } = grpc.connectivityState;
  const state = calls.getConnectivityState(false);
  return state !== READY && state !== SHUTDOWN; // shut down: replaced here
}

function isDryRun(method: string, request: Uint8Array): boolean {
  return lastField(request, dryRunFields.get(method))?.[0] === 1;
}

function callOf(method: string, request: Uint8Array): FailedCall {
  return { method, named: lastField(request, nameFields.get(method)) !== undefined };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
