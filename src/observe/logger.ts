import winston from 'winston';
import { Code, codeName } from '../protocol/index.ts';
import type { RequestOutcome } from './metrics.ts';
import { firstLines, maskedRest, redact, redactText } from './redact.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** The fields of a line beside its message. Units are in the names: `durationMs`. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface LogEntry {
  readonly time: Date;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** Where the program writes what happens. Secrets in messages and fields are masked. */
export type Logger = Readonly<Record<LogLevel, (message: string, fields?: LogFields) => void>>;

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** Usually standard output. */
  readonly stream: NodeJS.WritableStream;
}

const order: Record<LogLevel, number> = { error: 0, warn: 1, info: 2, debug: 3 };

/** A symbol, so that no property of a message can stand in its place. */
const entryKey = Symbol('entry');

/** Container runtimes split lines at 16 KiB, and a split line is no longer JSON. */
const maxLineChars = 12_000;
const maxMessageChars = 4000;

/** Control characters but the line feed, and the marks that reorder what a terminal shows. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A winston logger whose lines are redacted and bounded by the formatter, so that no transport sees a secret. */
export function createLogger({ level, format, stream }: LoggerOptions): Logger {
  const formatLine = format === 'json' ? formatJsonLine : formatTextLine;
  const logger = winston.createLogger({
    level,
    levels: order,
    format: winston.format.printf(info => formatLine(info[entryKey as unknown as string] as LogEntry)),
    transports: [new winston.transports.Stream({ stream, eol: '\n' })],
  });
  const write =
    (lineLevel: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (order[lineLevel] > order[level]) return;
      const entry: LogEntry = { time: new Date(), level: lineLevel, message, fields };
      logger.log({ level: lineLevel, message: '', [entryKey]: entry });
    };
  return { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
}

/** One JSON object: `time`, `level`, `message`, then the fields. Secrets are masked, the length is bounded. */
export function formatJsonLine({ time, level, message, fields }: LogEntry): string {
  const head = { time: time.toISOString(), level, message: shorten(redactText(message), maxMessageChars) };
  // first for the reader, and again last, so that no field can stand in their place
  const line = JSON.stringify({ ...head, ...(redact(fields) as object), ...head });
  if (line.length <= maxLineChars) return line;
  const short = Object.entries(redact(fields) as object).map(([name, value]) => [
    name.slice(0, 100),
    typeof value === 'number' || typeof value === 'boolean' ? value : shorten(textOf(value), 500),
  ]);
  const shortened = JSON.stringify({ ...Object.fromEntries(short.slice(0, 12)), ...head, shortened: true });
  return shortened.length <= maxLineChars ? shortened : JSON.stringify({ ...head, shortened: true });
}

/** For a terminal: `12:00:01.123 INFO  message name=value`. */
export function formatTextLine({ time, level, message, fields }: LogEntry): string {
  const parts = Object.entries(redact(fields) as object)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${textOf(value)}`);
  const line = [
    time.toISOString().slice(11, 23),
    level.toUpperCase().padEnd(5),
    shorten(redactText(message), maxMessageChars),
    ...parts,
  ].join(' ');
  return escapeControls(shorten(line, maxLineChars));
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? '';
  return /^[^\s"=]+$/.test(value) || value.includes('\n') ? value : JSON.stringify(value);
}

/** Lines after the first are indented, so that no text from outside can look like a line of the log. */
function escapeControls(value: string): string {
  return value
    .replace(controls, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replace(/\n(?! {4})/g, '\n    ');
}

function shorten(value: string, maxChars: number): string {
  return value.length <= maxChars ? value : `${value.slice(0, maxChars)}… (${value.length} characters)`;
}

/** A finished request with the fields that only the log has. */
export interface LoggedRequest extends RequestOutcome {
  readonly requestId: string | undefined;
  /** The path as it came, without the query, which may hold credentials. */
  readonly path: string;
  readonly error: unknown;
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
