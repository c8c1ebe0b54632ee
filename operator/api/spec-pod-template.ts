import Type from 'typebox';
import { environmentSchema, mountSchema, volumeSchema } from './spec-pod-volumes.ts';
import { nativeObject, refusedFlag, rules, text, textMap, wholeNumber, type Rule } from './schema.ts';

function notReserved(field: string): Rule {
  return {
    rule: "self.all(k, !k.startsWith('headgate.dev/') && k != 'app.kubernetes.io/managed-by')",
    message: `${field} must not use keys of headgate.dev or app.kubernetes.io/managed-by, which Headgate sets itself; choose another key`,
  };
}

/** Kubernetes would refuse the pods, not the ModelDeployment: nobody would be told in time. */
function validKeys(field: string): Rule {
  return {
    rule: `self.all(k, k.matches(r'^([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$'))`,
    message: `${field} must have keys of letters, digits, '-', '_' and '.', with a DNS name and / before them if you like, for example example.com/team`,
  };
}

/** Until Kubernetes 1.30 the only way to choose these profiles, and still obeyed. */
const noSandboxLifted: Rule = {
  rule: "self.all(k, !k.startsWith('container.apparmor.security.beta.kubernetes.io/') && !k.matches('^(container[.])?seccomp[.]security[.]alpha[.]kubernetes[.]io/'))",
  message:
    "spec.podTemplate.metadata.annotations must not choose AppArmor or seccomp profiles: model pods run under the container runtime's own; remove them",
};

const metadataSchema = Type.Object(
  {
    labels: Type.Optional(
      textMap({
        description: 'Labels of the pods.',
        maxProperties: 32,
        maxLength: 63,
        example: { team: 'risk' },
        validations: [
          notReserved('spec.podTemplate.metadata.labels'),
          validKeys('spec.podTemplate.metadata.labels'),
          {
            rule: "self.all(k, self[k].matches(r'^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$'))",
            message:
              "spec.podTemplate.metadata.labels must have values of letters, digits, '-', '_' and '.', for example risk; put other texts into annotations",
          },
        ],
      }),
    ),
    annotations: Type.Optional(
      textMap({
        description: 'Annotations of the pods.',
        maxProperties: 32,
        maxLength: 4096,
        example: { 'example.com/owner': 'risk@example.com' },
        validations: [
          notReserved('spec.podTemplate.metadata.annotations'),
          validKeys('spec.podTemplate.metadata.annotations'),
          noSandboxLifted,
        ],
      }),
    ),
  },
  { description: 'Labels and annotations of the pods.' },
);

const tolerationSchema = Type.Object(
  {
    key: Type.Optional(
      text({ description: 'The key of the taint.', maxLength: 317, example: 'nvidia.com/gpu' }),
    ),
    operator: Type.Optional(
      Type.Enum(['Exists', 'Equal'], { description: 'How the taint is compared.', example: 'Exists' }),
    ),
    value: Type.Optional(text({ description: 'The value of the taint.', maxLength: 63, example: 'present' })),
    effect: Type.Optional(
      Type.Enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute'], {
        description: 'The effect of the taint.',
        example: 'NoSchedule',
      }),
    ),
    tolerationSeconds: Type.Optional(
      wholeNumber({
        description: 'For how many seconds a NoExecute taint is tolerated.',
        minimum: 0,
        maximum: 86_400,
        example: 300,
      }),
    ),
  },
  { description: 'A taint that the pods tolerate.' },
);

const topologySpreadSchema = Type.Object(
  {
    maxSkew: wholeNumber({
      description: 'By how many pods places may differ.',
      minimum: 1,
      maximum: 100,
      example: 1,
    }),
    topologyKey: text({
      description: 'The node label that tells places apart.',
      maxLength: 317,
      example: 'topology.kubernetes.io/zone',
    }),
    whenUnsatisfiable: Type.Enum(['DoNotSchedule', 'ScheduleAnyway'], {
      description: 'What happens to a pod that would break the rule.',
      example: 'ScheduleAnyway',
    }),
  },
  { description: "How the pods of one revision are spread; the selector is that revision's own." },
);

