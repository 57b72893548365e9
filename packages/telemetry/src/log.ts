import { pino } from 'pino';
import { prettyLine } from './pretty-line.js';
import { redact } from './redact.js';
import { redactText } from './redact-text.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** What a log line says beside its text; private values are redacted by name. */
export type LogFields = object;

/** Where lines go; each ends with a line feed. */
export interface LogDestination {
  write(line: string): void;
}

export interface LogOptions {
  /** Name of the program, in each line. */
  readonly service: string;
  /** Lines below it are not written. */
  readonly level: LogLevel;
  /** @defaultValue standard error */
  readonly destination?: LogDestination;
  /** Lines for people in place of JSON. @defaultValue false */
  readonly pretty?: boolean;
}

/**
 * A log of fixed texts with fields beside them. The text must hold no personal data; fields may,
 * under the names that `redact` knows.
 */
export interface Log {
  debug(text: string, fields?: LogFields): void;
  info(text: string, fields?: LogFields): void;
  warn(text: string, fields?: LogFields): void;
  error(text: string, fields?: LogFields): void;
  /** The same log with fields added to each line. */
  child(fields: LogFields): Log;
}

/** Opens a log. Lines are written at once, so that none is lost when the process dies. */
export function createLog(options: LogOptions): Log {
  const { service, level, pretty = false } = options;
  const plain = options.destination ?? pino.destination({ dest: 2, sync: true });
  const destination = pretty ? { write: (line: string) => plain.write(prettyLine(line)) } : plain;
  return wrap(
    pino(
      {
        level,
        base: { service },
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      destination,
    ),
  );
}

function wrap(inner: pino.Logger): Log {
  const write = (level: Exclude<LogLevel, 'silent'>, text: string, fields?: LogFields) => {
    if (!inner.isLevelEnabled(level)) return;
    if (fields === undefined) inner[level](redactText(text));
    else inner[level](redact(fields), redactText(text));
  };
  return {
    debug: (text, fields) => write('debug', text, fields),
    info: (text, fields) => write('info', text, fields),
    warn: (text, fields) => write('warn', text, fields),
    error: (text, fields) => write('error', text, fields),
    child: (fields) => wrap(inner.child(redact(fields))),
  };
}
