import Type from 'typebox';
import { quantity, rules, text, textOfForm, type Rule } from './schema.ts';

const DNS_LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
const SCHEMES = ['file', 'pvc', 'http', 'https', 's3', 'gs', 'oci'];

/** Each kind of address: what it has to look like, and what to write instead. */
const uriRules: readonly Rule[] = [
  {
    rule: `self.matches('^(${SCHEMES.join('|')})://')`,
    message: `spec.model.uri must begin with one of ${SCHEMES.map((scheme) => `${scheme}://`).join(', ')}`,
  },
  {
    rule: "!self.startsWith('file://') || self.matches('^file:///[^ ]+$')",
    message: 'spec.model.uri must name an absolute path after file://, for example file:///models/fraud.onnx',
  },
  {
    rule: `!self.startsWith('pvc://') || self.matches('^pvc://(${DNS_LABEL}[.]?)+/[^ ]+$')`,
    message:
      'spec.model.uri must name a claim and a path after pvc://, for example pvc://models/fraud/3.onnx',
  },
  {
    rule: "!self.startsWith('http') || self.matches('^https?://[^/ ]+/[^ ]*$') && isURL(self)",
    message:
      'spec.model.uri must name a host and a path after http:// or https://, for example https://models.example.com/fraud.onnx',
  },
  {
    rule: "!self.matches('^(s3|gs)://') || self.matches('^(s3|gs)://[A-Za-z0-9][-A-Za-z0-9._]{1,220}[A-Za-z0-9]/[^ ]*[^ /]$')",
    message:
      'spec.model.uri must name a bucket and an object after s3:// or gs://, for example s3://models/fraud/3/model.onnx',
  },
  {
    rule: "!self.matches('^(s3|gs)://') || !self.matches('/[.]{1,2}(/|$)')",
    message:
      "spec.model.uri must not have '.' or '..' in the path of an object; write the object's full name",
  },
  {
    rule: "!self.startsWith('oci://') || self.matches('^oci://[^/@ ]+/[a-z0-9]+([._/-]+[a-z0-9]+)*(:[A-Za-z0-9_.-]{1,128})?@sha256:[0-9a-f]{64}$')",
    message:
      "spec.model.uri must name a digest after oci://, as oci://REGISTRY/REPOSITORY@sha256:DIGEST, because a tag can move; 'crane digest' and 'docker buildx imagetools inspect' print it",
  },
];

const ENDPOINT_FORM = "self.matches('^https?://[^/@? ]+(/[^?# ]*)?$') && isURL(self)";

function endpoint(field: string, description: string, example: string) {
  return Type.String({
    description,
    minLength: 1,
    maxLength: 512,
    example,
    ...rules({
      rule: ENDPOINT_FORM,
      message: `${field} must be the address of a service without user and query, for example ${example}`,
    }),
  });
}

const s3Schema = Type.Object(
  {
    endpoint: Type.Optional(
      endpoint(
        'spec.model.s3.endpoint',
        'A server that speaks S3; without it, Amazon S3 in the region.',
        'https://minio.example.com',
      ),
    ),
    region: textOfForm(
      '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
      'spec.model.s3.region must be the name of a region, for example eu-central-1',
      {
        description: 'The region that requests are signed for.',
        minLength: 1,
        maxLength: 63,
        default: 'us-east-1',
        example: 'eu-central-1',
      },
    ),
    pathStyle: Type.Optional(
      Type.Boolean({
        description:
          "Whether the bucket stands in the path instead of the host's name; without it, where an endpoint is given, and for buckets with a dot.",
        example: true,
      }),
    ),
  },
  { description: 'Where and how s3:// is asked.' },
);

const gsSchema = Type.Object(
  {
    endpoint: Type.Optional(
      endpoint(
        'spec.model.gs.endpoint',
        'Another address of Google Cloud Storage, such as a private endpoint.',
        'https://storage-models.p.googleapis.com',
      ),
    ),
  },
  { description: 'Where gs:// is asked.' },
);

