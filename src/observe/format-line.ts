import { redact, redactText } from './redact.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** What a line says beside its message. Units are in the names: `durationMs`. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface LogEntry {
  readonly time: Date;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** Container runtimes split lines at 16 KiB, and a split line is no longer JSON. */
const maxLineChars = 12_000;
const maxMessageChars = 4000;

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

/** For people: `12:00:01.123 INFO  message name=value`. */
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
  return shorten(line, maxLineChars);
}

function textOf(value: unknown): string {
  if (typeof value === 'string')
    return /^[^\s"=]+$/.test(value) || value.includes('\n') ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? '';
}

function shorten(value: string, maxChars: number): string {
  return value.length <= maxChars ? value : `${value.slice(0, maxChars)}… (${value.length} characters)`;
}
