import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Request } from 'express';
import {
  Code,
  errorToHttpStatus,
  GatewayError,
  type HttpRequest,
  type HttpResponse,
  isGone,
  refusesBody,
  withoutLocalPaths,
} from '../protocol/index.ts';
import type { Answered, ErrorForm, Exchange } from './exchange.ts';
import { prettyJson } from './pretty-json.ts';

const gzipAsync = promisify(gzip);

/** Smaller answers cost more to compress than to send. */
const minGzipBytes = 8 * 1024;

/** Fast rather than small: most of the gain of the default level for a third of its time. */
const gzipOptions = { level: constants.Z_BEST_SPEED };

/** A whole answer. */
export interface Content {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

/**
 * Sends a whole answer, compressed where it is large and the client takes gzip; to HEAD its headers alone. The package
 * `compression` is not used: it works on streams, so it would take away Content-Length and hold back NDJSON's lines.
 */
export async function sendContent(exchange: Exchange, content: Content): Promise<Answered> {
  const { request, response, verb } = exchange;
  exchange.hold.answer(content.body.length);
  const code = content.status < 400 ? Code.OK : Code.UNAVAILABLE;
  let { body } = content;
  if (body.length >= minGzipBytes) {
    response.appendHeader('Vary', 'Accept-Encoding');
    if (acceptsGzip(request)) {
      body = await gzipAsync(body, gzipOptions);
      response.setHeader('Content-Encoding', 'gzip');
    }
  }
  if (isGone(response) || response.writableEnded) return { code, bytes: 0 };
  response.statusCode = content.status;
  response.setHeader('Content-Type', content.type);
  response.setHeader('Content-Length', body.length);
  if (verb === 'HEAD') {
    response.end();
    return { code, bytes: 0 };
  }
  response.end(body);
  return { code, bytes: body.length };
}

/** By express' own reading of the header: `gzip;q=0` and its like refuse it. */
export function acceptsGzip(request: HttpRequest): boolean {
  return Boolean((request as unknown as Request).acceptsEncodings('gzip'));
}

/** Sends JSON text, indented where `?pretty` asks for it. */
export async function sendJson(exchange: Exchange, json: Buffer | string, status = 200): Promise<Answered> {
  const bytes = typeof json === 'string' ? Buffer.from(json) : json;
  const body = exchange.pretty
    ? await exchange.withContext(async ({ signal, hold }) =>
        prettyJson({ what: 'the answer', bytes: bytes.length, signal, hold }, bytes),
      )
    : bytes;
  return sendContent(exchange, { status, type: 'application/json', body });
}

/** An error as every answer shows it: `{"code": 5, "message": "...", "reason": "RELEASE_NOT_FOUND"}`. */
export function errorBody({ code, message, reason, step }: GatewayError) {
  return { code, message: withoutLocalPaths(message), reason, ...(step !== undefined && { step }) };
}

const ownForm: ErrorForm = error => ({ status: errorToHttpStatus(error), body: errorBody(error) });

/**
 * Answers with an error and its HTTP status; where an answer has begun already, all that is left is to break it off.
 * @param form that of another API; default: this gateway's own
 */
export async function sendError(
  exchange: Exchange,
  thrown: unknown,
  form: ErrorForm = ownForm,
): Promise<Answered> {
  const error = GatewayError.from(thrown);
  const { response } = exchange;
  if (response.headersSent || isGone(response)) {
    response.destroy();
    return { code: error.code, bytes: 0, error: thrown };
  }
  if (refusesBody(error)) leaveBody(response);
  if (error.reason === 'OVERLOADED') response.setHeader('Retry-After', '1');
  const { status, body } = form(error);
  const { bytes } = await sendJson(exchange, withoutLocalPaths(JSON.stringify(body)), status);
  return { code: error.code, bytes, error: thrown };
}

/**
 * What is left of the body is not read, so nothing can follow it on an HTTP/1.1 connection, and over HTTP/2 it would keep
 * its share of the window that all streams of the connection have together.
 * Rule: https://www.rfc-editor.org/rfc/rfc9113#section-8.1-12
 */
export function leaveBody(response: HttpResponse): void {
  if (!('stream' in response)) return void response.setHeader('Connection', 'close');
  const { stream } = response; // the response itself has no 'finish' before the stream is closed
  stream?.once('finish', () => {
    stream.close();
    stream.resume(); // what waits to be read would keep it open here
  });
}

/** An answer in parts, each sent as soon as it is there: by default the lines of newline-delimited JSON. */
export class StreamWriter {
  /** Of all parts so far. */
  bytes = 0;
  readonly #exchange: Exchange;
  readonly #signal: AbortSignal;
  readonly #type: string;
  #draining: Promise<void> | undefined;

  /** @param signal ends waiting for a slow client */
  constructor(exchange: Exchange, signal: AbortSignal, type = 'application/x-ndjson') {
    this.#exchange = exchange;
    this.#signal = signal;
    this.#type = type;
  }

  /** Waits while the client is slower than the parts. @param status counts where this is the first part */
  async write(part: Buffer | string, status = 200): Promise<void> {
    this.#begin(status);
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    const { response, hold } = this.#exchange;
    this.bytes += bytes.length;
    hold.answer(bytes.length);
    if (isGone(response) || (response as Writable).write(bytes)) return hold.sent(bytes.length);
    this.#draining ??= once(response, 'drain', { signal: this.#signal })
      .catch(() => {})
      .then(() => {
        this.#draining = undefined;
      });
    await this.#draining;
    hold.sent(bytes.length);
  }

  /** Ends the answer, also one without parts. */
  end(): void {
    this.#begin(200);
    const { response } = this.#exchange;
    if (!isGone(response)) response.end();
  }

  /** Sends the headers, once. `no-transform` and `no` keep proxies from collecting parts. */
  #begin(status: number): void {
    const { response } = this.#exchange;
    if (response.headersSent || isGone(response)) return;
    response.statusCode = status;
    response.setHeader('Content-Type', this.#type);
    response.setHeader('Cache-Control', 'no-store, no-transform');
    response.setHeader('X-Accel-Buffering', 'no');
  }
}
