import type { Labels, ScrapedMetric } from '../metrics/scraped.ts';
import type { PatientRedis } from '../redis/patient-redis.ts';
import type { Tensor } from '../tensor/datatype.ts';
import type { AnswerStore } from './answer-store.ts';
import { seal, unseal } from './sealed.ts';

/** What is larger is not worth the way. */
const LARGEST_BYTES = 2 ** 20;
const PREFIX = 'headgate:';

/** Answers that all pods share. Without Redis, or with a slow one, every request is a miss. */
export class RedisStore implements AnswerStore {
  readonly #redis: PatientRedis;
  readonly #ttlMs: number;

  constructor(redis: PatientRedis, ttlMs: number) {
    this.#redis = redis;
    this.#ttlMs = ttlMs;
  }

  async get(key: string): Promise<readonly Tensor[] | undefined> {
    const sealed = await this.#redis.ask((connection) => connection.get(PREFIX + key));
    return sealed === undefined || sealed === null ? undefined : unseal(key, sealed);
  }

  set(key: string, outputs: readonly Tensor[]): void {
    const sealed = seal(key, outputs);
    if (sealed.length <= LARGEST_BYTES) this.#redis.write(PREFIX + key, sealed, this.#ttlMs);
  }

  scraped(labels: Labels): readonly ScrapedMetric[] {
    return this.#redis.scraped(labels);
  }

  close(): void {
    this.#redis.close();
  }
}
