import Type, { type TObject } from 'typebox';
import {
  CREDENTIALS_FOLDER,
  DOWNLOAD_FOLDER,
  IDENTITY_FOLDER,
  MANAGEMENT_TOKEN_FOLDER,
  MODEL_MOUNT,
  RECORDS_MOUNT,
  REDIS_FOLDER,
} from './names.ts';
import { listByKey, nativeObject, quantity, rules, text, textOfForm, type Rule } from './schema.ts';

function keyOf(kind: string): TObject {
  return Type.Object(
    {
      name: text({ description: `The ${kind}.`, maxLength: 253, example: 'model-settings' }),
      key: text({ description: 'The key in it.', maxLength: 253, example: 'log-level' }),
      optional: Type.Optional(Type.Boolean({ description: 'Whether it may be missing.', example: true })),
    },
    { description: `A key of a ${kind} of the same namespace.` },
  );
}

function exactlyOne(field: string, sources: readonly string[]): Rule {
  return {
    rule: `[${sources.map((source) => `has(self.${source})`).join(', ')}].filter(given, given).size() == 1`,
    message: `${field} must give exactly one of ${sources.join(', ')}`,
  };
}

const VALUE_SOURCES = ['configMapKeyRef', 'secretKeyRef', 'fieldRef'];

const environmentVariableSchema = Type.Object(
  {
    name: textOfForm(
      '^[A-Za-z_][A-Za-z0-9_.-]*$',
      'spec.podTemplate.spec.env names must be letters, digits and underscores, for example LOG_LEVEL',
      {
        description: 'The name; those that begin with HEADGATE_ are reserved.',
        minLength: 1,
        maxLength: 128,
        example: 'LOG_LEVEL',
      },
    ),
    value: Type.Optional(text({ description: 'The value.', maxLength: 4096, example: 'debug' })),
    valueFrom: Type.Optional(
      Type.Object(
        {
          configMapKeyRef: Type.Optional(keyOf('ConfigMap')),
          secretKeyRef: Type.Optional(keyOf('Secret')),
          fieldRef: Type.Optional(
            Type.Object(
              { fieldPath: text({ description: 'The field.', maxLength: 253, example: 'metadata.name' }) },
              { description: 'A field of the pod.' },
            ),
          ),
        },
        {
          description: 'Where the value is taken from: one source.',
          ...rules(exactlyOne('spec.podTemplate.spec.env[].valueFrom', VALUE_SOURCES)),
        },
      ),
    ),
  },
  {
    description: 'An environment variable.',
    ...rules(
      {
        rule: "!self.name.startsWith('HEADGATE_')",
        message:
          'spec.podTemplate.spec.env must not set names that begin with HEADGATE_, which Headgate sets itself; choose another name',
      },
      {
        rule: '!(has(self.value) && has(self.valueFrom))',
        message: 'spec.podTemplate.spec.env must give either value or valueFrom, not both; remove one',
      },
    ),
  },
);

export const environmentSchema = Type.Array(environmentVariableSchema, {
  description: 'Further environment variables of the runtime container.',
  maxItems: 64,
  ...listByKey('name'),
});

const RESERVED_VOLUMES = [
  ...['downloads', 'scratch', 'model', 'model-credentials', 'model-identity'],
  ...['decision-records', 'cache-redis', 'feedback-redis', 'management-token'],
];
const VOLUME_SOURCES = ['configMap', 'secret', 'projected', 'emptyDir', 'persistentVolumeClaim'];

export const volumeSchema = Type.Object(
  {
    name: textOfForm(
      '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
      'spec.podTemplate.spec.volumes names must be lower-case letters, digits and dashes, for example tokens',
      { description: 'The name that volumeMounts refer to.', minLength: 1, maxLength: 63, example: 'tokens' },
    ),
    configMap: Type.Optional(nativeObject('A ConfigMap, as in a Pod.', { name: 'model-settings' })),
    secret: Type.Optional(nativeObject('A Secret, as in a Pod.', { secretName: 'model-tokens' })),
    projected: Type.Optional(
      nativeObject('Several sources in one folder, as in a Pod.', {
        sources: [{ configMap: { name: 'model-settings' } }],
      }),
    ),
    emptyDir: Type.Optional(
      Type.Object(
        {
          medium: Type.Optional(
            Type.Enum(['', 'Memory'], { description: 'Disk, or memory.', example: 'Memory' }),
          ),
          sizeLimit: Type.Optional(
            quantity('spec.podTemplate.spec.volumes[].emptyDir.sizeLimit', 'How large it may grow.', '1Gi'),
          ),
        },
        { description: 'An empty folder that lives as long as the pod.' },
      ),
    ),
    persistentVolumeClaim: Type.Optional(
      Type.Object(
        {
          claimName: text({ description: 'The claim.', maxLength: 253, example: 'models' }),
          readOnly: Type.Optional(
            Type.Boolean({ description: 'Whether it is mounted read-only.', example: true }),
          ),
        },
        { description: 'A PersistentVolumeClaim of the same namespace.' },
      ),
    ),
    hostPath: Type.Optional(nativeObject('Refused: model pods get no access to the host.')),
  },
  {
    description: 'A volume from exactly one source.',
    ...rules(
      {
        rule: '!has(self.hostPath)',
        message:
          'spec.podTemplate.spec.volumes must not use hostPath: model pods get no access to the host; use persistentVolumeClaim or emptyDir',
      },
      {
        ...exactlyOne('spec.podTemplate.spec.volumes', VOLUME_SOURCES),
        rule: `has(self.hostPath) || ${exactlyOne('', VOLUME_SOURCES).rule}`,
      },
      {
        rule: `!(self.name in [${RESERVED_VOLUMES.map((name) => `'${name}'`).join(', ')}])`,
        message: `spec.podTemplate.spec.volumes must not use the names ${RESERVED_VOLUMES.join(', ')}, which Headgate mounts itself; choose another name`,
      },
    ),
  },
);

const RESERVED_PATHS = [
  '/tmp',
  DOWNLOAD_FOLDER,
  MODEL_MOUNT,
  CREDENTIALS_FOLDER,
  IDENTITY_FOLDER,
  RECORDS_MOUNT,
  `${REDIS_FOLDER}/cache`,
  `${REDIS_FOLDER}/feedback`,
  MANAGEMENT_TOKEN_FOLDER,
];

export const mountSchema = Type.Object(
  {
    name: text({ description: 'The volume.', maxLength: 63, example: 'tokens' }),
    mountPath: textOfForm(
      '^/[^:]+$',
      'spec.podTemplate.spec.volumeMounts paths must be absolute and hold no colon, for example /etc/tokens',
      { description: 'Where the runtime container sees it.', maxLength: 1024, example: '/etc/tokens' },
    ),
    subPath: Type.Optional(
      text({ description: 'The folder within the volume.', maxLength: 1024, example: 'fraud' }),
    ),
    readOnly: Type.Optional(Type.Boolean({ description: 'Whether it cannot be written to.', example: true })),
  },
  {
    description: 'Where a volume is mounted.',
    ...rules({
      rule: `!(self.mountPath in [${RESERVED_PATHS.map((path) => `'${path}'`).join(', ')}])`,
      message: `spec.podTemplate.spec.volumeMounts must not use the paths ${RESERVED_PATHS.join(', ')}, which Headgate mounts itself; choose another path`,
    }),
  },
);
