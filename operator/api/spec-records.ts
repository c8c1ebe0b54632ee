import Type from 'typebox';
import { duration, quantity, rules, text, textOfForm, wholeNumber } from './schema.ts';

function headerName(field: string, description: string, example: string) {
  return textOfForm(
    '^[a-z0-9][a-z0-9-]*$',
    `${field} must be the name of a request header in lower case, for example ${example}`,
    { description, minLength: 1, maxLength: 128, example },
  );
}

const fileSchema = Type.Object(
  {
    maxSize: Type.Optional(
      quantity(
        'spec.runtime.records.file.maxSize',
        'The size at which a file is closed and the next one begun; without it, 64Mi.',
        '256Mi',
      ),
    ),
    maxFiles: Type.Optional(
      wholeNumber({
        description: 'How many files each pod keeps, the one that is written to among them; without it, 4.',
        minimum: 2,
        maximum: 1000,
        example: 8,
      }),
    ),
    maxAge: Type.Optional(
      duration({
        field: 'spec.runtime.records.file.maxAge',
        description: 'No record is kept for longer; without it, only the number of files bounds the time.',
        example: '720h',
      }),
    ),
    claimName: Type.Optional(
      textOfForm(
        '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
        'spec.runtime.records.file.claimName must be the name of a PersistentVolumeClaim, for example fraud-records',
        {
          description:
            'A PersistentVolumeClaim of the same namespace, where the files outlive their pod: those of each in a folder MODEL/POD. Pods on several nodes need a claim with ReadWriteMany. Without it, files lie in /var/lib/headgate/records of the pod and end with it.',
          minLength: 1,
          maxLength: 253,
          example: 'fraud-records',
        },
      ),
    ),
  },
  {
    description: 'Files of each pod, one record a line.',
    ...rules({
      rule: '!has(self.claimName) || has(self.maxAge)',
      message:
        'spec.runtime.records.file.maxAge must say how long records stay on the claim, where no number of files bounds those of pods that are gone',
    }),
  },
);

const httpSchema = Type.Object(
  {
    url: textOfForm(
      '^https?://[^/@?# ]+(/[^# ]*)?$',
      'spec.runtime.records.http.url must begin with http:// or https:// and hold no login, for example http://broker-ingress.knative-eventing.svc/ml/default',
      {
        description:
          "Where each record is sent to as a CloudEvent of KServe's types. Addresses inside the cluster have to be allowed by the platform, as those of models have.",
        minLength: 8,
        maxLength: 2048,
        example: 'http://broker-ingress.knative-eventing.svc/ml/default',
      },
    ),
  },
  { description: 'An HTTP server that takes CloudEvents 1.0 in binary mode.' },
);

export const recordsSchema = Type.Object(
  {
    sink: Type.Enum(['Stdout', 'File', 'Http'], {
      description:
        'Where records go: among the lines of the log, into files of the pod, or to an HTTP server.',
      example: 'Stdout',
    }),
    samplePercent: Type.Optional(
      wholeNumber({
        description:
          "Of how many requests in a hundred a record is kept; without it, of all. The request's id decides, so that all pods choose the same.",
        minimum: 1,
        maximum: 100,
        example: 10,
      }),
    ),
    content: Type.Optional(
      Type.Enum(['Digest', 'Redacted', 'Full'], {
        description:
          'What is kept of the inputs: their digest; all but those of `redact`; or all. Without it, Digest.',
        example: 'Redacted',
      }),
    ),
    redact: Type.Optional(
      Type.Array(
        text({
          description: 'The name of an input of the model.',
          minLength: 1,
          maxLength: 256,
          example: 'age',
        }),
        {
          description: 'Inputs whose values are never recorded, not even as a part of the digest.',
          minItems: 1,
          maxItems: 64,
          example: ['age'],
          'x-kubernetes-list-type': 'set',
        },
      ),
    ),
    userHeader: Type.Optional(
      headerName('spec.runtime.records.userHeader', 'The header that says whose request it is.', 'x-user'),
    ),
    tenantHeader: Type.Optional(
      headerName('spec.runtime.records.tenantHeader', 'The header that says whose user it is.', 'x-tenant'),
    ),
    file: Type.Optional(fileSchema),
    http: Type.Optional(httpSchema),
  },
  {
    description:
      'A record of every decision of the model, good or failed: who asked, which revision and model answered what, how sure it was and how long it took. Without it, none is kept.',
    ...rules(
      {
        rule: "!has(self.file) || self.sink == 'File'",
        message: 'spec.runtime.records.file is for the sink File; remove it, or choose that sink',
      },
      {
        rule: "has(self.http) == (self.sink == 'Http')",
        message:
          'spec.runtime.records.http is for the sink Http, which needs it; remove it, or choose that sink and give its url',
      },
      {
        rule: "!has(self.content) || self.content != 'Redacted' || has(self.redact)",
        message: 'spec.runtime.records.redact must name inputs where the content is Redacted',
      },
      {
        rule: "!has(self.content) || self.content != 'Full' || !has(self.redact)",
        message:
          'spec.runtime.records.redact is not for the content Full, which has all inputs; remove it, or write Redacted',
      },
    ),
  },
);
