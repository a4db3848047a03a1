import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { codeToHttpStatus, type Reason } from './code.ts';
import type { GatewayError } from './gateway-error.ts';

/** A request of either HTTP version; both have `method`, `url`, `headers` and are streams of the body. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;

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

/** Where HTTP has a more exact status than the code. */
const statusOfReason: Readonly<Partial<Record<Reason, number>>> = {
  METHOD_NOT_ALLOWED: 405,
  NOT_ACCEPTABLE: 406,
  BODY_TOO_LARGE: 413,
  RELEASE_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  MISDIRECTED_REQUEST: 421,
  RECORDS_UNAVAILABLE: 501,
  UPLOADS_FULL: 507,
};

/** The HTTP status of an error answer: that of its reason where there is one, else that of its code. */
export function errorToHttpStatus({ code, reason }: Pick<GatewayError, 'code' | 'reason'>): number {
  return statusOfReason[reason] ?? codeToHttpStatus(code);
}
