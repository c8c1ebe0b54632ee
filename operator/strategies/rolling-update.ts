import Type, { type Static } from 'typebox';
import { wholeNumber } from '../api/schema.ts';
import { FULL_WEIGHT, splitBetween } from '../traffic/routing.ts';
import type { Position, Strategy } from './strategy.ts';

export const rollingUpdateSchema = Type.Object(
  {
    surgePercent: wholeNumber({
      description:
        "How much the candidate grows in one step, in percent of the stable's pods; its share of the traffic follows where traffic can be divided.",
      minimum: 1,
      maximum: 100,
      default: 25,
    }),
  },
  { description: 'A candidate that takes over as its pods come.' },
);

export type RollingUpdateConfiguration = Static<typeof rollingUpdateSchema>;

/** What the candidate is to carry at a step; all of it at the last one and beyond. */
function shareAt({ surgePercent }: RollingUpdateConfiguration, stepIndex: number): number {
  return Math.min(FULL_WEIGHT, (stepIndex + 1) * surgePercent * (FULL_WEIGHT / 100));
}

/**
 * The candidate takes over as its pods come, without pauses. The stable keeps its pods to the end, so that going back
 * needs none; where there is no room for both, there is Recreate.
 */
export const rollingUpdate: Strategy<RollingUpdateConfiguration> = {
  stepCount: ({ surgePercent }) => Math.ceil(100 / surgePercent),

  firstStep: ({ surgePercent }, { weight }) =>
    weight === FULL_WEIGHT
      ? Math.ceil(100 / surgePercent)
      : Math.floor(weight / (surgePercent * (FULL_WEIGHT / 100))),

  demand(configuration, { stable, candidate, stepIndex, floorWeight, canSplit }: Position) {
    const share = Math.max(shareAt(configuration, stepIndex), floorWeight);
    const weight = canSplit || share === FULL_WEIGHT ? share : 0;
    return { routing: splitBetween(stable, candidate, weight), candidateShare: share };
  },

  wait: () => undefined,
};
