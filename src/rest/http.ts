import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

/** A request of either HTTP version; both have `method`, `url`, `headers` and are streams of the body. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;

/** A response of either HTTP version. */
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** The header's one value; of a header that came several times, the first. */
export function headerOf(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/**
 * Whether nothing can be sent any more because the client has gone. An HTTP/2 stream that was reset is closed some time
 * before it is destroyed, and writing to it then would keep it, and its connection, from ever being let go.
 */
export function isGone(response: HttpResponse): boolean {
  return 'stream' in response ? response.stream.closed || response.stream.destroyed : response.destroyed;
}
