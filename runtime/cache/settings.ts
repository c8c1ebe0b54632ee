import type { Settings } from '../config/settings.ts';

export interface CacheSettings {
  readonly maxBytes: number;
  readonly ttlMs: number;
  /** Undefined: answers are kept in the memory of this process. */
  readonly redis: { readonly url: string; readonly password: string | undefined } | undefined;
}

const MEBIBYTE = 2 ** 20;

function readRedis(settings: Settings): CacheSettings['redis'] {
  const url = settings.optional('HEADGATE_CACHE_REDIS_URL');
  if (url === undefined) return undefined;
  if (!/^rediss?:\/\/[^\s/]+(\/\d+)?$/u.test(url)) {
    settings.fail(
      `HEADGATE_CACHE_REDIS_URL is '${url}'; set redis://HOST:PORT, or rediss://HOST:PORT for TLS, with /N for another database`,
    );
  }
  return { url, password: settings.optional('HEADGATE_CACHE_REDIS_PASSWORD') };
}

/** Undefined: no answers are kept. */
export function readCacheSettings(settings: Settings): CacheSettings | undefined {
  const ttl = { byDefault: 0, minimum: 0, maximum: 2_592_000_000 };
  const ttlMs = settings.whole('HEADGATE_CACHE_TTL_MS', ttl);
  if (ttlMs === 0) return undefined;
  const size = { byDefault: 64 * MEBIBYTE, minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
  return {
    maxBytes: settings.whole('HEADGATE_CACHE_MAX_BYTES', size),
    ttlMs,
    redis: readRedis(settings),
  };
}
