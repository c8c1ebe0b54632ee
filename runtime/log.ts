import winston, { type Logger } from 'winston';

/** One JSON object a line, with what tells this pod's lines from others. */
export function createLog(level: string, labels: Readonly<Record<string, string>>): Logger {
  return winston.createLogger({
    level,
    defaultMeta: labels,
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston types its transports as interfaces
    transports: [new winston.transports.Console()],
  });
}

/** Lets one line a second through, and tells it how many were held back: a failing model must not drown the log. */
export class LogThrottle {
  #lastMs = -Infinity;
  #heldBack = 0;

  /** The number of lines held back since the last one, or undefined when this one is held back too. */
  admit(nowMs: number): number | undefined {
    if (nowMs - this.#lastMs < 1000) {
      this.#heldBack++;
      return undefined;
    }
    const heldBack = this.#heldBack;
    this.#lastMs = nowMs;
    this.#heldBack = 0;
    return heldBack;
  }
}
