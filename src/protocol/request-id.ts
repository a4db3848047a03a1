import { randomUUID } from 'node:crypto';

/** The caller's `x-request-id` where it is fit for a log line, else a new one. */
export function requestIdOf(given: unknown): string {
  return typeof given === 'string' && /^[\w.:@/+=-]{1,128}$/.test(given) ? given : randomUUID();
}
