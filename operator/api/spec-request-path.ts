import Type from 'typebox';
import { DURATION_PATTERN, duration, quantity, wholeNumber, type Rule } from './schema.ts';
import { redisSchema } from './spec-redis.ts';

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

export const executorsSchema = Type.Object(
  {
    count: Type.Optional(
      wholeNumber({
        description:
          'How many processes run the model in each pod. Each holds the model in memory; while one is left, the pod is ready. Without it one for each whole CPU of spec.resources.limits.cpu, at most four and no more than fit into the memory limit.',
        minimum: 1,
        maximum: 64,
        example: 2,
      }),
    ),
    threads: Type.Optional(
      wholeNumber({
        description:
          'How many threads each of them uses for one run. Without it the whole CPUs divided by their number.',
        minimum: 1,
        maximum: 1024,
        example: 1,
      }),
    ),
    loadTimeout: Type.Optional(
      duration({
        field: 'spec.runtime.executors.loadTimeout',
        description:
          'How long each of them may take from its start until the model is loaded and has been run once; then it is killed. TensorRT builds its engines within this time. Without it 2m.',
        example: '10m',
        validations: [atMost('spec.runtime.executors.loadTimeout', '24h')],
      }),
    ),
  },
  { description: 'The processes that run the model, apart from the one that answers.' },
);

export const cacheSchema = Type.Object(
  {
    ttl: duration({
      field: 'spec.runtime.cache.ttl',
      description: 'How long an answer is given again to whoever asks the same.',
      example: '10m',
      validations: [atMost('spec.runtime.cache.ttl', '720h')],
    }),
    maxSize: Type.Optional(
      quantity(
        'spec.runtime.cache.maxSize',
        'How much memory of each pod the answers may take; those used longest ago go first. Without it 64Mi. In Redis its own maxmemory says so.',
        '64Mi',
      ),
    ),
    redis: Type.Optional(
      redisSchema(
        'spec.runtime.cache.redis',
        'A Redis in which pods share answers. Without it each pod keeps its own in its memory.',
      ),
    ),
  },
  { description: 'Answers that are kept for equal requests. Without it none are.' },
);

export const sessionSchema = Type.Object(
  {
    executionProviders: Type.Optional(
      Type.Array(
        Type.Enum(['tensorrt', 'cuda', 'cpu'], { description: 'An execution provider of ONNX Runtime.' }),
        {
          description:
            'Where the model runs: the first that can be used. Without cpu as the last one, a pod that finds no GPU does not start. Without it, cpu.',
          minItems: 1,
          maxItems: 3,
          example: ['cuda', 'cpu'],
          'x-kubernetes-list-type': 'atomic',
        },
      ),
    ),
    graphOptimization: Type.Optional(
      Type.Enum(['Disabled', 'Basic', 'Extended', 'All'], {
        description: 'How far ONNX Runtime changes the graph before it runs it. Without it, All.',
        example: 'Basic',
      }),
    ),
    memoryArena: Type.Optional(
      Type.Boolean({
        description:
          'Whether memory on the CPU is kept for the next run instead of given back. Without it, true.',
        example: false,
      }),
    ),
    memoryPattern: Type.Optional(
      Type.Boolean({
        description: 'Whether memory is laid out beforehand for shapes that come again. Without it, true.',
        example: false,
      }),
    ),
  },
  { description: 'How ONNX Runtime holds the model.' },
);
