import type { IncomingHttpHeaders } from 'node:http';
import { formatGrpcTimeout, header } from '../../protocol/index.ts';

/**
 * The only headers of a client that go on to another cluster. Everything else stays here: `Authorization` and cookies are
 * meant for this gateway, and `Impersonate-*` or `X-Remote-*` would let a client act as someone else at the API server
 * with the hub's credentials.
 */
const passedOn = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-type',
  'if-modified-since',
  'if-none-match',
  'range',
  'user-agent',
  'x-http-method-override',
]);

const passedOnInUpgrades = new Set([
  'connection',
  'origin',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'upgrade',
]);

/** The headers for the cluster's gateway, before the credentials are added. */
export function forwardedHeaders(
  headers: IncomingHttpHeaders,
  requestId: string,
  deadline: number | undefined,
  isUpgrade = false,
): IncomingHttpHeaders {
  const isPassedOn = (name: string) => passedOn.has(name) || (isUpgrade && passedOnInUpgrades.has(name));
  return {
    ...Object.fromEntries(Object.entries(headers).filter(([name]) => isPassedOn(name))),
    'x-request-id': requestId,
    ...(deadline !== undefined && { [header.timeout]: formatGrpcTimeout(deadline - performance.now()) }),
  };
}

/** Headers of an answer that belong to one connection, or that this gateway sets itself. */
const keptBack =
  /^(?:connection|keep-alive|proxy-connection|proxy-authenticate|te|trailer|transfer-encoding|upgrade|www-authenticate|set-cookie|x-request-id|date|vary|access-control-.*|audit-id|x-kubernetes-.*)$/;

/** What of the cluster's answer goes on to the client. */
export function answeredHeaders(headers: IncomingHttpHeaders): [string, string | string[]][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || keptBack.test(name) ? [] : [[name, value] as [string, string | string[]]],
  );
}
