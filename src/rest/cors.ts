import { type HttpRequest, type HttpResponse, headerOf } from '../protocol/index.ts';

export interface CorsOptions {
  /** Off unless enabled: browsers then let no page of another origin read an answer. */
  readonly enabled: boolean;
  /** Hosts whose pages may call, with their port if it is not the scheme's own; `*` is every origin. */
  readonly originHosts: readonly string[];
  /** Whether subdomains of those hosts may as well. */
  readonly allowSubdomains: boolean;
}

/** What a page may send beyond the simple headers, and read from an answer. */
const allowHeaders =
  'Authorization, Content-Type, Grpc-Timeout, X-HTTP-Method-Override, X-KubeApiServer, X-KubeToken, X-Request-Id';
const exposeHeaders = 'Allow, X-Request-Id';

/** How long a browser may remember a preflight: the ten minutes after which Chromium asks again in any case. */
const maxAgeSeconds = 600;

/**
 * Puts the CORS headers on a response. A preflight gets its answer from OPTIONS itself, where these headers stand too.
 * Credentials are never allowed: this API has no cookies. Source: https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function writeCors(
  options: CorsOptions,
  request: HttpRequest,
  response: HttpResponse,
  allow?: readonly string[],
): void {
  if (!options.enabled) return;
  const any = options.originHosts.includes('*');
  if (!any) response.setHeader('Vary', 'Origin');
  const origin = headerOf(request, 'origin');
  if (origin === undefined || !(any || isAllowed(options, origin))) return;
  response.setHeader('Access-Control-Allow-Origin', any ? '*' : origin);
  response.setHeader('Access-Control-Expose-Headers', exposeHeaders);
  if (!allow) return;
  response.setHeader('Access-Control-Allow-Methods', allow.join(', '));
  response.setHeader('Access-Control-Allow-Headers', allowHeaders);
  response.setHeader('Access-Control-Max-Age', String(maxAgeSeconds));
}

function isAllowed(options: CorsOptions, origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { host } = new URL(origin);
  return options.originHosts
    .map(allowed => allowed.toLowerCase())
    .some(allowed => host === allowed || (options.allowSubdomains && host.endsWith(`.${allowed}`)));
}
