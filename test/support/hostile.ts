import fc from 'fast-check';
import { specSchema } from '../../operator/api/model-deployment.ts';
import { leavesOf, withLeaf, type SchemaNode } from './schema-leaves.ts';

const plainModel = 'https://models.example.com/fraud/model.onnx';
const schema = specSchema as unknown as SchemaNode;

/** Names of things that are somebody else's, words that mean something somewhere, and what breaks parsers. */
const words = [
  ...[
    '',
    ' ',
    '.',
    '*',
    '-',
    '../../etc/shadow',
    'a\nb',
    '"',
    '{{.}}',
    '$(HOSTNAME)',
    'é',
    '\u0000',
    'x'.repeat(300),
  ],
  ...[
    'default',
    'kube-system',
    'kube-system/admin',
    'istio-system/public',
    'risk',
    'victim',
    'victim.risk',
    'cluster-admin',
  ],
  ...['system-node-critical', 'system-cluster-critical', 'privileged', 'kata', 'kubernetes.io/hostname'],
  ...[
    '/',
    '/proc',
    '/dev',
    '/var/run/secrets/kubernetes.io/serviceaccount',
    '/tmp',
    '/tmp/..',
    '/var/run/docker.sock',
  ],
  ...[
    'node-role.kubernetes.io/control-plane',
    'headgate.dev/revision',
    'HEADGATE_MODEL_URI',
    'LD_PRELOAD',
    'NODE_OPTIONS',
  ],
  ...[
    'file:///etc/shadow',
    'http://169.254.169.254/latest/meta-data',
    'pvc://victim/../../x',
    'https://victim.risk.svc/x',
  ],
  ...['metadata.annotations', 'status.hostIP', 'spec.nodeName', 'spec.serviceAccountName'],
  ...[
    'victim.example.com',
    '*.example.com',
    'kubernetes.default.svc.cluster.local',
    'victim.risk.svc.cluster.local',
  ],
  ...['ghcr.io/evil/evil:latest', 'localhost:5000/x@sha256:0', '9999999999', '-1', '1e309', '0', '32768h'],
];

/** Kubernetes' own objects, which the schema hands on as they are. */
const natives: readonly object[] = [
  { path: '/', type: 'Directory' },
  { secretName: 'victim', items: [{ key: 'token', path: '../../token' }] },
  { secretName: 'victim', defaultMode: 0o777 },
  { name: 'victim', optional: true },
  { sources: [{ serviceAccountToken: { path: 'token', audience: 'https://kubernetes.default.svc' } }] },
  {
    sources: [
      { secret: { name: 'victim' } },
      { downwardAPI: { items: [{ path: 'x', fieldRef: { fieldPath: 'spec.nodeName' } }] } },
    ],
  },
  { sources: [{ hostPath: { path: '/' } }] },
  { privileged: true, runAsUser: 0, capabilities: { add: ['SYS_ADMIN'] } },
  { name: 'evil', image: 'evil', securityContext: { privileged: true } },
  {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['control-plane'] }] },
        ],
      },
    },
  },
  {
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: 'kubernetes.io/hostname', namespaces: ['risk'], labelSelector: {} },
      ],
    },
  },
  { metadata: { namespace: 'risk' }, hostNetwork: true, __proto__x: {} },
];

const maps: readonly object[] = [
  { app: 'victim' },
  { 'app.kubernetes.io/managed-by': 'helm' },
  { 'headgate.dev/model-deployment': 'victim' },
  { 'sidecar.istio.io/inject': 'true' },
  { 'sidecar.istio.io/userVolume': '[{"name":"host","hostPath":{"path":"/"}}]' },
  { 'container.apparmor.security.beta.kubernetes.io/runtime': 'unconfined' },
  { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' },
  { 'node-role.kubernetes.io/control-plane': '' },
  { 'k8s.v1.cni.cncf.io/networks': 'kube-system/host' },
  { 'inject.istio.io/templates': 'victim', 'prometheus.io/path': '/../x' },
];

function ofForm(pattern: string, maxLength: number): fc.Arbitrary<string> {
  return fc.stringMatching(new RegExp(pattern), { size: 'small' }).map((text) => text.slice(0, maxLength));
}

function texts({ pattern, maxLength = 64, example, enum: choices }: SchemaNode): fc.Arbitrary<unknown> {
  const usual = choices ?? (typeof example === 'string' ? [example] : []);
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...words) },
    { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
    ...(pattern === undefined ? [] : [{ weight: 3, arbitrary: ofForm(pattern, maxLength) }]),
    ...(usual.length === 0 ? [] : [{ weight: 2, arbitrary: fc.constantFrom(...usual) }]),
  );
}

/** A value for a leaf: of its type or not, within its bounds or not. */
function valueFor(leaf: SchemaNode): fc.Arbitrary<unknown> {
  if (leaf['x-kubernetes-preserve-unknown-fields'] === true) return fc.constantFrom(...natives);
  if (leaf.additionalProperties !== undefined) {
    return fc.oneof(
      fc.constantFrom(...maps),
      fc.dictionary(fc.constantFrom(...words), fc.constantFrom(...words), { maxKeys: 3 }),
    );
  }
  if (leaf.type === 'integer') {
    const { minimum = 0, maximum = 100 } = leaf;
    return fc.oneof(
      fc.integer({ min: minimum, max: maximum }),
      fc.constantFrom(minimum, maximum, minimum - 1, maximum + 1, 2 ** 31),
    );
  }
  return leaf.type === 'boolean' ? fc.boolean() : texts(leaf);
}

const change = fc
  .constantFrom(...leavesOf(schema))
  .chain((leaf) => valueFor(leaf.schema).map((value) => ({ path: leaf.path, value })));

/** Each of Kubernetes' own objects and each map once, wherever one may stand: chance must not pass any of them over. */
export const everyObject: readonly object[] = leavesOf(schema).flatMap((leaf) => {
  const isNative = leaf.schema['x-kubernetes-preserve-unknown-fields'] === true;
  const values = isNative ? natives : leaf.schema.additionalProperties === undefined ? [] : maps;
  return values.map((value) => withLeaf({ model: { uri: plainModel } }, schema, leaf.path, value) as object);
});

const models = fc.constantFrom(plainModel, 'pvc://victim/model.onnx', 'file:///etc/shadow');

/** What somebody sends who may create ModelDeployments and tries to gain by it: a plain one with a few leaves changed. */
export const hostileSpecs: fc.Arbitrary<object> = fc
  .tuple(models, fc.array(change, { minLength: 1, maxLength: 4 }))
  .map(([uri, changes]) =>
    changes.reduce<unknown>((spec, { path, value }) => withLeaf(spec, schema, path, value), {
      model: { uri },
    }),
  )
  .map((spec) => spec as object);
