import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { addAbortSignal, type Duplex, type Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isReadOnly, type Method } from '../../codec/index.ts';
import { ApiRefused, type ClusterAccess } from '../../kubernetes/index.ts';
import {
  abortReason,
  afterWrite,
  type CallContext,
  type CallScope,
  Code,
  callScope,
  GatewayError,
  type Holder,
  type HttpRequest,
  type HttpResponse,
  httpStatusToCode,
  type Job,
  minTimeoutMs,
  readBounded,
  reasonOf,
  requestIdOf,
  unavailable,
  writeConsistency,
  writeLost,
} from '../../protocol/index.ts';
import { GatewayLink, type LinkOptions, type Outgoing } from './gateway-link.ts';
import { answeredHeaders, forwardedHeaders } from './headers.ts';
import {
  type Answer,
  isCutOff,
  lineToReplyWhereItFits,
  parseJson,
  readAnswer,
  readLines,
  toError,
  toReplyWhereItFits,
  toRequestWhereItFits,
} from './method-call.ts';

export interface GatewayOptions extends LinkOptions {
  /** Largest answer that is read whole; forwarded answers have no bound. */
  readonly maxMessageBytes: number;
  /** Bound on a call whose client set no deadline. */
  readonly timeoutMs: number;
}

/** Reports of the connection, for its owner. */
export interface GatewayEvents {
  /** A request was answered by the cluster's gateway. */
  connected(): void;
  failed(error: GatewayError): void;
}

/** A client's request as it was understood. */
export interface ForwardedRequest {
  readonly verb: string;
  /** Path and query at the cluster's gateway. */
  readonly target: string;
  /** Whether the contract's method at this route takes a body: no other goes on. */
  readonly hasBody: boolean;
  /** Whether the contract says that the method changes nothing: only then it may be sent twice. */
  readonly isRead: boolean;
  /** Counts what waits of the body for the cluster's gateway. */
  readonly hold: Pick<Holder, 'body' | 'sent'>;
}

/** The outcome of a forwarded request. */
export interface Forwarded {
  readonly code: Code;
  readonly bytes: number;
  readonly error?: unknown;
}

type Sent = Omit<Outgoing, 'signal'> & Pick<ForwardedRequest, 'isRead'>;

const step = "reaching the cluster's gateway";

/** What one body may take while it waits: the window of its HTTP/2 stream; over HTTP/1.1 the buffers on its path. */
const http2WaitingBytes = 1024 * 1024;
const http1WaitingBytes = 256 * 1024;

/** An error that is longer is none of a gateway's. */
const maxErrorBytes = 256 * 1024;

/** Bound on a write, as everywhere in the gateway: how long it really may take is in its body, unread here. */
const writeTimeoutMs = 24 * 3_600_000;

/**
 * The gateway of a cluster, behind the service proxy of its API server: methods as HTTP/JSON requests, and HTTP as it
 * came. Owns the kept connections.
 */
export class GatewayClient {
  readonly #link: GatewayLink;
  readonly #options: GatewayOptions;
  readonly #events: GatewayEvents;

  /** @param path of the service proxy, without a slash at its end */
  constructor(access: ClusterAccess, path: string, options: GatewayOptions, events: GatewayEvents) {
    this.#link = new GatewayLink(access, path, options);
    this.#options = options;
    this.#events = events;
  }

  /** Calls a method of the release service. */
  async unary(method: Method, request: Uint8Array, context: CallContext): Promise<Uint8Array> {
    const { response, scope } = await this.#call(method, request, context);
    try {
      const { signal } = scope;
      const json = await this.#readAll(response, signal, isReadOnly(method), context.hold);
      return await toReplyWhereItFits(jobOf(json, signal), method.response.name, json);
    } finally {
      scope.end();
    }
  }

