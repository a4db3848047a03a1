import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { Code } from './code.ts';
import type { GatewayError } from './gateway-error.ts';
import type { Reason } from './reason.ts';

/** A request of either HTTP version; both have `method`, `url`, `headers` and are streams of the body. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;

/** A response of either HTTP version. */
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** The header's one value; of a header that came several times, the first. */
export function headerOf(request: Pick<HttpRequest, 'headers'>, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/**
 * Whether nothing can be sent any more because the client has gone. An HTTP/2 stream that was reset is closed some time
 * before it is destroyed, and writing to it then would keep it, and its connection, in memory for ever.
 */
export function isGone(response: HttpResponse): boolean {
  return 'stream' in response ? response.stream.closed || response.stream.destroyed : response.destroyed;
}

/** Source: the table in google/rpc/code.proto, as swift's framework has it. */
const statusOfCode: Readonly<Record<Code, number>> = {
  [Code.OK]: 200,
  [Code.CANCELLED]: 499,
  [Code.UNKNOWN]: 500,
  [Code.INVALID_ARGUMENT]: 400,
  [Code.DEADLINE_EXCEEDED]: 504,
  [Code.NOT_FOUND]: 404,
  [Code.ALREADY_EXISTS]: 409,
  [Code.PERMISSION_DENIED]: 403,
  [Code.RESOURCE_EXHAUSTED]: 429,
  [Code.FAILED_PRECONDITION]: 400,
  [Code.ABORTED]: 409,
  [Code.OUT_OF_RANGE]: 400,
  [Code.UNIMPLEMENTED]: 501,
  [Code.INTERNAL]: 500,
  [Code.UNAVAILABLE]: 503,
  [Code.DATA_LOSS]: 500,
  [Code.UNAUTHENTICATED]: 401,
};

/** Where HTTP has a more exact status than the code. */
const statusOfReason: Readonly<Partial<Record<Reason, number>>> = {
  METHOD_NOT_ALLOWED: 405,
  BODY_TOO_LARGE: 413,
  RELEASE_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  MISDIRECTED_REQUEST: 421,
};

export function codeToHttpStatus(code: Code): number {
  return statusOfCode[code];
}

/** The HTTP status of an error answer: that of its reason where there is one, else that of its code. */
export function errorToHttpStatus({ code, reason }: Pick<GatewayError, 'code' | 'reason'>): number {
  return statusOfReason[reason] ?? codeToHttpStatus(code);
}

/** The nearest code to a status, for answers whose body is passed on unread. */
export function httpStatusToCode(status: number): Code {
  return status < 400 ? Code.OK : (codeOfStatus.get(status) ?? Code.UNKNOWN);
}

/** Of several codes with one status the smallest counts, but for a few statuses that HTTP uses in a wider sense. */
const codeOfStatus = new Map<number, Code>([
  ...Object.entries(statusOfCode)
    .reverse()
    .map(([code, status]): [number, Code] => [status, Number(code) as Code]),
  [405, Code.UNIMPLEMENTED],
  [409, Code.ABORTED],
  [413, Code.RESOURCE_EXHAUSTED],
]);
