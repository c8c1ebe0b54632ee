import Type, { type TOptional } from 'typebox';
import type { CanaryConfiguration } from '../strategies/canary.ts';
import { strategies, type StrategyName } from '../strategies/index.ts';
import { duration, rules, wholeNumber, type Rule } from './schema.ts';

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

type Registered = (typeof strategies)[StrategyName];
type Blocks = {
  [Field in Registered['field']]: TOptional<Extract<Registered, { readonly field: Field }>['schema']>;
};

const entries = Object.entries(strategies);
const blocks = Object.fromEntries(
  entries.map(([, { field, schema }]) => [field, Type.Optional(schema)]),
) as Blocks;

/** What is written for one strategy says nothing to another, and nobody may be left to believe otherwise. */
function belongsTo([name, { field }]: (typeof entries)[number]): Rule {
  return {
    // There is always a strategy, but not yet when the API server tries the default of `rollout` itself.
    rule: `!has(self.${field}) || !has(self.strategy) || self.strategy == '${name}'`,
    message: `spec.rollout.${field} configures the strategy ${name}; remove it, or set spec.rollout.strategy to ${name}`,
  };
}

export const rolloutSchema = Type.Object(
  {
    strategy: Type.Enum(Object.keys(strategies) as StrategyName[], {
      description: 'How traffic moves from the stable revision to a new one.',
      default: 'Canary',
    }),
    ...blocks,
    abortOn: abortOnSchema,
    revisionHistoryLimit: wholeNumber({
      description:
        'How many revisions that are over are kept to go back to; one that is in use is never forgotten.',
      minimum: 1,
      maximum: 50,
      default: 10,
    }),
  },
  { description: 'How a new revision takes over.', default: {}, ...rules(...entries.map(belongsTo)) },
);
