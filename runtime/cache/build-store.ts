import type { Logger } from 'winston';
import { connectToRedis } from '../redis/connection.ts';
import { PatientRedis } from '../redis/patient-redis.ts';
import type { AnswerStore } from './answer-store.ts';
import { MemoryStore } from './memory-store.ts';
import { RedisStore } from './redis-store.ts';
import type { CacheSettings } from './settings.ts';

/** A request waits no longer for Redis: beyond that the model is asked. */
const PATIENCE_MS = 50;

export function buildAnswerStore({ redis, maxBytes, ttlMs }: CacheSettings, log: Logger): AnswerStore {
  if (redis === undefined) return new MemoryStore({ maxBytes, ttlMs }, () => performance.now());
  const options = { ...redis, use: 'cache' as const, patienceMs: PATIENCE_MS, log };
  return new RedisStore(new PatientRedis(options, connectToRedis), ttlMs);
}
