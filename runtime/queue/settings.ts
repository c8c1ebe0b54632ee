import type { Settings } from '../config/settings.ts';

export interface QueueSettings {
  readonly maxDepth: number;
  /** From the arrival of a request to its answer, where it says nothing shorter; undefined: for ever. */
  readonly timeoutMs: number | undefined;
}

export function readQueueSettings(settings: Settings): QueueSettings {
  const rule = { byDefault: 0, minimum: 0, maximum: 86_400_000 };
  const timeoutMs = settings.whole('HEADGATE_QUEUE_TIMEOUT_MS', rule);
  return {
    maxDepth: settings.whole('HEADGATE_QUEUE_MAX_DEPTH', { byDefault: 512, minimum: 1, maximum: 1_000_000 }),
    timeoutMs: timeoutMs === 0 ? undefined : timeoutMs,
  };
}
