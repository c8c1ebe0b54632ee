import type { Settings } from '../config/settings.ts';
import type { FeatureSettings } from './feature.ts';

export interface DriftSettings extends FeatureSettings {
  /** Undefined: baseline.json beside the model, if there is one. */
  readonly baselineFile: string | undefined;
}

/** Undefined: nothing is compared. */
export function readDriftSettings(settings: Settings): DriftSettings | undefined {
  if (settings.flag('HEADGATE_DRIFT') !== true) return undefined;
  return {
    baselineFile: settings.optional('HEADGATE_DRIFT_BASELINE_FILE'),
    learnValues: settings.whole('HEADGATE_DRIFT_LEARN_ROWS', {
      byDefault: 1000,
      minimum: 100,
      maximum: 10_000,
    }),
    windowMs:
      settings.whole('HEADGATE_DRIFT_WINDOW_SECONDS', { byDefault: 600, minimum: 10, maximum: 86_400 }) *
      1000,
  };
}
