import winston from 'winston';
import {
  formatJsonLine,
  formatTextLine,
  type LogEntry,
  type LogFields,
  type LogLevel,
} from './format-line.ts';

/** Where the program writes what happens. Secrets in messages and fields are masked on the way out. */
export interface Logger {
  readonly error: (message: string, fields?: LogFields) => void;
  readonly warn: (message: string, fields?: LogFields) => void;
  readonly info: (message: string, fields?: LogFields) => void;
  readonly debug: (message: string, fields?: LogFields) => void;
  /** Whether lines of this level are written, for those who would work to make one. */
  readonly writes: (level: LogLevel) => boolean;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** Usually standard output. */
  readonly stream: NodeJS.WritableStream;
}

const order: Record<LogLevel, number> = { error: 0, warn: 1, info: 2, debug: 3 };

/** Not to be found among a message's own properties by accident, unlike a name. */
const entryKey = Symbol('entry');

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
  return {
    error: write('error'),
    warn: write('warn'),
    info: write('info'),
    debug: write('debug'),
    writes: lineLevel => order[lineLevel] <= order[level],
  };
}
