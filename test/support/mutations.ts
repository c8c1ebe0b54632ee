import fc from 'fast-check';
import { smallest, withLeaf, type Leaf, type SchemaNode } from './schema-leaves.ts';

const SEED = 20_261_125;

/** Values for a leaf: others that are valid, those at its bounds, and at least one that is not valid. Three or more. */
export function mutationsOf({ path, schema }: Leaf): readonly unknown[] {
  return special.get(path) ?? usual(schema);
}

/** Where any value would do for admission and not for a cluster without nodes, or where a better one is known. */
const special: ReadonlyMap<string, readonly unknown[]> = new Map<string, readonly unknown[]>([
  [
    'model.uri',
    ['https://models.example.com/b/2.onnx', 'pvc://models/a.onnx', 'file:///models/a.onnx', 'ftp://x/a'],
  ],
  ['scaling.minReplicas', [2, 3, 0, 1001]],
  ['traffic.gateways[]', ['istio-system/nowhere', 'ml/own', 'public']],
  ['podTemplate.spec.serviceAccountName', ['default', 'one', 'Not A Name']],
  ['podTemplate.spec.priorityClassName', ['one', 'two', 'x'.repeat(300)]],
  ['podTemplate.spec.runtimeClassName', ['one', 'two', 'x'.repeat(300)]],
  [
    'podTemplate.spec.env[].valueFrom.fieldRef.fieldPath',
    ['metadata.name', 'status.hostIP', 'no.such.field'],
  ],
  ['podTemplate.spec.affinity', [{}, { nodeAffinity: { bogus: true } }, { podAffinity: {} }]],
]);

function usual(schema: SchemaNode): readonly unknown[] {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return [{}, { name: 'one' }, { bogus: true }];
  if (schema['x-kubernetes-int-or-string'] === true) return ['1', 2, '3Gi', 'much'];
  if (schema.additionalProperties !== undefined)
    return [{ team: 'risk' }, { team: 'fraud', 'x.example.com/y': 'z' }, { 'no key!': 'x' }];
  if (schema.enum !== undefined) return [...schema.enum, 'Nonsense', ''];
  if (schema.type === 'boolean') return [true, false, 'maybe'];
  if (schema.type === 'integer') {
    const { minimum = 0, maximum = 100 } = schema;
    return [minimum, maximum, minimum + 1, minimum - 1, maximum + 1];
  }
  return [...textsOf(schema), 'x'.repeat((schema.maxLength ?? 64) + 1)];
}

function textsOf(schema: SchemaNode): readonly string[] {
  const { pattern, maxLength = 64 } = schema;
  if (pattern === undefined) return ['one', 'two', ''];
  const ofForm = fc
    .stringMatching(new RegExp(pattern), { size: 'xsmall' })
    .map((text) => text.slice(0, maxLength));
  return [String(smallest(schema)), ...fc.sample(ofForm, { numRuns: 2, seed: SEED }), 'not of the form!'];
}

/** The spec with one leaf set, and with what rules demand beside it. */
export function mutated(base: object, root: SchemaNode, path: string, value: unknown): object {
  const [, prepare] = preparations.find(([start]) => path.startsWith(start)) ?? ['', (spec: object) => spec];
  return withLeaf(prepare(base), root, path, value) as object;
}

const volumes = 'podTemplate.spec.volumes[]';
const withPodSpec =
  (spec: object) =>
  (base: object): object => ({ ...base, podTemplate: { spec } });
const withRollout =
  (rollout: object) =>
  (base: object): object => ({ ...base, rollout });

/** The first that fits is taken. */
const preparations: readonly (readonly [string, (base: object) => object])[] = [
  [`${volumes}.name`, withPodSpec({ volumes: [{ name: 'extra', emptyDir: {} }] })],
  [volumes, withPodSpec({ volumes: [{ name: 'extra' }] })],
  [
    'podTemplate.spec.volumeMounts[]',
    withPodSpec({
      volumes: [{ name: 'extra', emptyDir: {} }],
      volumeMounts: [{ name: 'extra', mountPath: '/extra' }],
    }),
  ],
  [
    'podTemplate.spec.tolerations[].tolerationSeconds',
    withPodSpec({ tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute' }] }),
  ],
  ['podTemplate.spec.tolerations[].value', withPodSpec({ tolerations: [{ key: 'a', operator: 'Equal' }] })],
  ['podTemplate.spec.tolerations[]', withPodSpec({ tolerations: [{ key: 'a', operator: 'Exists' }] })],
  ['rollout.canary.steps[]', withRollout({ canary: { steps: [{}, { weight: 100 }] } })],
  ['rollout.blueGreen', withRollout({ strategy: 'BlueGreen' })],
  ['rollout.shadow', withRollout({ strategy: 'Shadow' })],
  ['rollout.strategy', withRollout({})],
];
