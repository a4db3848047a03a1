import { Code, codeName } from '../protocol/index.ts';
import type { LogFields, Logger, LogLevel } from './logger.ts';
import type { RequestOutcome } from './metrics.ts';
import { firstLines, maskedRest } from './redact.ts';

/** A finished request with the fields that only the log has. */
export interface LoggedRequest extends RequestOutcome {
  readonly requestId: string | undefined;
  /** The path as it came, without the query, which may hold credentials. */
  readonly path: string;
  readonly error: unknown;
  /** Which of several clusters answered. */
  readonly cluster?: string | undefined;
}

/** Routes that probes ask every few seconds. */
const probeRoutes = new Set(['/healthz', '/readyz', '/grpc.health.v1.Health/Check']);

/** Codes that over HTTP are a 5xx. */
const ownFailures = new Set<number>([
  Code.UNKNOWN,
  Code.DEADLINE_EXCEEDED,
  Code.UNIMPLEMENTED,
  Code.INTERNAL,
  Code.UNAVAILABLE,
  Code.DATA_LOSS,
]);

/**
 * Logs requests that are over. A probe that fails again for the same reason is logged at debug, as one that succeeds:
 * the first line says it, and the next would come every two seconds.
 * @param logsAll whether other requests than the failures of the gateway, Tiller or Kubernetes are logged
 */
export function createAccessLog(log: Logger, logsAll: boolean): (request: LoggedRequest) => void {
  const failures = new Map<string, string>();
  return request => {
    const line = accessLine(request);
    let { level } = line;
    if (probeRoutes.has(request.route)) {
      const failure = level === 'warn' ? messageOf(request.error) : '';
      if (failures.get(request.route) === failure) level = 'debug';
      failures.set(request.route, failure);
    }
    if (logsAll || level === 'warn') log[level](line.message, line.fields);
    const rest = maskedRest(request.error);
    if (rest !== '') log.debug('the rest of the error', { requestId: request.requestId, rest });
  };
}

/**
 * The log line of a request: `warn` for failures of the gateway or of what is behind it, with their causes; `debug` for
 * probes that succeed; `info` otherwise.
 */
export function accessLine(request: LoggedRequest): { level: LogLevel; message: string; fields: LogFields } {
  const { front, verb, route, path, status, code, durationMs, bytes, requestId, error, cluster } = request;
  const failed = front === 'http' ? status >= 500 : ownFailures.has(code);
  return {
    level: failed ? 'warn' : probeRoutes.has(route) ? 'debug' : 'info',
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
      ...(error !== undefined && { error: failed ? firstLines(error) : messageOf(error) }),
    },
  };
}

/** A mistake of the caller needs no stack. */
function messageOf(error: unknown): string {
  return firstLines(error instanceof Error ? error.message : error);
}
