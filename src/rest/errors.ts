import { codeToHttpStatus, GatewayError, isGone } from '../protocol/index.ts';
import type { Answered, Exchange } from './exchange.ts';
import { prettyJson } from './pretty-json.ts';
import { BodyTooLarge } from './read-body.ts';
import { sendContent } from './send.ts';

export function errorStatus(error: GatewayError): number {
  return error instanceof BodyTooLarge ? 413 : codeToHttpStatus(error.code);
}

/** `{"code": 5, "message": "..."}` */
export function errorJson(error: GatewayError): Buffer {
  return Buffer.from(JSON.stringify({ code: error.code, message: error.message }));
}

/**
 * Answers with an error: its code, its message, and the HTTP status of the code.
 * @param status where HTTP knows better than the code, such as 405
 */
export async function sendError(exchange: Exchange, thrown: unknown, status?: number): Promise<Answered> {
  const error = GatewayError.from(thrown);
  const { request, response } = exchange;
  if (response.headersSent || isGone(response)) {
    response.destroy();
    return { code: error.code, bytes: 0, error: thrown };
  }
  // What is left of the body is not read, so nothing can follow it on an HTTP/1.1 connection.
  if (error instanceof BodyTooLarge && request.httpVersionMajor === 1)
    response.setHeader('Connection', 'close');
  const json = errorJson(error);
  const bytes = await sendContent(request, response, {
    status: status ?? errorStatus(error),
    type: 'application/json',
    body: exchange.pretty ? prettyJson(json) : json,
  });
  return { code: error.code, bytes, error: thrown };
}