  /** Calls a method that streams. One that changes nothing may go on for as long as its client likes. */
  async *stream(method: Method, request: Uint8Array, context: CallContext): AsyncGenerator<Uint8Array> {
    const isRead = isReadOnly(method);
    const { response, scope: head } = await this.#call(method, request, context);
    const scope = isRead ? callScope(context) : head;
    if (isRead) head.end();
    addAbortSignal(scope.signal, response);
    try {
      for await (const line of readLines(response, this.#options.maxMessageBytes, context.hold)) {
        yield await lineToReplyWhereItFits(jobOf(line, scope.signal), method.response.name, line);
      }
    } catch (cause) {
      throw await this.#broken(scope.signal, cause, isRead);
    } finally {
      scope.end();
    }
  }

  /** Sends a client's request on, and streams the answer back. */
  async forward(
    request: HttpRequest,
    response: HttpResponse,
    { verb, target, hasBody, isRead, hold }: ForwardedRequest,
    context: CallContext,
  ): Promise<Forwarded> {
    const { requestId = randomUUID(), deadline } = context;
    const kind = hasBody ? 'body' : 'bodyless';
    const headers = forwardedHeaders(request.headers, { requestId, deadline, kind });
    const body = hasBody ? holdBody(request, hold) : undefined;
    const scope = this.#scope(context, isRead ? this.#options.timeoutMs : writeTimeoutMs);
    try {
      const answer = await this.#send({ verb, path: target, headers, body, isRead }, scope.signal, response);
      if (deadline === undefined) scope.end(); // the head came in time; its body may take longer
      return await passOn(response, answer);
    } finally {
      scope.end();
    }
  }

  /** Sends an upgrade on; a WebSocket or a refusal goes to the socket. Resolves when the socket is closed. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, target: string): Promise<void> {
    const requestId = requestIdOf(request.headers['x-request-id']);
    const headers = forwardedHeaders(request.headers, { requestId, kind: 'upgrade' });
    const { signal } = new AbortController();
    await this.#link.upgrade({ verb: 'GET', path: target, headers, signal }, socket, head);
  }

  /** Running requests finish. */
  close(): void {
    this.#link.close();
  }

  async #call(
    method: Method,
    request: Uint8Array,
    context: CallContext,
  ): Promise<{ response: IncomingMessage; scope: CallScope }> {
    const job = { what: 'the request', bytes: request.length, signal: context.signal, hold: context.hold };
    const { verb, target, body, timeoutSeconds } = await toRequestWhereItFits(job, method.path, request);
    const scope = this.#scope(context, Math.max(this.#options.timeoutMs, minTimeoutMs(timeoutSeconds)));
    const { requestId = randomUUID() } = context;
    // a stream of a read may take longer than its head
    const { deadline } = method.serverStreaming && isReadOnly(method) ? context : scope;
    const headers = {
      ...forwardedHeaders({ accept: 'application/json' }, { requestId, deadline, kind: 'bodyless' }),
      ...(context.consistency && writeConsistency(context.consistency)),
      ...(body && { 'content-type': 'application/json', 'content-length': String(body.length) }),
    };
    const isRead = isReadOnly(method);
    try {
      const { signal } = scope;
      const sent = { verb, path: target, headers, body, isRead };
      const { response, body: read } = await this.#send(sent, signal);
      const status = response.statusCode ?? 0;
      if (status === 200) return { response, scope };
      const content = read ?? (await readBounded(response, { maxBytes: maxErrorBytes, signal }));
      const json = parseJson(content) as { error?: unknown } | null;
      // a stream that fails before its first line says so in a line of its own
      throw toError(json?.error ?? json, httpStatusToCode(status));
    } catch (error) {
      scope.end();
      throw error;
    }
  }

