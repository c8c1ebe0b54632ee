import winston from 'winston';
import type { LogLevel } from '../config.ts';

/** A message that never varies, and beside it what varies: so that logs can be searched and counted. */
export interface Log {
  error(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  debug(message: string, fields?: Fields): void;
}

type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** One JSON object a line on standard output. */
export function createLog(level: LogLevel): Log {
  return winston.createLogger({
    level,
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston declares its own transports as interfaces
    transports: new winston.transports.Stream({ stream: process.stdout }),
  });
}
