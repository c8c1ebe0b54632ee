import { canary } from './canary.ts';

/**
 * Every strategy, by the name that `spec.rollout.strategy` takes, with the field of `spec.rollout` that configures
 * it. The schema of the object derives from this list.
 */
export const strategies = {
  Canary: { field: 'canary', strategy: canary },
} as const;

export type StrategyName = keyof typeof strategies;
