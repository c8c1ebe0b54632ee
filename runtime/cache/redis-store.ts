import type { Logger } from 'winston';
import { LogThrottle } from '../log.ts';
import type { Tensor } from '../tensor/datatype.ts';
import type { AnswerStore, StoreCounts } from './answer-store.ts';
import { Breaker } from './breaker.ts';
import { seal, unseal } from './sealed.ts';

export interface RedisOptions {
  readonly url: string;
  readonly password: string | undefined;
  readonly ttlMs: number;
  readonly log: Logger;
}

/** What this store needs of a connection. */
export interface RedisConnection {
  get(key: string): Promise<Buffer | null>;
  set(key: string, value: Buffer, ttlMs: number): Promise<unknown>;
  close(): void;
}

export type Connect = (options: RedisOptions) => Promise<RedisConnection>;

/** A request waits no longer for Redis: beyond that the model is asked. */
const PATIENCE_MS = 50;
/** What is larger is not worth the way. */
const LARGEST_BYTES = 2 ** 20;
const MOST_WRITES = 256;
const PREFIX = 'headgate:';

class TooSlowError extends Error {}

function withinPatience<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooSlowError(`no answer within ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Answers that all pods share. Without Redis, or with a slow one, every request is a miss. */
export class RedisStore implements AnswerStore {
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

  get counts(): StoreCounts {
    return { entries: 0, bytes: 0, evictions: 0, failures: this.#breaker.failures };
  }

  async get(key: string): Promise<readonly Tensor[] | undefined> {
    const sealed = await this.#ask((connection) => connection.get(PREFIX + key));
    return sealed === undefined || sealed === null ? undefined : unseal(key, sealed);
  }

  set(key: string, outputs: readonly Tensor[]): void {
    if (this.#writes >= MOST_WRITES) return;
    const sealed = seal(key, outputs);
    if (sealed.length > LARGEST_BYTES) return;
    this.#writes++;
    const { ttlMs } = this.#options;
    void this.#ask((connection) => connection.set(PREFIX + key, sealed, ttlMs)).finally(() => this.#writes--);
  }

  close(): void {
    this.#connection.then(
      (connection) => connection.close(),
      () => undefined,
    );
  }

  async #ask<T>(question: (connection: RedisConnection) => Promise<T>): Promise<T | undefined> {
    if (!this.#breaker.admits(performance.now())) return undefined;
    try {
      const answer = await withinPatience(this.#connection.then(question));
      this.#breaker.succeeded();
      return answer;
    } catch (error) {
      this.#fail(error as Error);
      return undefined;
    }
  }

  #fail(error: Error): void {
    const nowMs = performance.now();
    this.#breaker.failed(nowMs);
    const heldBack = this.#throttle.admit(nowMs);
    if (heldBack === undefined) return;
    this.#options.log.warn('the cache in Redis is not used for a moment', { cause: error.message, heldBack });
  }
}
