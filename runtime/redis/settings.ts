import type { Settings } from '../config/settings.ts';

export interface RedisSettings {
  readonly url: string;
  /** Undefined: it asks for none. */
  readonly passwordFile: string | undefined;
}

/** Of the variables that begin so; undefined: no Redis. */
export function readRedisSettings(settings: Settings, prefix: string): RedisSettings | undefined {
  const name = `${prefix}_REDIS_URL`;
  const url = settings.optional(name);
  if (url === undefined) return undefined;
  if (!/^rediss?:\/\/[^\s/]+(\/\d+)?$/u.test(url)) {
    settings.fail(
      `${name} is '${url}'; set redis://HOST:PORT, or rediss://HOST:PORT for TLS, with /N for another database`,
    );
  }
  return { url, passwordFile: settings.optional(`${prefix}_REDIS_PASSWORD_FILE`) };
}
