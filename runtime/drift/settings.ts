import type { Settings } from '../config/settings.ts';
import type { FeatureSettings } from './feature.ts';

/** Learned from the first requests, baseline.json beside the model, or a file of this path. */
export type BaselineSource =
  { readonly kind: 'Learned' | 'Shipped' } | { readonly kind: 'File'; readonly path: string };

export interface DriftSettings extends FeatureSettings {
  readonly baseline: BaselineSource;
}

function readSource(settings: Settings, kind: BaselineSource['kind']): BaselineSource {
  if (kind !== 'File') return { kind };
  return { kind, path: settings.required('HEADGATE_DRIFT_BASELINE_FILE') };
}

/** Undefined: nothing is compared. */
export function readDriftSettings(settings: Settings): DriftSettings | undefined {
  const kind = settings.oneOf('HEADGATE_DRIFT_BASELINE', ['Learned', 'Shipped', 'File']);
  if (kind === undefined) return undefined;
  const whole = (name: string, byDefault: number, minimum: number, maximum: number): number =>
    settings.whole(name, { byDefault, minimum, maximum });
  return {
    baseline: readSource(settings, kind),
    learnValues: whole('HEADGATE_DRIFT_LEARN_ROWS', 1000, 100, 10_000),
    windowMs: whole('HEADGATE_DRIFT_WINDOW_SECONDS', 600, 10, 86_400) * 1000,
  };
}