const workloadIdentitySchema = Type.Object(
  {
    role: Type.Optional(
      textOfForm(
        '^arn:[a-z0-9-]+:iam::[0-9]*:role/[A-Za-z0-9+=,.@_/-]+$',
        'spec.model.credentials.workloadIdentity.role must be the ARN of a role, for example arn:aws:iam::123456789012:role/models',
        {
          description:
            "The role that the pod's service account takes on at a token service of S3; without it, what Amazon EKS has put into the pod.",
          maxLength: 2048,
          example: 'arn:aws:iam::123456789012:role/models',
        },
      ),
    ),
    audience: text({
      description: 'For whom the token of the service account is, where a role is given.',
      minLength: 1,
      maxLength: 253,
      default: 'sts.amazonaws.com',
      example: 'sts.amazonaws.com',
    }),
  },
  { description: "The pod's own service account, spec.podTemplate.spec.serviceAccountName, is who asks." },
);

const credentialsSchema = Type.Object(
  {
    secretName: Type.Optional(
      textOfForm(
        '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
        'spec.model.credentials.secretName must be the name of a Secret, for example fraud-store',
        {
          description:
            'A Secret of the same namespace, which only the pods mount: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for s3://, key.json for gs://, .dockerconfigjson for oci://.',
          minLength: 1,
          maxLength: 253,
          example: 'fraud-store',
        },
      ),
    ),
    workloadIdentity: Type.Optional(workloadIdentitySchema),
  },
  {
    description: 'Who asks for the model; without it, anybody.',
    ...rules({
      rule: 'has(self.secretName) != has(self.workloadIdentity)',
      message: 'spec.model.credentials must give exactly one of secretName, workloadIdentity',
    }),
  },
);

/** Fields that mean something for some addresses only. */
const belongingRules: readonly Rule[] = [
  {
    rule: "!has(self.s3) || self.uri.startsWith('s3://')",
    message: 'spec.model.s3 is for addresses that begin with s3://; remove it, or correct spec.model.uri',
  },
  {
    rule: "!has(self.gs) || self.uri.startsWith('gs://')",
    message: 'spec.model.gs is for addresses that begin with gs://; remove it, or correct spec.model.uri',
  },
  {
    rule: "!has(self.credentials) || self.uri.matches('^(s3|gs|oci)://')",
    message:
      'spec.model.credentials are for addresses that begin with s3://, gs:// or oci://; remove them, or correct spec.model.uri',
  },
  {
    rule: "!has(self.credentials) || !has(self.credentials.workloadIdentity) || !self.uri.startsWith('oci://')",
    message: 'spec.model.credentials.workloadIdentity is not for oci://; give secretName instead',
  },
  {
    rule: "!has(self.credentials) || !has(self.credentials.workloadIdentity) || !has(self.credentials.workloadIdentity.role) || self.uri.startsWith('s3://')",
    message:
      'spec.model.credentials.workloadIdentity.role is for s3:// alone; at Google, the service account itself is allowed to read',
  },
];

export const modelSchema = Type.Object(
  {
    uri: Type.String({
      description:
        'Where the model lies: https://, http://, s3://BUCKET/PATH, gs://BUCKET/PATH or oci://REGISTRY/REPOSITORY@sha256:DIGEST (downloaded at start), pvc://CLAIM/PATH (a PersistentVolumeClaim of the same namespace, mounted read-only) or file:///PATH (inside the runtime image). In a .tar, .tar.gz or .tar.zst, the one .onnx file is the model.',
      minLength: 1,
      maxLength: 2048,
      example: 'https://models.example.com/fraud/3/model.onnx',
      ...rules(...uriRules),
    }),
    sha256: Type.Optional(
      textOfForm(
        '^[0-9a-f]{64}$',
        'spec.model.sha256 must be 64 lower-case hexadecimal digits, as sha256sum prints them, without a prefix',
        {
          description:
            'The SHA-256 digest of the model file; a file that has another digest is refused before it is loaded.',
          maxLength: 256,
          example: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
        },
      ),
    ),
    maxSize: Type.Optional(
      quantity(
        'spec.model.maxSize',
        'The largest model, and the largest content of an archive, that is downloaded; without it, 4Gi.',
        '20Gi',
      ),
    ),
    s3: Type.Optional(s3Schema),
    gs: Type.Optional(gsSchema),
    credentials: Type.Optional(credentialsSchema),
  },
  { description: 'The model that is served.', ...rules(...belongingRules) },
);
