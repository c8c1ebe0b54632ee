import Type, { type Static } from 'typebox';
import { durationMs } from '../api/duration.ts';
import { FULL_WEIGHT, splitBetween } from '../traffic/routing.ts';
import type { Position, Strategy } from './strategy.ts';

const WEIGHT_UNIT = FULL_WEIGHT / 100;

const pause = Type.Object(
  {
    for: Type.Optional(
      Type.String({
        description:
          'How long to stay, counted from the proof of the weight before it. Left out: until an edit removes the pause.',
        pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$',
        maxLength: 32,
        examples: ['10m'],
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
        examples: [25],
      }),
    ),
    pause: Type.Optional(pause),
  },
  {
    description: 'One step: a weight or a pause.',
    'x-kubernetes-validations': [
      {
        rule: 'has(self.weight) != has(self.pause)',
        message: 'a step is exactly one of weight or pause: write each as its own list entry',
      },
    ],
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
      'x-kubernetes-validations': [
        {
          rule: 'self.filter(s, has(s.weight)).map(s, s.weight).isSorted() && self.filter(s, has(s.weight)).all(s, self.filter(t, has(t.weight) && t.weight == s.weight).size() == 1)',
          message: 'weights must rise from step to step: put them in rising order, each once',
        },
      ],
    }),
  },
  { description: 'Steps of a canary rollout.', default: {} },
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
  schema: canarySchema,

  stepCount: ({ steps }) => steps.length,

  // Weights at or below the present one, and the pauses before them, are passed at once (docs/decisions/0003).
  firstStep({ steps }, currentWeight) {
    if (currentWeight === 0) return 0;
    return (
      steps.findLastIndex(({ weight }) => weight !== undefined && weight * WEIGHT_UNIT <= currentWeight) + 1
    );
  },

  demand(configuration, { stable, candidate, stepIndex, floorWeight }: Position) {
    const weight = Math.max(weightAt(configuration, stepIndex), floorWeight);
    return { routing: splitBetween(stable, candidate, weight), candidateShare: weight };
  },

  wait({ steps }, stepIndex, enteredAtMs) {
    const rest = steps[stepIndex]?.pause;
    if (rest === undefined) return undefined;
    return rest.for === undefined
      ? { kind: 'Edit' }
      : { kind: 'Until', timeMs: enteredAtMs + durationMs(rest.for) };
  },
};
