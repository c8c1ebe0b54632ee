import Type from 'typebox';
import { textOfForm } from './schema.ts';

export const managementSchema = Type.Object(
  {
    tokenSecretName: textOfForm(
      '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
      'spec.runtime.management.tokenSecretName must be the name of a Secret, for example fraud-management',
      {
        description:
          'A Secret of the same namespace, which only the pods mount. Its key token is what has to be shown; a new token counts as soon as the kubelet has brought it.',
        minLength: 1,
        maxLength: 253,
        example: 'fraud-management',
      },
    ),
  },
  {
    description:
      'Who may ask the management port (8082) for what tells of single requests and values: sampled outputs, drift, the erasure of records. Probes, metrics and the report for the operator stay open. Without it, whoever reaches the port may.',
  },
);
