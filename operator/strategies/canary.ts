import Type, { type Static } from 'typebox';
import { durationMs } from '../api/duration.ts';
import { duration, nativeObject, rules } from '../api/schema.ts';
import { FULL_WEIGHT, splitBetween } from '../traffic/routing.ts';
import type { Strategy } from './strategy.ts';

const WEIGHT_UNIT = FULL_WEIGHT / 100;

const FIELD = 'spec.rollout.canary.steps';

const pause = Type.Object(
  {
    for: Type.Optional(
      duration({
        field: `${FIELD}[].pause.for`,
        description:
          'How long to stay, counted from the proof of the weight before it. Left out: until somebody decides, or an edit removes the pause.',
        example: '10m',
      }),
    ),
  },
  { description: 'Stays at the present weight.' },
);

const step = Type.Object(
  {
    weight: Type.Optional(
      Type.Integer({
        description: 'Percent of user traffic for the candidate. Done when every proxy is proven to use it.',
        minimum: 0,
        maximum: 100,
        example: 25,
      }),
    ),
    pause: Type.Optional(pause),
    // What people bring along from other tools; any other name is refused by the API server as an unknown field.
    setWeight: Type.Optional(Type.Integer({ description: 'Refused: the step is called weight here.' })),
    analysis: Type.Optional(nativeObject('Refused: spec.rollout.abortOn judges all along.')),
  },
  {
    description: 'One step: a weight or a pause.',
    ...rules(
      {
        rule: '!has(self.setWeight)',
        message: `${FIELD} has no step setWeight; write weight, for example weight: 20`,
      },
      {
        rule: '!has(self.analysis)',
        message: `${FIELD} has no step analysis; write weight or pause, and what a candidate is given up for under spec.rollout.abortOn`,
      },
      {
        rule: 'has(self.setWeight) || has(self.analysis) || has(self.weight) != has(self.pause)',
        message: `${FIELD} must hold exactly one of weight or pause in each step; write each as its own list entry`,
      },
    ),
  },
);

export const canarySchema = Type.Object(
  {
    steps: Type.Array(step, {
      description: 'The way of the candidate, first to last; after the last one it is promoted.',
      minItems: 1,
      maxItems: 32,
      default: [
        { weight: 5 },
        { pause: { for: '1m' } },
        { weight: 25 },
        { pause: { for: '1m' } },
        { weight: 50 },
        { pause: { for: '1m' } },
        { weight: 100 },
      ],
      ...rules({
        rule: 'self.filter(s, has(s.weight)).map(s, s.weight).isSorted() && self.filter(s, has(s.weight)).all(s, self.filter(t, has(t.weight) && t.weight == s.weight).size() == 1)',
        message: `${FIELD} must have weights that rise from step to step; put them in rising order, each once`,
      }),
    }),
  },
  { description: 'Steps of a canary rollout.' },
);

export type CanaryConfiguration = Static<typeof canarySchema>;

/** The weight in force at a step: that of the last weight step up to and including it. */
function weightAt({ steps }: CanaryConfiguration, stepIndex: number): number {
  if (stepIndex >= steps.length) return FULL_WEIGHT;
  return (
    (steps.slice(0, stepIndex + 1).findLast((entry) => entry.weight !== undefined)?.weight ?? 0) * WEIGHT_UNIT
  );
}

/** A few users first, more as it proves itself: https://martinfowler.com/bliki/CanaryRelease.html */
export const canary: Strategy<CanaryConfiguration> = {
  stepCount: ({ steps }) => steps.length,

  // Weights at or below the present one, and the pauses before them, are passed at once (docs/decisions/0003).
  firstStep({ steps }, { weight: currentWeight }) {
    if (currentWeight === 0) return 0;
    return (
      steps.findLastIndex(({ weight }) => weight !== undefined && weight * WEIGHT_UNIT <= currentWeight) + 1
    );
  },

  demand(configuration, { stable, candidate, stepIndex, floorWeight }) {
    // Never below the weight at which these steps began.
    const weight = Math.max(weightAt(configuration, stepIndex), floorWeight);
    return { routing: splitBetween(stable, candidate, weight), candidateShare: weight };
  },

  wait({ steps }, stepIndex, enteredAtMs) {
    const rest = steps[stepIndex]?.pause;
    if (rest === undefined) return undefined;
    return rest.for === undefined
      ? { kind: 'Decision' }
      : { kind: 'Until', timeMs: enteredAtMs + durationMs(rest.for) };
  },
};
