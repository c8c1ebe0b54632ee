import type { Settings } from '../config/settings.ts';
import { readRedisSettings, type RedisSettings } from '../redis/settings.ts';

export interface FeedbackSettings {
  /** Of so many answers a label can still come; in Redis, its own maxmemory says so. */
  readonly mostKept: number;
  readonly keptMs: number;
  /** Undefined: answers wait in the memory of this process. */
  readonly redis: RedisSettings | undefined;
  /** Models of other namespaces may have the same name. */
  readonly namespace: string;
}

/** Undefined: nobody waits for labels. */
export function readFeedbackSettings(settings: Settings): FeedbackSettings | undefined {
  const mostKept = settings.whole('HEADGATE_FEEDBACK_ANSWERS', {
    byDefault: 0,
    minimum: 0,
    maximum: 1_000_000,
  });
  if (mostKept === 0) return undefined;
  const keptSeconds = settings.whole('HEADGATE_FEEDBACK_WAIT_SECONDS', {
    byDefault: 86_400,
    minimum: 1,
    maximum: 2 ** 31,
  });
  return {
    mostKept,
    keptMs: keptSeconds * 1000,
    redis: readRedisSettings(settings, 'HEADGATE_FEEDBACK'),
    namespace: settings.optional('HEADGATE_NAMESPACE') ?? 'default',
  };
}
