import type { IncomingHttpHeaders } from 'node:http';
import { consistencyHeaders, formatGrpcTimeout, header } from '../../protocol/index.ts';

/**
 * The only headers of a client that go on to another cluster. Everything else stays here: `Authorization` and cookies are
 * meant for this gateway, `Impersonate-*` or `X-Remote-*` would let a client act as someone else at the API server with
 * the hub's credentials, and how a body is framed is decided anew.
 */
const forwarded = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'if-modified-since',
  'if-none-match',
  'last-event-id',
  consistencyHeaders.consistent,
  consistencyHeaders.minRevision,
  'user-agent',
]);

const forwardedWithBody = new Set(['content-encoding', 'content-type']);

const forwardedInUpgrades = new Set([
  'origin',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
]);

export interface ForwardedHeaders {
  readonly requestId: string;
  /** On the clock of `performance.now()`. */
  readonly deadline?: number | undefined;
  readonly kind: 'bodyless' | 'body' | 'upgrade';
}

/** The headers for the cluster's gateway, before the credentials are added. */
export function forwardedHeaders(
  headers: IncomingHttpHeaders,
  { requestId, deadline, kind }: ForwardedHeaders,
): IncomingHttpHeaders {
  const isForwarded = (name: string) =>
    forwarded.has(name) ||
    (kind === 'body' && forwardedWithBody.has(name)) ||
    (kind === 'upgrade' && forwardedInUpgrades.has(name));
  return {
    ...Object.fromEntries(Object.entries(headers).filter(([name]) => isForwarded(name))),
    ...(kind === 'upgrade' && { connection: 'Upgrade', upgrade: 'websocket' }),
    'x-request-id': requestId,
    ...(deadline !== undefined && { [header.timeout]: formatGrpcTimeout(deadline - performance.now()) }),
  };
}

/**
 * The only headers of a member's answer that reach the client. No cookies, redirects, HSTS or CORS: the answer appears
 * under this gateway's own origin.
 */
const answered = new Set([
  'allow',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-type',
  'etag',
  'last-modified',
  'retry-after',
  header.reads,
  'warning',
  'x-accel-buffering',
]);

const answeredInUpgrades = new Set([
  'connection',
  'sec-websocket-accept',
  'sec-websocket-extensions',
  'sec-websocket-protocol',
  'transfer-encoding',
  'upgrade',
]);

/** The allowed headers of a member's answer, and two that keep a browser from running its content. */
export function answeredHeaders(
  headers: IncomingHttpHeaders,
  isUpgrade = false,
): [string, string | string[]][] {
  const kept = Object.entries(headers).filter(
    (entry): entry is [string, string | string[]] =>
      entry[1] !== undefined && (answered.has(entry[0]) || (isUpgrade && answeredInUpgrades.has(entry[0]))),
  );
  if (isUpgrade) return kept;
  return [...kept, ['x-content-type-options', 'nosniff'], ['content-security-policy', 'sandbox']];
}
