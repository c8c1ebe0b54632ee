import Type from 'typebox';
import { canarySchema, type CanaryConfiguration } from '../strategies/canary.ts';
import { strategies, type StrategyName } from '../strategies/index.ts';
import { duration, wholeNumber } from './schema.ts';

/** One step of a canary, of exactly one kind. */
export type CanaryStep = CanaryConfiguration['steps'][number];

const abortOnSchema = Type.Object(
  {
    errorRatePercent: wholeNumber({
      description:
        'The share of failed requests, in percent, above which the candidate is given up; requests that fail by fault of the client do not count.',
      minimum: 1,
      maximum: 100,
      default: 5,
    }),
    progressDeadline: duration({
      field: 'spec.rollout.abortOn.progressDeadline',
      description:
        'How long the candidate may wait for ready pods, at its start and before each step, until it is given up.',
      default: '10m',
    }),
  },
  {
    description: 'When a rollout is given up and all traffic goes back to the stable revision.',
    default: {},
  },
);

export const rolloutSchema = Type.Object(
  {
    strategy: Type.Enum(Object.keys(strategies) as StrategyName[], {
      description: 'How traffic moves from the stable revision to a new one.',
      default: 'Canary',
    }),
    canary: canarySchema,
    abortOn: abortOnSchema,
  },
  { description: 'How a new revision takes over.', default: {} },
);
