import type { Settings } from '../config/settings.ts';
import { readRedisSettings, type RedisSettings } from '../redis/settings.ts';

export interface CacheSettings {
  readonly maxBytes: number;
  readonly ttlMs: number;
  /** Undefined: answers are kept in the memory of this process. */
  readonly redis: RedisSettings | undefined;
}

const MEBIBYTE = 2 ** 20;

/** Undefined: no answers are kept. */
export function readCacheSettings(settings: Settings): CacheSettings | undefined {
  const ttl = { byDefault: 0, minimum: 0, maximum: 2_592_000_000 };
  const ttlMs = settings.whole('HEADGATE_CACHE_TTL_MS', ttl);
  if (ttlMs === 0) return undefined;
  const size = { byDefault: 64 * MEBIBYTE, minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
  return {
    maxBytes: settings.whole('HEADGATE_CACHE_MAX_BYTES', size),
    ttlMs,
    redis: readRedisSettings(settings, 'HEADGATE_CACHE'),
  };
}
