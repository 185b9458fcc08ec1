import pino, { type Logger } from 'pino';
import { Runtime, type LogLevel, type LogMetadata } from '@temporalio/worker';

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** One log for the hub's words and Temporal's: JSON lines, the time first, no host name. */
export function installWorkerLog(level: string): Logger {
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const write = (kind: LogLevel, message: string, meta?: LogMetadata) =>
    log[levels[kind]](
      meta === undefined ? {} : { ...meta, sdkComponent: undefined, timestampNanos: undefined },
      message,
    );
  Runtime.install({
    // The worker's main decides when to stop; the SDK must not do so beside it.
    shutdownSignals: [],
    logger: {
      log: write,
      trace: (message, meta) => write('TRACE', message, meta),
      debug: (message, meta) => write('DEBUG', message, meta),
      info: (message, meta) => write('INFO', message, meta),
      warn: (message, meta) => write('WARN', message, meta),
      error: (message, meta) => write('ERROR', message, meta),
    },
  });
  return log;
}
