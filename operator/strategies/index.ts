import type { Static, TSchema } from 'typebox';
import Value from 'typebox/value';
import { blueGreen, blueGreenSchema } from './blue-green.ts';
import { canary, canarySchema } from './canary.ts';
import { recreate, recreateSchema } from './recreate.ts';
import { rollingUpdate, rollingUpdateSchema } from './rolling-update.ts';
import { shadow, shadowSchema } from './shadow.ts';
import type { BoundStrategy, Strategy } from './strategy.ts';

/**
 * Every strategy, by the name that `spec.rollout.strategy` takes, with the field of `spec.rollout` that configures
 * it. The schema of the object derives from this list.
 */
export const strategies = {
  Canary: entry('canary', canarySchema, canary),
  BlueGreen: entry('blueGreen', blueGreenSchema, blueGreen),
  Shadow: entry('shadow', shadowSchema, shadow),
  RollingUpdate: entry('rollingUpdate', rollingUpdateSchema, rollingUpdate),
  Recreate: entry('recreate', recreateSchema, recreate),
} as const;

export type StrategyName = keyof typeof strategies;

/** What configures strategies in `spec.rollout`. */
export type StrategyBlocks = {
  readonly [Name in StrategyName as (typeof strategies)[Name]['field']]?: Static<
    (typeof strategies)[Name]['schema']
  >;
};

/** The strategy that a spec has chosen, with its configuration. */
export function chosenStrategy(rollout: StrategyBlocks & { readonly strategy: StrategyName }): BoundStrategy {
  const { field, bound } = strategies[rollout.strategy];
  return bound(rollout[field]);
}

/**
 * A block is left out of most specs, and the API server cannot fill in that of the chosen strategy alone: so it fills
 * in what is missing inside of a block, and what a missing block means is taken from the same schema here.
 */
function entry<Field extends string, Schema extends TSchema>(
  field: Field,
  schema: Schema,
  strategy: Strategy<Static<Schema>>,
): {
  readonly field: Field;
  readonly schema: Schema;
  readonly bound: (block: unknown) => BoundStrategy;
} {
  const defaults = Value.Default(schema, {});
  return { field, schema, bound: (block = defaults) => bind(strategy, block as Static<Schema>) };
}

function bind<Configuration>(strategy: Strategy<Configuration>, configuration: Configuration): BoundStrategy {
  return {
    configuration,
    stepCount: strategy.stepCount(configuration),
    keepOldMs: strategy.keepOldMs?.(configuration) ?? 0,
    firstStep: (arrival) => strategy.firstStep(configuration, arrival),
    demand: (position) => strategy.demand(configuration, position),
    wait: (stepIndex, enteredAtMs) => strategy.wait(configuration, stepIndex, enteredAtMs),
  };
}
