import type { Settings } from '../config/settings.ts';
import type { BatchLimits } from './planner.ts';

export function readBatchLimits(settings: Settings): BatchLimits {
  return {
    maxRows: settings.whole('HEADGATE_BATCH_MAX_SIZE', { byDefault: 32, minimum: 1, maximum: 1024 }),
    maxDelayMs: settings.whole('HEADGATE_BATCH_MAX_DELAY_MS', { byDefault: 5, minimum: 0, maximum: 10_000 }),
  };
}
