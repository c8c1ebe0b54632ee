import type { Logger } from 'winston';
import { LogThrottle } from '../log.ts';
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

  constructor(options: RedisOptions, connect: Connect) {
    this.#options = options;
    this.#connection = connect(options);
    this.#connection.catch((error: unknown) => this.#fail(error as Error));
  }

  /** Times that it did not answer, or not in time. */
  get failures(): number {
    return this.#breaker.failures;
  }

  /** Undefined: it did not answer, or was not asked because it just failed. */
  async ask<T>(question: (connection: RedisConnection) => Promise<T>): Promise<T | undefined> {
    if (!this.#breaker.admits(performance.now())) return undefined;
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
    if (this.#writes >= MOST_WRITES) return;
    this.#writes++;
    void this.ask((connection) => connection.set(key, value, ttlMs)).finally(() => this.#writes--);
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
