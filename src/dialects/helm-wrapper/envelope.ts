import { type Answered, type ErrorForm, type Exchange, sendJson } from '../../http/index.ts';
import { Code, errorToHttpStatus, type GatewayError } from '../../protocol/index.ts';

/**
 * The data of an answer as JSON text; nothing where an answer has none. Text, since what is large is made in a thread.
 */
export type Data = Buffer | string | undefined;

/** `{"code": 0, "data": ...}` */
export function sendData(exchange: Exchange, data: Data): Promise<Answered> {
  if (data === undefined) return sendJson(exchange, '{"code":0}');
  if (typeof data === 'string') return sendJson(exchange, `{"code":0,"data":${data}}`);
  return sendJson(exchange, Buffer.concat([opening, data, closing]));
}

const opening = Buffer.from('{"code":0,"data":');
const closing = Buffer.from('}');

/**
 * Errors in the same envelope, with status 200 as helm-wrapper answers every error of its own. What it does not have, the
 * bounds of this gateway, keeps its status, so that proxies and clients with retries see it.
 */
export const errorForm: ErrorForm = error => ({
  status: isLimit(error) ? errorToHttpStatus(error) : 200,
  body: { code: 1, error: error.message },
});

function isLimit({ code, reason }: GatewayError): boolean {
  return (
    reason === 'OVERLOADED' ||
    reason === 'BODY_TOO_LARGE' ||
    (code === Code.RESOURCE_EXHAUSTED && reason === 'LIMIT_EXCEEDED')
  );
}
