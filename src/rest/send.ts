import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { type HttpRequest, type HttpResponse, headerOf, isGone } from '../protocol/index.ts';

const gzipAsync = promisify(gzip);

/** Smaller answers cost more to compress than to send. */
const minGzipBytes = 8 * 1024;

/** Fast rather than small: most of the gain of the default level for a third of its time. */
const gzipOptions = { level: constants.Z_BEST_SPEED };

export interface Content {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

/**
 * Sends a whole answer, compressed where it is large and the client takes gzip; to HEAD its headers alone.
 * @returns the bytes of the body that were sent
 */
export async function sendContent(
  request: HttpRequest,
  response: HttpResponse,
  content: Content,
): Promise<number> {
  let { body } = content;
  if (body.length >= minGzipBytes) {
    response.appendHeader('Vary', 'Accept-Encoding');
    if (acceptsGzip(headerOf(request, 'accept-encoding'))) {
      body = await gzipAsync(body, gzipOptions);
      response.setHeader('Content-Encoding', 'gzip');
    }
  }
  if (isGone(response) || response.writableEnded) return 0;
  response.statusCode = content.status;
  response.setHeader('Content-Type', content.type);
  response.setHeader('Content-Length', body.length);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  if (request.method === 'HEAD') {
    response.end();
    return 0;
  }
  response.end(body);
  return body.length;
}

/** Source: RFC 9110, 12.5.3; `gzip;q=0` and its like refuse it. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined) return false;
  const quality = new Map<string, number>();
  for (const part of acceptEncoding.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map(text => text.trim());
    const q = parameters.find(parameter => parameter.startsWith('q='));
    quality.set(coding, q === undefined ? 1 : Number(q.slice(2)));
  }
  return (quality.get('gzip') ?? quality.get('*') ?? 0) > 0;
}
