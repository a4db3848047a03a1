import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { jsonToWire, type Method } from '../../codec/index.ts';
import type { ClusterAccess } from '../../kubernetes/index.ts';
import {
  type CallContext,
  Code,
  GatewayError,
  type HttpRequest,
  type HttpResponse,
  httpStatusToCode,
  minTimeoutMs,
  toCode,
} from '../../protocol/index.ts';
import { againIfReset } from './again-if-reset.ts';
import { readAnswer } from './api-refusal.ts';
import { boundCall, type CallBound } from './call-bound.ts';
import { createForward, type Forward, type Forwarded, linkError } from './forward.ts';
import { forwardedHeaders } from './forwarded-headers.ts';
import { GatewayLink } from './gateway-link.ts';
import type { GatewayEvents, ProxyOptions } from './proxy-options.ts';
import { type RemoteRequest, toRemoteRequest } from './remote-request.ts';

/**
 * The gateway of a cluster, behind the service proxy of its API server: methods as HTTP/JSON requests, and HTTP as it
 * came. Owns the kept connections.
 */
export class GatewayClient {
  private readonly link: GatewayLink;
  private readonly options: ProxyOptions;
  private readonly events: GatewayEvents;
  private readonly onward: Forward;

  /** @param path of the service proxy, without a slash at its end */
  constructor(access: ClusterAccess, path: string, options: ProxyOptions, events: GatewayEvents) {
    this.link = new GatewayLink(access, path, options);
    this.options = options;
    this.events = events;
    this.onward = createForward(this.link, options, events);
  }

  /** Sends a client's request on, and the answer back. @param target path and query at that gateway */
  forward(
    request: HttpRequest,
    response: HttpResponse,
    target: string,
    context: CallContext,
  ): Promise<Forwarded> {
    return this.onward.request(request, response, target, context);
  }

  /** Sends an upgrade on; what comes of it goes to the socket. Resolves when the socket is closed. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, target: string): Promise<void> {
    return this.onward.upgrade(request, socket, head, target);
  }

  /** Requests that are running finish. */
  close(): void {
    this.link.close();
  }

  async unary(method: Method, request: Uint8Array, context: CallContext): Promise<Uint8Array> {
    const onward = toRemoteRequest(method, request);
    const bound = this.bound(onward, context);
    try {
      const response = await this.send(onward, bound, context.requestId);
      return toReply(method, await this.readAll(response, bound.signal));
    } finally {
      bound.clear();
    }
  }

  async *stream(
    method: Method,
    request: Uint8Array,
    context: CallContext,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const onward = toRemoteRequest(method, request);
    const bound = this.bound(onward, context);
    try {
      const response = await this.send(onward, bound, context.requestId);
      for await (const line of this.lines(response, bound.signal)) {
        const { result, error } = parse(line) as { result?: unknown; error?: unknown };
        if (error !== undefined) throw toError(error, Code.UNKNOWN);
        yield toReply(method, Buffer.from(JSON.stringify(result ?? {})));
      }
    } finally {
      bound.clear();
    }
  }

  private bound({ timeoutSeconds }: RemoteRequest, context: CallContext): CallBound {
    return boundCall(context, Math.max(this.options.timeoutMs, minTimeoutMs(timeoutSeconds)));
  }

  /** Sends the request, a second time with fresh credentials where the kept ones are refused, which changes nothing. */
  private async send(onward: RemoteRequest, bound: CallBound, requestId?: string): Promise<IncomingMessage> {
    let answer = await this.attempt(onward, bound, requestId);
    if (answer.kind === 'refused' && answer.status === 401) {
      this.link.forget();
      answer = await this.attempt(onward, bound, requestId);
    }
    if (answer.kind === 'refused') {
      this.events.failed(answer.error);
      throw answer.error;
    }
    this.events.connected();
    const { response, body } = answer;
    const status = response.statusCode ?? 0;
    if (status === 200) return response;
    const json = parse(body ?? (await this.readAll(response, bound.signal))) as { error?: unknown } | null;
    // a stream that fails before its first line says so in a line of its own
    throw toError(json?.error ?? json, httpStatusToCode(status));
  }

  private async attempt(
    { verb, target, body }: RemoteRequest,
    bound: CallBound,
    requestId: string = randomUUID(),
  ) {
    const { signal, deadline } = bound;
    const headers = {
      ...forwardedHeaders({ accept: 'application/json' }, requestId, deadline),
      ...(body && { 'content-type': 'application/json', 'content-length': body.length }),
    };
    try {
      // with a GET this service only reads: what writes has a binding with a body, or is a DELETE
      return await againIfReset(verb === 'GET', async () =>
        readAnswer(await this.link.send(verb, target, { headers, ...(body && { body }), signal })),
      );
    } catch (cause) {
      if (signal.aborted) throw GatewayError.from(signal.reason);
      if (cause instanceof GatewayError) throw cause;
      const error = linkError({ settings: await this.link.settings() }, cause);
      this.events.failed(error);
      throw error;
    }
  }

  private async readAll(response: IncomingMessage, signal: AbortSignal): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let total = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        total += chunk.length;
        if (total > this.options.maxMessageBytes) throw this.tooLarge();
        chunks.push(chunk);
      }
    } catch (cause) {
      throw await this.broken(signal, cause);
    }
    return Buffer.concat(chunks, total);
  }

  /** Why an answer broke off in its middle. */
  private async broken(signal: AbortSignal, cause: unknown): Promise<GatewayError> {
    if (signal.aborted) return GatewayError.from(signal.reason);
    if (cause instanceof GatewayError) return cause;
    return linkError({ settings: await this.link.settings() }, cause);
  }

  private async *lines(
    response: IncomingMessage,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer, void, undefined> {
    let rest: Buffer = Buffer.alloc(0);
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
        for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
          if (end > 0) yield rest.subarray(0, end);
          rest = rest.subarray(end + 1);
        }
        if (rest.length > this.options.maxMessageBytes) throw this.tooLarge();
      }
    } catch (cause) {
      throw await this.broken(signal, cause);
    }
    if (rest.length > 0) yield rest;
  }

  private tooLarge(): GatewayError {
    const { maxMessageBytes } = this.options;
    return new GatewayError(
      Code.RESOURCE_EXHAUSTED,
      `the answer is over the limit of ${maxMessageBytes} bytes`,
    );
  }
}

function parse(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString());
  } catch (cause) {
    throw new GatewayError(Code.INTERNAL, "the cluster's gateway answered something that is not JSON", {
      cause,
    });
  }
}

function toReply(method: Method, json: Buffer): Uint8Array {
  try {
    return jsonToWire(method.response, json);
  } catch (cause) {
    const message = `the cluster's gateway answered something that is no ${method.response.name}`;
    throw new GatewayError(Code.INTERNAL, message, { cause });
  }
}

/** `{"code": 5, "message": "..."}`, as every gateway's error looks. */
function toError(json: unknown, code: Code): GatewayError {
  const given = json as { code?: unknown; message?: unknown } | null;
  const known = typeof given?.code === 'number' ? toCode(given.code) : code;
  const message = typeof given?.message === 'string' ? given.message : 'the cluster gave no reason';
  return new GatewayError(known === Code.OK ? Code.UNKNOWN : known, message);
}
