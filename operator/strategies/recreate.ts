import Type, { type Static } from 'typebox';
import { FULL_WEIGHT, splitBetween } from '../traffic/routing.ts';
import type { Strategy } from './strategy.ts';

export const recreateSchema = Type.Object(
  {},
  { description: 'The old pods end before the new ones start; there is nothing to set.' },
);

/**
 * The stable's pods end, then the candidate's begin: for models that fit into the cluster only once. Nobody is served
 * in between, by the user's own choice; it is the one strategy for which I1, I2 and I7 do not hold meanwhile.
 */
export const recreate: Strategy<Static<typeof recreateSchema>> = {
  stepCount: () => 1,

  firstStep: (_nothing, { weight }) => (weight === FULL_WEIGHT ? 1 : 0),

  demand: (_nothing, { stable, candidate, stepIndex }) => ({
    routing: splitBetween(stable, candidate, stepIndex < 0 ? 0 : FULL_WEIGHT),
    candidateShare: FULL_WEIGHT,
    endsStableFirst: true,
  }),

  wait: () => undefined,
};
