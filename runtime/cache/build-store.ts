import type { Logger } from 'winston';
import type { AnswerStore } from './answer-store.ts';
import { MemoryStore } from './memory-store.ts';
import { connectToRedis } from './redis-connection.ts';
import { RedisStore } from './redis-store.ts';
import type { CacheSettings } from './settings.ts';

export function buildAnswerStore({ redis, maxBytes, ttlMs }: CacheSettings, log: Logger): AnswerStore {
  if (redis !== undefined) return new RedisStore({ ...redis, ttlMs, log }, connectToRedis);
  return new MemoryStore({ maxBytes, ttlMs }, () => performance.now());
}
