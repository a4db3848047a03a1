import cors from 'cors';
import type { Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';

/**
 * Headers against what a browser could make of an answer: nothing here is to be framed, sniffed, or run as a script. HSTS
 * is left to whoever serves the host, since one port answers with and without TLS.
 */
export function securityHeaders(): RequestHandler {
  const headers = new Map<string, string>();
  const collect = { setHeader: (name: string, value: string) => headers.set(name, value), removeHeader() {} };
  // the same for every answer, so helmet is asked once
  securityOf({} as Request, collect as unknown as Response, () => {});
  return (_request, response, next) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    next();
  };
}

const securityOf = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      styleSrc: ["'unsafe-inline'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  strictTransportSecurity: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
  xFrameOptions: { action: 'deny' },
});

export interface CorsOptions {
  /** Off unless enabled: browsers then let no page of another origin read an answer. */
  readonly enabled: boolean;
  /** Hosts whose pages may call, with their port if it is not the scheme's own; `*` is every origin. */
  readonly originHosts: readonly string[];
  /** Whether subdomains of those hosts may as well. */
  readonly allowSubdomains: boolean;
}

/** What a page may send beyond the simple headers, and read from an answer. */
const allowedHeaders = [
  'Authorization',
  'Consistent',
  'Content-Type',
  'Grpc-Timeout',
  'Last-Event-ID',
  'Min-Revision',
  'X-Cluster',
  'X-Grpc-Web',
  'X-HTTP-Method-Override',
  'X-KubeApiServer',
  'X-KubeToken',
  'X-Request-Id',
  'X-User-Agent',
];
const exposedHeaders = ['Allow', 'Grpc-Message', 'Grpc-Status', 'Tiller-Gateway-Reads', 'X-Request-Id'];

/** How long a browser may remember a preflight: the ten minutes after which Chromium asks again in any case. */
const maxAge = 600;

/**
 * The CORS headers of every answer. Credentials are never allowed: this API has no cookies.
 * Source: https://fetch.spec.whatwg.org/#http-cors-protocol
 * @param verbsAt the verbs of the path that a preflight asks about
 */
export function crossOrigin(options: CorsOptions, verbsAt: (response: Response) => string[]): RequestHandler {
  if (!options.enabled) return (_request, _response, next) => next();
  const any = options.originHosts.includes('*');
  return cors<Request>((request, done) => {
    const { origin } = request.headers;
    const isAllowed = origin !== undefined && (any || allowsOrigin(options, origin));
    // an empty list stands for no origin, which still keeps caches from giving one origin's answer to another
    if (!isAllowed) return done(null, { origin: any ? false : [], preflightContinue: true, methods: [] });
    done(null, {
      origin: any ? '*' : origin,
      // a preflight gets its answer from the pipeline, as every other OPTIONS
      preflightContinue: true,
      methods: request.method === 'OPTIONS' ? verbsAt(request.res!).join(', ') : [],
      allowedHeaders,
      exposedHeaders,
      maxAge,
    });
  });
}

/** Whether CORS lets pages of an origin call. */
export function allowsOrigin({ originHosts, allowSubdomains }: CorsOptions, origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { host } = new URL(origin);
  return originHosts
    .map(allowed => allowed.toLowerCase())
    .some(allowed => host === allowed || (allowSubdomains && host.endsWith(`.${allowed}`)));
}
