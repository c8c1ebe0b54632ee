import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../bed/wait.ts';
import { Installation } from './support/installation.ts';
import type { OperatorProcess } from './support/operator-process.ts';
import { StandInNode } from './support/stand-in-node.ts';

const METRICS_GROUP = 'custom.metrics.k8s.io';

/**
 * The metrics API as the operator asks for it: a group and version that the API server serves. The one with metrics in
 * it comes from prometheus-adapter, on the whole stack.
 */
const metricsApi = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: `metrics.${METRICS_GROUP}`,
    annotations: { 'api-approved.kubernetes.io': 'unapproved, stands in for the API of an adapter' },
  },
  spec: {
    group: METRICS_GROUP,
    names: { kind: 'Metric', plural: 'metrics' },
    scope: 'Namespaced',
    versions: [
      { name: 'v1beta2', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
    ],
  },
};

const first = { uri: 'https://models.example.com/fraud/1/model.onnx' };
const second = { uri: 'https://models.example.com/fraud/2/model.onnx' };
const inTwoSteps = { canary: { steps: [{ weight: 50 }, { weight: 100 }] } };

/** In this order: what a cluster lacks at first comes while the operator runs. */
describe('the operator on a cluster without Istio and without the metrics API', () => {
  let installation: Installation;
  let node: StandInNode;
  let operator: OperatorProcess;

  beforeAll(async () => {
    installation = await Installation.create({ istio: false });
    node = new StandInNode(installation);
    operator = await installation.startOperator();
  });

  afterAll(async () => {
    await node.stop();
    await installation.stop();
  });

  async function conditionOf(type: string): Promise<string> {
    const { status } = await installation.modelDeployment('fraud');
    const condition = status?.conditions?.find((candidate) => candidate.type === type);
    return `${condition?.status ?? ''} ${condition?.reason ?? ''}: ${condition?.message ?? ''}`;
  }

  async function metricType(): Promise<string | undefined> {
    const [autoscaler] = await installation.list('HorizontalPodAutoscaler', 'fraud');
    const { spec } = autoscaler as unknown as {
      readonly spec: { readonly metrics: readonly { type: string }[] };
    };
    return spec.metrics[0]?.type;
  }

  test('serves the first revision through plain Services', async () => {
    await installation.apply('fraud', { model: first, rollout: inTwoSteps });
    await installation.healthy('fraud');
    await expect(installation.find('Service', 'fraud')).resolves.toBeDefined();
  });

  test('says what it does without the metrics API, and scales on CPU meanwhile', async () => {
    await expect(conditionOf('ScalesOnLatency')).resolves.toMatch(/^False MetricsApiMissing: .*install/);
    await expect(metricType()).resolves.toBe('Resource');
  });

  test('holds a rollout that it cannot split, with the stable untouched, and says why', async () => {
    const { stable } = await installation.healthy('fraud');
    await installation.apply('fraud', { model: second, rollout: inTwoSteps });
    const status = await installation.waitForStatus(
      'fraud',
      'told that its strategy needs a mesh',
      ({ reason, ready }) => reason === 'StrategyUnsupported' && ready === '2/2',
    );
    expect(status.stable).toBe(stable);
    expect(status.message).toMatch(/install Istio/);
    await expect(conditionOf('Available')).resolves.toMatch(/^True/);
  });

  test('writes nothing while it waits for Istio', async () => {
    await expect(installation.writesWithin(5_000)).resolves.toEqual([]);
    expect(operator.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  // Without a gateway to ask, each routing takes the 10 s of istiod's longest delay.
  test('goes on with the rollout by itself once Istio is there', { timeout: 240_000 }, async () => {
    const before = await installation.modelDeployment('fraud');
    await installation.installIstio();
    const after = await installation.waitForStatus(
      'fraud',
      'promoted',
      ({ phase, stable }) => phase === 'Healthy' && stable !== before.status?.stable,
      90_000,
    );
    expect(after.candidate).toBeUndefined();
    await expect(installation.list('VirtualService', 'fraud')).resolves.toHaveLength(1);
    expect(operator.lines('a kind is installed now').map(({ kind }) => kind)).toContain('VirtualService');
  });

  test('lets autoscalers follow the latency once the metrics API is there, although nothing else happens', async () => {
    await installation.healthy('fraud');
    await installation.server.kubectl.apply([metricsApi]);
    await waitFor('the metric is the latency', async () => (await metricType()) === 'Pods');
    await waitFor(
      'the condition tells so',
      async () => !(await conditionOf('ScalesOnLatency')).includes('MetricsApiMissing'),
    );
  });

  test('goes back to CPU when the metrics API is taken away', async () => {
    await installation.server.kubectl('delete', 'crd', metricsApi.metadata.name);
    await waitFor('the metric is CPU', async () => (await metricType()) === 'Resource');
  });

  test('keeps the pods when Istio goes, and makes its routes again when it comes back', async () => {
    const comings = (): number =>
      operator.lines('a kind is installed now').filter(({ kind }) => kind === 'VirtualService').length;
    const goings = (): number =>
      operator
        .lines('a kind is not installed in this cluster')
        .filter(({ kind }) => kind === 'VirtualService').length;
    const deployments = await installation.list('Deployment', 'fraud');
    const [comingsBefore, goingsBefore] = [comings(), goings()];

    await installation.uninstallIstio();
    await waitFor('it notices that Istio is gone', () => goings() > goingsBefore);
    await expect(installation.list('Deployment', 'fraud')).resolves.toMatchObject(
      deployments.map(({ metadata: { name, uid } }) => ({ metadata: { name, uid } })),
    );

    await installation.installIstio();
    await waitFor(
      'its routes are back',
      async () => (await installation.list('VirtualService', 'fraud')).length === 1,
    );
    await installation.healthy('fraud');
    expect(comings()).toBe(comingsBefore + 1);
    expect(operator.lines('starting')).toHaveLength(1);
  });
});
