import { beforeEach, describe, expect, it } from 'vitest';
import type { ModelDeployment } from '../../operator/api/model-deployment.ts';
import { labelsOf, revisionName } from '../../operator/api/names.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { ApiError } from '../../operator/controller/errors.ts';
import { NameTakenError } from '../../operator/kube/ownership.ts';
import { reconcile } from '../../operator/reconcile.ts';
import { FakeCluster } from '../support/fake-cluster.ts';
import { modelDeploymentWith } from '../support/model-deployment.ts';

let cluster: FakeCluster;

beforeEach(() => {
  cluster = new FakeCluster();
});

function pass(key = 'ml/fraud'): ReturnType<typeof reconcile> {
  return reconcile({ cluster, refuseTraffic: () => [], defaultRuntimeImage: 'runtime:1' }, key);
}

/** Passes until one writes nothing; more than a few would be a circle. */
async function settle(): Promise<Awaited<ReturnType<typeof reconcile>>> {
  for (let count = 0; count < 10; count += 1) {
    const before = cluster.writes.length;
    const result = await pass();
    if (cluster.writes.length === before) return result;
  }
  throw new Error(`it still writes after 10 passes: ${cluster.writes.slice(-3).join(', ')}`);
}

function startPods(): void {
  const { spec } = modelDeploymentWith();
  const revision = revisionName('fraud', spec);
  for (let index = 0; index < spec.scaling.minReplicas; index += 1) {
    cluster.put({
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: { name: `${revision}-${index}`, namespace: 'ml', labels: labelsOf('fraud', revision) },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    } as KubernetesObject);
  }
  // Without Istio its entry Service is the route, and these tell where it leads.
  cluster.put({
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' },
    metadata: { name: 'fraud-1', namespace: 'ml', labels: { 'kubernetes.io/service-name': 'fraud' } },
    endpoints: Array.from({ length: spec.scaling.minReplicas }, (_, index) => ({
      addresses: [`10.0.0.${index}`],
      targetRef: { name: `${revision}-${index}` },
    })),
  } as KubernetesObject);
}

function cachedModel(): ModelDeployment {
  return cluster.cached('ModelDeployment', 'ml', 'fraud') as ModelDeployment;
}

function phase(): string | undefined {
  return cachedModel().status?.phase;
}

/** As if a runtime had told which model it serves: the pods here have no address to ask. */
function nameModel(): void {
  const { status, ...rest } = cachedModel();
  const revisions = status?.revisions?.map((revision) => ({ ...revision, modelDigest: 'd'.repeat(64) }));
  cluster.put({ ...rest, status: { ...status, revisions } } as KubernetesObject);
}

describe('a pass', () => {
  it('has nothing to do for a ModelDeployment that is gone', async () => {
    await expect(pass()).resolves.toEqual({});
    await expect(pass('no-namespace')).resolves.toEqual({});
    expect(cluster.writes).toEqual([]);
  });

  it('looks for a taken name to become free now and then, since no event will tell', async () => {
    cluster.put(modelDeploymentWith());
    const service: KubernetesObject = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' } };
    cluster.failWrite('apply Service', new NameTakenError(service));
    await expect(pass()).resolves.toEqual({ requeueAfterMs: 30_000 });
  });

  it('has nothing more to do in a namespace that is being deleted', async () => {
    cluster.put(modelDeploymentWith());
    cluster.failWrite('apply', new ApiError(403, 'Forbidden', 'no', { causes: ['NamespaceTerminating'] }));
    const ending: string[] = [];
    const listeners = { onNamespaceEnding: (namespace: string) => ending.push(namespace) };
    await expect(
      reconcile(
        { cluster, refuseTraffic: () => [], defaultRuntimeImage: 'runtime:1', listeners },
        'ml/fraud',
      ),
    ).resolves.toEqual({});
    expect(ending).toEqual(['ml']);
    expect(cluster.writes).toEqual([]);
  });

  it('makes the children of a new one, and then waits for its pods', async () => {
    cluster.put(modelDeploymentWith());
    const { requeueAfterMs } = await settle();
    expect(phase()).toBe('Pending');
    expect(cluster.writes.filter((write) => write.startsWith('apply Deployment'))).toHaveLength(1);
    // Nothing but the deadline can come without an event.
    expect(requeueAfterMs).toBeGreaterThan(60_000);
  });

  it('ends in rest once its pods are ready: no write, no question, no next look', async () => {
    cluster.put(modelDeploymentWith());
    await settle();
    startPods();
    await settle();
    expect(phase()).toBe('Healthy');
    nameModel();
    const [writes, asked] = [cluster.writes.length, cluster.asked.length];
    await expect(pass()).resolves.toEqual({});
    expect([cluster.writes.length, cluster.asked.length]).toEqual([writes, asked]);
  });

  it('fails as its write fails, and does it again the next time', async () => {
    cluster.put(modelDeploymentWith());
    cluster.failWrite('apply HorizontalPodAutoscaler', new Error('the API server is away'));
    await expect(pass()).rejects.toThrow('the API server is away');
    await expect(pass()).rejects.toThrow('the API server is away');
    expect(phase()).toBeUndefined();
  });
});
