import Type from 'typebox';
import { duration, wholeNumber } from './schema.ts';

export const feedbackSchema = Type.Object(
  {
    answers: wholeNumber({
      description:
        'Of how many answers each pod remembers what it predicted, the latest ones; about 300 bytes each.',
      minimum: 1,
      maximum: 1_000_000,
      example: 10_000,
    }),
    wait: Type.Optional(
      duration({
        field: 'spec.runtime.feedback.wait',
        description: 'How long an answer is remembered; without it, 24h.',
        example: '72h',
      }),
    ),
  },
  {
    description:
      'Whether POST /feedback takes what would have been right, by the id of the request, and tells accuracy or error per revision as metrics. Without it, there is no such address.',
  },
);
