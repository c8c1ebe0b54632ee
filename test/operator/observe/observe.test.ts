import { beforeEach, describe, expect, it } from 'vitest';
import { labelsOf, revisionName } from '../../../operator/api/names.ts';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { observe } from '../../../operator/observe/observe.ts';
import { FakeCluster } from '../../support/fake-cluster.ts';
import { modelDeploymentWith, publicTraffic } from '../../support/model-deployment.ts';

const modelDeployment = modelDeploymentWith({ traffic: publicTraffic });
const revision = revisionName('fraud', modelDeployment.spec);

let cluster: FakeCluster;

beforeEach(() => {
  cluster = new FakeCluster();
  cluster.put(childNamed('Deployment', revision));
  cluster.put({
    ...childNamed('Pod', 'pod-a'),
    // Nobody listens there: asking it would end without a report.
    status: { phase: 'Running', podIP: '127.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] },
  } as KubernetesObject);
});

function childNamed(kind: string, name: string, owner = 'fraud'): KubernetesObject {
  const metadata = { name, namespace: 'ml', labels: labelsOf(owner, revision) };
  return { apiVersion: 'v1', kind, metadata };
}

function sliceOf(service: string, pods: Readonly<Record<string, boolean>>): KubernetesObject {
  const endpoints = Object.entries(pods).map(([name, ready]) => ({
    addresses: ['127.0.0.1'],
    conditions: { ready },
    targetRef: { kind: 'Pod', name },
  }));
  const labels = { 'kubernetes.io/service-name': service };
  const metadata = { name: `${service}-x7x7x`, namespace: 'ml', labels };
  return Object.assign(
    { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata },
    { addressType: 'IPv4', endpoints },
  );
}

function observeWith(needsEvidence: () => boolean): ReturnType<typeof observe> {
  return observe(cluster, modelDeployment, {
    defaultRuntimeImage: 'runtime:1',
    refuseTraffic: () => [],
    needsEvidence,
  });
}

describe('what is observed', () => {
  it('asks nobody over the network when no evidence is needed', async () => {
    const observed = await observeWith(() => false);
    expect(cluster.asked).toEqual([]);
    expect(observed.reports.size).toBe(0);
    expect(observed.gateways).toEqual({ proxies: [], missing: [] });
  });

  it('asks for the gateways when evidence is needed', async () => {
    cluster.served.add('networking.istio.io/v1');
    const observed = await observeWith(() => true);
    expect(cluster.asked).toEqual(['read Gateway public']);
    expect(observed.gateways.missing.map(({ gateway }) => gateway)).toEqual(['istio-system/public']);
  });

  it('asks where the entry Service sends when there is no Istio, and only until that is proven', async () => {
    cluster.put(sliceOf('fraud', { 'pod-a': true, 'pod-b': false }));
    cluster.put(sliceOf('churn', { 'churn-pod': true }));
    const observed = await observeWith(() => true);
    expect(cluster.asked).toEqual(['list EndpointSlice']);
    expect(observed.endpoints).toEqual({ pods: ['pod-a'] });

    const provenAt = '2026-01-01T00:00:00Z';
    const proven = { ...modelDeployment, status: { routing: { hash: 'h', askedAt: provenAt, provenAt } } };
    const again = await observe(cluster, proven, {
      defaultRuntimeImage: 'runtime:1',
      needsEvidence: () => true,
      refuseTraffic: () => [],
    });
    expect(again.endpoints).toEqual({});
    expect(cluster.asked).toEqual(['list EndpointSlice']);
  });

  it('says why the EndpointSlices cannot be read', async () => {
    cluster.failWith(new Error('endpointslices is forbidden'));
    const { endpoints } = await observeWith(() => true);
    expect(endpoints).toEqual({ problem: 'endpointslices is forbidden' });
  });

  it('holds the children and pods of this ModelDeployment and of no other', async () => {
    cluster.put(childNamed('Service', 'churn', 'churn'));
    cluster.put(childNamed('Pod', 'churn-pod', 'churn'));
    const { children, pods } = await observeWith(() => false);
    expect(children.map(({ metadata }) => metadata.name)).toEqual([revision]);
    expect(pods).toEqual([expect.objectContaining({ name: 'pod-a', revision, ready: true })]);
  });

  it.each<[readonly string[], { istio: boolean; customMetrics: boolean }]>([
    [[], { istio: false, customMetrics: false }],
    [['networking.istio.io/v1'], { istio: true, customMetrics: false }],
    [['custom.metrics.k8s.io/v1beta1'], { istio: false, customMetrics: true }],
    [['custom.metrics.k8s.io/v1beta2', 'networking.istio.io/v1'], { istio: true, customMetrics: true }],
    [['networking.istio.io/v1beta1'], { istio: false, customMetrics: false }],
  ])('knows from the APIs %j what the cluster can do', async (served, platform) => {
    for (const groupVersion of served) cluster.served.add(groupVersion);
    const observed = await observeWith(() => false);
    expect(observed.platform).toEqual(platform);
  });
});
