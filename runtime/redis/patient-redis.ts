import type { Logger } from 'winston';
import { LogThrottle } from '../log.ts';
import type { Labels, Sample, ScrapedMetric } from '../metrics/scraped.ts';
import { Breaker } from './breaker.ts';
import type { Connect, RedisConnection } from './connection.ts';
import type { RedisSettings } from './settings.ts';

export interface RedisOptions extends RedisSettings {
  /** What it is for, as the log and the metrics call it. */
  readonly use: 'cache' | 'feedback';
  /** Nobody waits longer for an answer. */
  readonly patienceMs: number;
  readonly log: Logger;
}

const MOST_WRITES = 256;

class TooSlowError extends Error {}

function within<T>(patienceMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooSlowError(`no answer within ${patienceMs} ms`)), patienceMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A Redis that pods share and that may be slow or away: whatever is asked of it is answered soon, or not at all. */
export class PatientRedis {
  readonly #options: RedisOptions;
  readonly #connection: Promise<RedisConnection>;
  readonly #breaker = new Breaker();
  readonly #throttle = new LogThrottle();
  #writes = 0;
  #skipped = 0;

  constructor(options: RedisOptions, connect: Connect) {
    this.#options = options;
    this.#connection = connect(options);
    this.#connection.catch((error: unknown) => this.#fail(error as Error));
  }

  /** Undefined: it did not answer, or was not asked because it just failed. */
  async ask<T>(question: (connection: RedisConnection) => Promise<T>): Promise<T | undefined> {
    if (!this.#breaker.admits(performance.now())) {
      this.#skipped++;
      return undefined;
    }
    try {
      const answer = await within(this.#options.patienceMs, this.#connection.then(question));
      this.#breaker.succeeded();
      return answer;
    } catch (error) {
      this.#fail(error as Error);
      return undefined;
    }
  }

  /** Nobody waits for it; where it is behind with writes, or away, this one is left out. */
  write(key: string, value: Buffer, ttlMs: number): void {
    if (this.#writes >= MOST_WRITES) {
      this.#skipped++;
      return;
    }
    this.#writes++;
    void this.ask((connection) => connection.set(key, value, ttlMs)).finally(() => this.#writes--);
  }

  scraped(labels: Labels): ScrapedMetric[] {
    const name = `headgate_${this.#options.use}_redis`;
    const one = (value: number): Sample[] => [{ labels, value }];
    return [
      {
        name: `${name}_failures_total`,
        help: 'Questions and writes that Redis did not answer in time, or refused.',
        type: 'counter',
        read: () => one(this.#breaker.failures),
      },
      {
        name: `${name}_skipped_total`,
        help: 'Questions and writes that were left out, because Redis had just failed or was behind.',
        type: 'counter',
        read: () => one(this.#skipped),
      },
      {
        name: `${name}_away`,
        help: '1 since a question to Redis has failed, until one is answered.',
        type: 'gauge',
        read: () => one(Number(this.#breaker.isOpen)),
      },
    ];
  }

  close(): void {
    this.#connection.then(
      (connection) => connection.close(),
      () => undefined,
    );
  }

  #fail(error: Error): void {
    const nowMs = performance.now();
    this.#breaker.failed(nowMs);
    const heldBack = this.#throttle.admit(nowMs);
    if (heldBack === undefined) return;
    const { log, use } = this.#options;
    log.warn('Redis is not used for a moment', { use, cause: error.message, heldBack });
  }
}