/** Each field that would reach out of the pod, with the sentence that refuses it. */
const hostAccessRules: readonly Rule[] = [
  ...['hostNetwork', 'hostPID', 'hostIPC'].map((field) => ({
    rule: `!has(self.${field}) || !self.${field}`,
    message: `spec.podTemplate.spec.${field} is not allowed: model pods get no access to the host; remove it`,
  })),
  {
    rule: '!has(self.securityContext)',
    message:
      'spec.podTemplate.spec.securityContext is not allowed: Headgate sets the restricted one itself; remove it',
  },
  ...['containers', 'initContainers'].map((field) => ({
    rule: `!has(self.${field})`,
    message: `spec.podTemplate.spec.${field} is not allowed: Headgate owns the containers; use spec.runtime, spec.resources and spec.podTemplate.spec.env`,
  })),
];

const mountedVolumesRule: Rule = {
  rule: '!has(self.volumeMounts) || self.volumeMounts.all(m, has(self.volumes) && self.volumes.exists(v, v.name == m.name))',
  message:
    'spec.podTemplate.spec.volumeMounts must name volumes of spec.podTemplate.spec.volumes; add the volume or correct the name',
};

const refusedFields = {
  hostNetwork: Type.Optional(refusedFlag('Refused: model pods get no access to the host.')),
  hostPID: Type.Optional(refusedFlag('Refused: model pods get no access to the host.')),
  hostIPC: Type.Optional(refusedFlag('Refused: model pods get no access to the host.')),
  securityContext: Type.Optional(nativeObject('Refused: Headgate sets the restricted one itself.')),
  containers: Type.Optional(
    Type.Array(nativeObject('Refused.'), {
      description: 'Refused: Headgate owns the containers.',
      maxItems: 8,
    }),
  ),
  initContainers: Type.Optional(
    Type.Array(nativeObject('Refused.'), {
      description: 'Refused: Headgate owns the containers.',
      maxItems: 8,
    }),
  ),
};

const podSpecSchema = Type.Object(
  {
    imagePullSecrets: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: text({
              description: 'The Secret.',
              minLength: 1,
              maxLength: 253,
              example: 'registry-pull',
            }),
          },
          { description: 'A Secret.' },
        ),
        { description: 'Secrets for pulling the runtime image.', maxItems: 8 },
      ),
    ),
    serviceAccountName: Type.Optional(
      text({
        description: 'The ServiceAccount of the pods; its token is not mounted.',
        maxLength: 253,
        example: 'model-reader',
      }),
    ),
    env: Type.Optional(environmentSchema),
    volumes: Type.Optional(
      Type.Array(volumeSchema, { description: 'Further volumes of the pods.', maxItems: 16 }),
    ),
    volumeMounts: Type.Optional(
      Type.Array(mountSchema, { description: 'Where the runtime container sees them.', maxItems: 16 }),
    ),
    nodeSelector: Type.Optional(
      textMap({
        description: 'Labels that a node must have.',
        maxProperties: 16,
        maxLength: 63,
        example: { 'kubernetes.io/arch': 'amd64' },
      }),
    ),
    affinity: Type.Optional(
      nativeObject("Kubernetes' own affinity, added to that of spec.resources.gpu.", { podAntiAffinity: {} }),
    ),
    tolerations: Type.Optional(
      Type.Array(tolerationSchema, { description: 'Taints that the pods tolerate.', maxItems: 16 }),
    ),
    topologySpreadConstraints: Type.Optional(
      Type.Array(topologySpreadSchema, {
        description: 'How the pods are spread; without it, softly over hosts.',
        maxItems: 8,
      }),
    ),
    priorityClassName: Type.Optional(
      text({ description: 'The PriorityClass of the pods.', maxLength: 253, example: 'production' }),
    ),
    runtimeClassName: Type.Optional(
      text({ description: 'The RuntimeClass of the pods.', maxLength: 253, example: 'gvisor' }),
    ),
    terminationGracePeriodSeconds: Type.Optional(
      wholeNumber({
        description:
          'How long a pod may take to finish what it has begun; give it 15 s more than spec.traffic.timeout.',
        minimum: 30,
        maximum: 3600,
        example: 60,
      }),
    ),
    ...refusedFields,
  },
  {
    description: 'What may be added to the pods; never access to the host.',
    ...rules(...hostAccessRules, mountedVolumesRule),
  },
);

export const podTemplateSchema = Type.Object(
  { metadata: Type.Optional(metadataSchema), spec: Type.Optional(podSpecSchema) },
  { description: 'What is added to the pods that Headgate makes.' },
);
