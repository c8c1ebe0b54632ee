import { beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { buildAutoscaler } from '../../../operator/resources/autoscaler.ts';
import {
  buildControllerRevision,
  readMarks,
  readSnapshot,
} from '../../../operator/resources/controller-revision.ts';
import { buildDeployment } from '../../../operator/resources/deployment.ts';
import { buildDisruptionBudget } from '../../../operator/resources/disruption-budget.ts';
import { buildEntryService, buildRevisionService } from '../../../operator/resources/service.ts';
import { schemaValidation, type SchemaErrors } from '../../support/kubernetes-validation.ts';
import { modelDeploymentWith, snapshotOf } from '../../support/model-deployment.ts';

const REVISION = 'fraud-bbbbbbbbbb';
const owner = modelDeploymentWith();
const snapshot = snapshotOf({
  model: { uri: 'pvc://models/fraud.onnx' },
  resources: { requests: { cpu: 1 }, gpu: { count: 1, product: 'NVIDIA-H100-80GB-HBM3', mig: '1g.10gb' } },
  podTemplate: {
    spec: {
      env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }],
    },
  },
});
const settings = { minReplicas: 2, maxReplicas: 4, holdScaleDown: false } as const;
const marks = {
  promotedAt: '2026-01-01T00:00:00Z',
  aborted: { reason: 'ErrorRate', message: '7 of 20 requests failed', at: '2026-01-02T00:00:00Z' },
};
const controllerRevision = buildControllerRevision(owner, { name: REVISION, number: 3, snapshot, marks });

const children: readonly (readonly [string, KubernetesObject])[] = [
  ['Deployment', buildDeployment(owner, REVISION, snapshot)],
  ['autoscaler on latency', buildAutoscaler(owner, REVISION, { ...settings, metric: 'Latency' })],
  ['autoscaler on CPU', buildAutoscaler(owner, REVISION, { ...settings, metric: 'Cpu' })],
  ['disruption budget', buildDisruptionBudget(owner, REVISION)],
  ['Service of a revision', buildRevisionService(owner, REVISION)],
  ['entry Service', buildEntryService(owner, REVISION)],
  ['record of a revision', controllerRevision],
];

describe('every child', () => {
  let errorsOf: SchemaErrors;

  beforeAll(async () => {
    errorsOf = await schemaValidation();
  }, 120_000);

  test('is held to schemas that do refuse something', () => {
    const broken = { ...buildRevisionService(owner, REVISION), spec: { ports: 'all', colour: 'red' } };
    expect(errorsOf(broken).join()).toMatch(/colour[^]*ports must be array/);
  });

  test.each(children)('is valid by the schema of Kubernetes, without unknown fields: %s', (_, child) => {
    expect(errorsOf(child)).toEqual([]);
  });

  test.each(children)('belongs to its ModelDeployment and says so in its labels: %s', (_, { metadata }) => {
    expect(metadata).toMatchObject({
      namespace: 'ml',
      labels: { 'app.kubernetes.io/managed-by': 'headgate', 'headgate.dev/model-deployment': 'fraud' },
      ownerReferences: [
        { kind: 'ModelDeployment', uid: owner.metadata.uid, controller: true, blockOwnerDeletion: false },
      ],
    });
  });
});

describe('an autoscaler', () => {
  test('follows the p95 latency of the pods, in milliseconds', () => {
    const { spec } = buildAutoscaler(
      modelDeploymentWith({ scaling: { minReplicas: 1, maxReplicas: 9, targetP95: '1.5s' } }),
      REVISION,
      { ...settings, metric: 'Latency' },
    );
    expect(spec.metrics).toEqual([
      {
        type: 'Pods',
        pods: {
          metric: { name: 'inference_latency_p95_ms' },
          target: { type: 'AverageValue', averageValue: '1500' },
        },
      },
    ]);
  });

  test.each([
    [true, 'Disabled'],
    [false, 'Max'],
  ])(
    'with the scale-down held: %s, says so in both cases, since silence keeps what was',
    (holdScaleDown, policy) => {
      const { spec } = buildAutoscaler(owner, REVISION, { ...settings, holdScaleDown, metric: 'Latency' });
      expect(spec.behavior.scaleDown.selectPolicy).toBe(policy);
    },
  );

  test('scales the Deployment of its revision within the bounds that it is given', () => {
    expect(buildAutoscaler(owner, REVISION, { ...settings, metric: 'Cpu' }).spec).toMatchObject({
      scaleTargetRef: { kind: 'Deployment', name: REVISION },
      minReplicas: 2,
      maxReplicas: 4,
    });
  });
});

describe('a disruption budget', () => {
  test('lets one pod of the revision go at a time, and a broken one always', () => {
    expect(buildDisruptionBudget(owner, REVISION).spec).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { 'headgate.dev/revision': REVISION } },
    });
  });
});

describe('the Services', () => {
  test('say that they speak HTTP and gRPC, or proxies would guess', () => {
    expect(buildRevisionService(owner, REVISION).spec.ports).toEqual([
      { name: 'http', port: 80, protocol: 'TCP', targetPort: 'http', appProtocol: 'http' },
      { name: 'grpc', port: 8081, protocol: 'TCP', targetPort: 8081, appProtocol: 'grpc' },
    ]);
  });

  test('that clients name have the pods of the stable revision only', () => {
    const entry = buildEntryService(owner, REVISION);
    expect(entry.metadata.name).toBe('fraud');
    expect(entry.spec.selector).toMatchObject({ 'headgate.dev/revision': REVISION });
    expect(entry.metadata.labels).not.toHaveProperty('headgate.dev/revision');
  });
});

describe('the record of a revision', () => {
  test('gives back what was put into it', () => {
    expect(readSnapshot(controllerRevision)).toEqual(snapshot);
    expect(readMarks(controllerRevision)).toEqual(marks);
  });

  test('has no marks at first', () => {
    expect(
      readMarks(buildControllerRevision(owner, { name: REVISION, number: 1, snapshot, marks: {} })),
    ).toEqual({});
  });

  test.each([
    ['no JSON', 'somebody was here', 'Aborted', 'somebody was here'],
    ['half of it', '{"reason":"ErrorRate"}', 'ErrorRate', '{"reason":"ErrorRate"}'],
  ])('counts as aborted even when its mark is %s', (_, text, reason, message) => {
    const annotations = { 'headgate.dev/aborted': text };
    const damaged = { ...controllerRevision, metadata: { ...controllerRevision.metadata, annotations } };
    expect(readMarks(damaged).aborted).toMatchObject({ reason, message });
  });

  test.each([
    ['no data', undefined],
    ['the data of another controller', { spec: { template: {} } }],
    ['half a snapshot', { podShape: snapshot.podShape }],
  ])('is not taken for one with %s', (_, data) => {
    const foreign = { ...controllerRevision, data } as KubernetesObject;
    expect(() => readSnapshot(foreign)).toThrow('holds no snapshot of a revision');
  });
});
