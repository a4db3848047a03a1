import { Code, codeName } from '../protocol/index.ts';
import type { LogFields, LogLevel } from './format-line.ts';
import type { RequestOutcome } from './metrics.ts';

/** A finished request with what the log says of it beyond the metrics. */
export interface LoggedRequest extends RequestOutcome {
  readonly requestId: string | undefined;
  /** The path as it came, without the query, which may hold credentials. */
  readonly path: string;
  /** What went wrong, where something did. */
  readonly error: unknown;
  /** Which of several clusters answered. */
  readonly cluster?: string | undefined;
}

/** What over HTTP is a 5xx. */
const ownFailures = new Set<number>([
  Code.UNKNOWN,
  Code.DEADLINE_EXCEEDED,
  Code.UNIMPLEMENTED,
  Code.INTERNAL,
  Code.UNAVAILABLE,
  Code.DATA_LOSS,
]);

/** The one line that every request leaves. A fault of the gateway's own is told with its causes. */
export function accessLine(request: LoggedRequest): { level: LogLevel; message: string; fields: LogFields } {
  const { front, verb, route, path, status, code, durationMs, bytes, requestId, error, cluster } = request;
  const failed = front === 'http' ? status >= 500 : ownFailures.has(code);
  return {
    level: failed ? 'warn' : 'info',
    message:
      front === 'http'
        ? `${verb} ${path.slice(0, 300)} ${status}`
        : `${path.slice(0, 300)} ${codeName(code)}`,
    fields: {
      front,
      ...(front === 'http' && { method: verb, status }),
      route,
      ...(cluster !== undefined && { cluster }),
      grpcCode: codeName(code),
      durationMs: Math.round(durationMs * 1000) / 1000,
      bytes,
      requestId,
      ...(error !== undefined && { error: failed ? error : messageOf(error) }),
    },
  };
}

/** What the caller did wrong needs no stack. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
