import Type, { type Static } from 'typebox';
import { durationMs } from '../api/duration.ts';
import { duration, wholeNumber } from '../api/schema.ts';
import { FULL_WEIGHT, splitBetween } from '../traffic/routing.ts';
import type { Strategy } from './strategy.ts';

const FIELD = 'spec.rollout.shadow';
const PERCENT = FULL_WEIGHT / 100;

export const shadowSchema = Type.Object(
  {
    percent: wholeNumber({
      description:
        "How many of the users' requests, in percent, the candidate gets copies of; users never see its answers.",
      minimum: 1,
      maximum: 100,
      default: 10,
    }),
    for: duration({
      field: `${FIELD}.for`,
      description: 'How long it gets them, counted from the proof that every proxy copies.',
      default: '10m',
    }),
    then: Type.Enum(['Hold', 'Promote'], {
      description:
        'What follows: Hold goes on copying until a decision or an edit, Promote sends all users to the candidate once it has the pods for them.',
      default: 'Hold',
    }),
  },
  { description: 'A candidate that works on copies of requests and answers nobody.' },
);

export type ShadowConfiguration = Static<typeof shadowSchema>;

/** The steps: copies begin, time goes by, somebody decides where that was asked for, all users switch. */
const WATCH = 1;
const HOLD = 2;

function switchStep({ then }: ShadowConfiguration): number {
  return then === 'Hold' ? HOLD + 1 : HOLD;
}

/** Real requests without real users: https://martinfowler.com/bliki/DarkLaunching.html */
export const shadow: Strategy<ShadowConfiguration> = {
  stepCount: (configuration) => switchStep(configuration) + 1,

  firstStep: (configuration, { weight }) => (weight === FULL_WEIGHT ? switchStep(configuration) : 0),

  // A candidate that had some weight under other steps loses it: here it answers nobody before it answers all.
  demand(configuration, { stable, candidate, stepIndex }) {
    if (stepIndex >= switchStep(configuration)) {
      return { routing: splitBetween(stable, candidate, FULL_WEIGHT), candidateShare: FULL_WEIGHT };
    }
    const weight = configuration.percent * PERCENT;
    return {
      routing: { ...splitBetween(stable, candidate, 0), mirrors: [{ revision: candidate, weight }] },
      candidateShare: weight,
    };
  },

  wait(configuration, stepIndex, enteredAtMs) {
    if (stepIndex === WATCH) return { kind: 'Until', timeMs: enteredAtMs + durationMs(configuration.for) };
    return stepIndex === HOLD && configuration.then === 'Hold' ? { kind: 'Decision' } : undefined;
  },
};
