import Type from 'typebox';
import { inputsSchema, outputSchema } from './spec-input-output.ts';
import {
  batchingSchema,
  cacheSchema,
  executorsSchema,
  queueSchema,
  sessionSchema,
} from './spec-request-path.ts';
import { driftSchema } from './spec-drift.ts';
import { feedbackSchema } from './spec-feedback.ts';
import { managementSchema } from './spec-management.ts';
import { recordsSchema } from './spec-records.ts';
import { quantity, rules, textOfForm, wholeNumber, type Rule } from './schema.ts';

export const runtimeSchema = Type.Object(
  {
    image: Type.Optional(
      textOfForm(
        '^[^ @]+(@sha256:[0-9a-f]{64})?$',
        'spec.runtime.image must be an image reference without spaces, for example registry.example.com/headgate-runtime:1.0',
        {
          description:
            "The runtime image. Without it, the operator's own default at the time of this revision is pinned for the life of the revision.",
          minLength: 1,
          maxLength: 512,
          example: 'registry.example.com/headgate-runtime:0.1.0',
        },
      ),
    ),
    inputs: Type.Optional(inputsSchema),
    output: Type.Optional(outputSchema),
    queue: Type.Optional(queueSchema),
    batching: Type.Optional(batchingSchema),
    executors: Type.Optional(executorsSchema),
    session: Type.Optional(sessionSchema),
    cache: Type.Optional(cacheSchema),
    logLevel: Type.Optional(
      Type.Enum(['error', 'warn', 'info', 'debug'], {
        description: 'How much the runtime logs; at debug, a line for each request. Without it, info.',
        example: 'debug',
      }),
    ),
    records: Type.Optional(recordsSchema),
    drift: Type.Optional(driftSchema),
    feedback: Type.Optional(feedbackSchema),
    management: Type.Optional(managementSchema),
  },
  { description: 'How the model is served.' },
);

function amounts(field: string, description: string) {
  return Type.Object(
    {
      cpu: Type.Optional(quantity(`${field}.cpu`, 'CPU cores.', '1')),
      memory: Type.Optional(quantity(`${field}.memory`, 'Memory in bytes.', '1Gi')),
      'ephemeral-storage': Type.Optional(
        quantity(`${field}.ephemeral-storage`, 'Local disk in bytes; a downloaded model lies here.', '2Gi'),
      ),
    },
    { description },
  );
}

const gpuSchema = Type.Object(
  {
    count: wholeNumber({
      description: 'How many GPUs, or slices of one where mig is given, each pod gets.',
      minimum: 1,
      maximum: 16,
      default: 1,
    }),
    product: Type.Optional(
      textOfForm(
        '^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$',
        'spec.resources.gpu.product must be a value of the node label nvidia.com/gpu.product, for example NVIDIA-H100-80GB-HBM3',
        {
          description: 'Only nodes with this value of the label nvidia.com/gpu.product are used.',
          maxLength: 63,
          example: 'NVIDIA-H100-80GB-HBM3',
        },
      ),
    ),
    mig: Type.Optional(
      textOfForm(
        '^[0-9]{1,2}g[.][0-9]{1,4}gb([.]me([.]all)?)?$',
        'spec.resources.gpu.mig must be a MIG profile, for example 1g.10gb',
        {
          description: 'A MIG profile: each pod gets slices of this size instead of whole GPUs.',
          maxLength: 32,
          example: '1g.10gb',
        },
      ),
    ),
  },
  { description: 'GPUs for each pod, with the node affinity and the tolerations that go with them.' },
);

/** Kubernetes would refuse the pods, not the ModelDeployment: nobody would be told in time. */
function requestWithinLimit(name: string): Rule {
  const member = name.replaceAll('-', '__dash__');
  const given = ['requests', 'limits'].map((kind) => `has(self.${kind}) && has(self.${kind}.${member})`);
  const [request, limit] = ['requests', 'limits'].map((kind) => `string(self.${kind}.${member})`);
  return {
    rule: `!(${given.join(' && ')}) || !isQuantity(${request}) || !isQuantity(${limit}) || quantity(${request}).compareTo(quantity(${limit})) <= 0`,
    message: `spec.resources.requests.${name} must not be above spec.resources.limits.${name}; raise the limit or lower the request`,
  };
}

export const resourcesSchema = Type.Object(
  {
    requests: Type.Optional(amounts('spec.resources.requests', 'What each pod is guaranteed.')),
    limits: Type.Optional(amounts('spec.resources.limits', 'What each pod may use at most.')),
    gpu: Type.Optional(gpuSchema),
  },
  {
    description: 'What each pod needs.',
    ...rules(...['cpu', 'memory', 'ephemeral-storage'].map(requestWithinLimit)),
  },
);
