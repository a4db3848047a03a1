import { randomUUID } from 'node:crypto';
import { type HttpRequest, headerOf } from './http.ts';

/** The caller's `X-Request-Id` where it is fit for a log line, else a new one. */
export function requestIdOf(request: HttpRequest): string {
  const given = headerOf(request, 'x-request-id');
  return given !== undefined && /^[\w.:@/+=-]{1,128}$/.test(given) ? given : randomUUID();
}
