import Type from 'typebox';
import { duration, wholeNumber } from './schema.ts';
import { redisSchema } from './spec-redis.ts';

export const feedbackSchema = Type.Object(
  {
    answers: Type.Optional(
      wholeNumber({
        description:
          'Of how many answers each pod remembers what it predicted, the latest ones; about 300 bytes each. Without it, 10000. In Redis its own maxmemory says so.',
        minimum: 1,
        maximum: 1_000_000,
        example: 50_000,
      }),
    ),
    wait: Type.Optional(
      duration({
        field: 'spec.runtime.feedback.wait',
        description: 'How long an answer is remembered; without it, 24h.',
        example: '72h',
      }),
    ),
    redis: Type.Optional(
      redisSchema(
        'spec.runtime.feedback.redis',
        'A Redis in which the answers of all pods wait, so that a label may come to any of them. Without it, it must come to the pod that answered.',
      ),
    ),
  },
  {
    description:
      'Whether POST /feedback takes what would have been right, by the id of the request, and tells accuracy or error per revision as metrics. Without it, there is no such address.',
  },
);
