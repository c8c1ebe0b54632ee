import Type from 'typebox';
import { DURATION_PATTERN, duration, wholeNumber, type Rule } from './schema.ts';

/** The longest time that the runtime takes for a setting; it would refuse to start with more, once per pod. */
function atMost(field: string, longest: string): Rule {
  return {
    rule: `!self.matches('${DURATION_PATTERN}') || duration(self) <= duration('${longest}')`,
    message: `${field} must not be longer than ${longest}`,
  };
}

export const queueSchema = Type.Object(
  {
    maxDepth: Type.Optional(
      wholeNumber({
        description:
          'How many requests may wait in one pod before more are answered with 429 and a Retry-After.',
        minimum: 1,
        maximum: 100_000,
        example: 512,
      }),
    ),
    timeout: Type.Optional(
      duration({
        field: 'spec.runtime.queue.timeout',
        description:
          'How long after its arrival a request is of use to its client, unless it says less itself (the parameter timeout, in microseconds, or grpc-timeout). One that cannot be answered by then is refused at once with 429, one that waits beyond it with 504. Without it requests wait for ever.',
        example: '2s',
        validations: [atMost('spec.runtime.queue.timeout', '24h')],
      }),
    ),
  },
  { description: 'How the runtime queues requests.' },
);

export const batchingSchema = Type.Object(
  {
    maxBatchSize: Type.Optional(
      wholeNumber({
        description:
          'How many rows the model gets at once at most, of requests that wait at the same time. As many are taken as are answered sooner together than apart, by what batches of the model have been measured to cost. 1 gives it each request alone. Without it 32.',
        minimum: 1,
        maximum: 1024,
        example: 32,
      }),
    ),
    maxDelay: Type.Optional(
      duration({
        field: 'spec.runtime.batching.maxDelay',
        description:
          'How long a request waits for company at most. It waits only where company is expected and saves more than the wait costs. Without it 5ms.',
        example: '5ms',
        validations: [atMost('spec.runtime.batching.maxDelay', '10s')],
      }),
    ),
  },
  {
    description: 'How requests share runs of the model. Models without a batch axis get each request alone.',
  },
);