  /** `deadline` is the client's, or what a call may take whose client set none. */
  #scope({ signal, deadline }: CallContext, timeoutMs: number): CallScope {
    const late = () =>
      new GatewayError(Code.DEADLINE_EXCEEDED, "the deadline passed before the cluster's gateway answered");
    return callScope({ signal, ...(deadline === undefined ? { timeoutMs } : { deadline }), late });
  }

  /**
   * Sends a request; a second time with fresh credentials where the API server refused the kept ones, since then it went
   * no further; unless its body came from a client and is spent.
   * @throws GatewayError where the cluster's gateway did not answer
   */
  async #send(sent: Sent, signal: AbortSignal, to?: HttpResponse): Promise<Answer> {
    const attempt = () => this.#attempt(sent, signal, to);
    try {
      const answer = await attempt().catch(error => {
        if (!(error instanceof ApiRefused && error.status === 401)) throw error;
        this.#link.forget();
        if (sent.body && !Buffer.isBuffer(sent.body)) throw error;
        return attempt();
      });
      this.#events.connected();
      return answer;
    } catch (error) {
      if (!(error instanceof ApiRefused)) throw error;
      this.#events.failed(error);
      throw isCutOff(error) && !sent.isRead ? writeLost(error.message, { cause: error }) : error;
    }
  }

  /**
   * A kept connection may be closed by the other side at the very moment when a request is sent on it. Such a request is
   * sent once more where it changes nothing; a write is not, since nobody knows whether it arrived.
   */
  async #attempt(sent: Sent, signal: AbortSignal, to?: HttpResponse): Promise<Answer> {
    const { isRead } = sent;
    const once = async () => readAnswer(await this.#link.send({ ...sent, signal }, to));
    try {
      return await once().catch(error => {
        if (isRead && (error as NodeJS.ErrnoException).code === 'ECONNRESET' && !signal.aborted)
          return once();
        throw error;
      });
    } catch (cause) {
      const error = await this.#broken(signal, cause, isRead);
      if (!signal.aborted && error !== cause) this.#events.failed(error);
      throw error;
    }
  }

  /** @param hold counts the answer while it arrives */
  async #readAll(
    response: IncomingMessage,
    signal: AbortSignal,
    isRead: boolean,
    hold?: Holder,
  ): Promise<Buffer> {
    let held = 0;
    const onBytes = (bytes: number) => {
      hold?.answer(bytes);
      held += bytes;
    };
    const bounds = { maxBytes: this.#options.maxMessageBytes, what: 'the answer', signal, onBytes };
    return readBounded(response, bounds)
      .catch(async cause => {
        const error = await this.#broken(signal, cause, isRead);
        if (isRead) throw error;
        const isCut = error.code === Code.UNAVAILABLE && !/^(?:UPSTREAM_LOST|OVERLOADED)$/.test(error.reason);
        throw isCut ? writeLost(error.message, { cause }) : afterWrite(error);
      })
      .finally(() => hold?.sent(held));
  }

  /** Why there is no answer, or an answer broke off. Names the API server and not its credentials. */
  async #broken(signal: AbortSignal, cause: unknown, isRead: boolean): Promise<GatewayError> {
    if (signal.aborted) return GatewayError.from(abortReason(signal));
    if (cause instanceof GatewayError) return cause;
    const server = await this.#link.server();
    const message = `${step} through ${server}: ${reasonOf(cause)}`;
    return isRead || !isSent(cause) ? unavailable(message, { cause, step }) : writeLost(message, { cause });
  }
}

/**
 * Counts what a body may take in memory while the cluster's gateway does not take it: it is not read further then.
 * @throws GatewayError UNAVAILABLE with reason OVERLOADED past the budget
 */
function holdBody(request: HttpRequest, { body, sent }: ForwardedRequest['hold']): Readable {
  const length = Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  const bytes = Math.min(length, request.httpVersionMajor === 2 ? http2WaitingBytes : http1WaitingBytes);
  body(bytes);
  return (request as Readable).once('end', () => sent(bytes));
}

function jobOf({ length }: Buffer, signal: AbortSignal): Job {
  return { what: 'the answer', bytes: length, signal };
}

/** Whether a request may have been sent before its connection broke. */
function isSent(cause: unknown): boolean {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  return (
    /^(?:ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE|HPE_)/.test(code) && !/before secure TLS/.test(message)
  );
}

/** Streams a member's answer to the client. A status outside of HTTP's range is an error: it would break the response. */
async function passOn(to: HttpResponse, { response: answer, body }: Answer): Promise<Forwarded> {
  const response = to as HttpResponse & Writable;
  const status = answer.statusCode ?? 0;
  if (status < 200 || status > 599) {
    answer.destroy();
    throw new GatewayError(Code.UNKNOWN, `the cluster's gateway answered with status ${status}`);
  }
  response.statusCode = status;
  for (const [name, value] of answeredHeaders(answer.headers)) response.setHeader(name, value);
  const code = httpStatusToCode(status);
  if (body) {
    response.end(body);
    return { code, bytes: body.length };
  }
  let bytes = 0;
  answer.on('data', chunk => {
    bytes += chunk.length;
  });
  try {
    await pipeline(answer, response);
    return { code, bytes };
  } catch (cause) {
    // the head is out already: all that is left is to break off
    answer.destroy();
    response.destroy();
    return { code: Code.UNAVAILABLE, bytes, error: cause };
  }
}
