import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelDeploymentStatus } from '../../operator/api/model-deployment.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import type { CachedKind } from '../../operator/kube/kinds.ts';
import { waitFor } from '../bed/wait.ts';
import { Installation } from './support/installation.ts';
import type { OperatorProcess } from './support/operator-process.ts';
import { GATEWAY, StandInGateway } from './support/stand-in-gateway.ts';
import { StandInNode } from './support/stand-in-node.ts';

const model = { uri: 'https://models.example.com/fraud/model.onnx' };
/** Everything that the API server could spell differently or add to. */
const large = {
  model: { uri: 'pvc://models/fraud/model.onnx', sha256: 'a'.repeat(64) },
  runtime: { session: { executionProviders: ['cuda', 'cpu'] } },
  resources: {
    requests: { cpu: '0.5', memory: '1024Mi' },
    limits: { cpu: 2, memory: '1.5Gi' },
    gpu: { count: 1, product: 'NVIDIA-H100-80GB-HBM3' },
  },
  podTemplate: {
    metadata: { labels: { team: 'ml' }, annotations: { note: 'text' } },
    spec: {
      env: [
        { name: 'EMPTY', value: '' },
        { name: 'FULL', value: 'yes' },
      ],
      nodeSelector: { zone: 'a' },
      tolerations: [{ key: 'spot', operator: 'Exists' }],
    },
  },
  scaling: { minReplicas: 2, maxReplicas: 4, targetP95: '80ms' },
  traffic: { hosts: ['large.example.com'], pathPrefix: '/large', gateways: [GATEWAY], timeout: '1s' },
};

describe('the operator on a real API server with Istio', () => {
  let installation: Installation;
  let node: StandInNode;
  let gateway: StandInGateway;
  let operator: OperatorProcess;
  let fraud: ModelDeploymentStatus;

  beforeAll(async () => {
    installation = await Installation.create({ istio: true });
    gateway = await StandInGateway.start(installation);
    node = new StandInNode(installation);
    operator = await installation.startOperator();
    const traffic = { hosts: ['fraud.example.com'], gateways: [GATEWAY] };
    await installation.apply('fraud', { model, traffic });
    await installation.apply('large', large);
    fraud = await installation.healthy('fraud');
    await installation.healthy('large');
  });

  afterAll(async () => {
    await node.stop();
    await gateway.stop();
    await installation.stop();
  });

  async function childOf(kind: CachedKind, name: string): Promise<KubernetesObject> {
    return await installation.get(kind, name);
  }

  /** Names of the children with `stable` for the revision. */
  async function childNames(kind: CachedKind): Promise<readonly string[]> {
    const children = await installation.list(kind, 'fraud');
    return children.map(({ metadata }) => metadata.name.replace(fraud.stable ?? '?', 'stable')).sort();
  }

  test.each<[CachedKind, readonly string[]]>([
    ['Deployment', ['stable']],
    ['Service', ['fraud', 'stable']],
    ['HorizontalPodAutoscaler', ['stable']],
    ['PodDisruptionBudget', ['stable']],
    ['ControllerRevision', ['stable']],
    ['VirtualService', ['fraud', 'fraud.mesh']],
    ['DestinationRule', ['stable']],
  ])('makes of each %s just the ones that belong to it', async (kind, names) => {
    await expect(childNames(kind)).resolves.toEqual(names);
  });

  test('owns every child without blocking its own deletion', async () => {
    const { metadata } = await installation.modelDeployment('fraud');
    const kinds: readonly CachedKind[] = ['Deployment', 'Service', 'VirtualService', 'ControllerRevision'];
    const children = (await Promise.all(kinds.map((kind) => installation.list(kind, 'fraud')))).flat();
    for (const child of children) {
      expect(child.metadata.ownerReferences).toEqual([
        expect.objectContaining({ uid: metadata.uid, controller: true, blockOwnerDeletion: false }),
      ]);
    }
  });

  test('tells in status and events what has happened', async () => {
    expect(fraud).toMatchObject({ phase: 'Healthy', ready: '1/1', url: 'http://fraud.example.com' });
    const events = await installation.list('Event');
    const reasons = events
      .filter((event) => event.metadata.name.startsWith('fraud.'))
      .map((event) => (event as KubernetesObject & { readonly reason: string }).reason);
    expect(reasons).toEqual(expect.arrayContaining(['Promoted', 'Healthy']));
  });

  test('writes nothing while nothing happens', async () => {
    await expect(installation.writesWithin(10_000)).resolves.toEqual([]);
  });

  test('asks no runtime and no proxy once all is proven', async () => {
    const askedBefore = node.reportsAsked;
    await installation.writesWithin(2_000);
    expect(node.reportsAsked).toBe(askedBefore);
  });

  test.each<[CachedKind, (stable: string) => string]>([
    ['Deployment', (stable) => stable],
    ['Service', (stable) => stable],
    ['Service', () => 'fraud'],
    ['HorizontalPodAutoscaler', (stable) => stable],
    ['PodDisruptionBudget', (stable) => stable],
    ['VirtualService', () => 'fraud'],
    ['VirtualService', () => 'fraud.mesh'],
    ['DestinationRule', (stable) => stable],
  ])('brings back a %s that somebody has deleted', async (kind, nameOf) => {
    const name = nameOf(fraud.stable ?? '');
    const before = await childOf(kind, name);
    await installation.remove(kind, name);
    await waitFor(`${kind} ${name} is there again`, async () => {
      const after = await installation.find(kind, name);
      return after !== undefined && after.metadata.uid !== before.metadata.uid;
    });
    await installation.healthy('fraud');
  });

  test.each<[CachedKind, string, (stable: string) => string, object]>([
    [
      'VirtualService',
      'its routes',
      () => 'fraud',
      { spec: { http: [{ directResponse: { status: 503 } }] } },
    ],
    ['VirtualService', 'its hosts', () => 'fraud.mesh', { spec: { hosts: ['elsewhere.example.com'] } }],
    ['Service', 'its selector', () => 'fraud', { spec: { selector: { app: 'another' } } }],
    ['Service', 'its port', (stable) => stable, { spec: { ports: [{ name: 'http', port: 81 }] } }],
    ['HorizontalPodAutoscaler', 'its bounds', (stable) => stable, { spec: { maxReplicas: 99 } }],
    ['PodDisruptionBudget', 'its bound', (stable) => stable, { spec: { maxUnavailable: 5 } }],
    ['DestinationRule', 'its policy', (stable) => stable, { spec: { trafficPolicy: null } }],
    [
      'Deployment',
      'its strategy',
      (stable) => stable,
      { spec: { strategy: { rollingUpdate: { maxUnavailable: 1 } } } },
    ],
  ])('puts a %s right when somebody has edited %s', async (kind, _, nameOf, edit) => {
    const name = nameOf(fraud.stable ?? '');
    const before = contentOf(await childOf(kind, name));
    await installation.patch(kind, name, edit);
    await waitFor(`${kind} ${name} is as it was`, async () => {
      const after = contentOf(await childOf(kind, name));
      expect(after).toEqual(before);
      return true;
    });
    await installation.healthy('fraud');
  });

  test('leaves to others what is theirs', async () => {
    const name = fraud.stable ?? '';
    const theirs = { metadata: { labels: { 'their.example.com/label': 'kept' } }, spec: { replicas: 3 } };
    await installation.patch('Deployment', name, theirs);
    await installation.remove('Service', name);
    await waitFor('the Service is there again', () => installation.find('Service', name));
    await expect(installation.writesWithin(1_000)).resolves.toEqual([]);
    await expect(childOf('Deployment', name)).resolves.toMatchObject(theirs);
  });

  test('is as quiet as before after all of this', async () => {
    await expect(installation.writesWithin(5_000)).resolves.toEqual([]);
    expect(operator.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

/** All of an object that a user sees of it, without what every write changes. */
function contentOf(object: KubernetesObject): object {
  const { labels, annotations, ownerReferences } = object.metadata;
  const { spec } = object as KubernetesObject & { readonly spec: object };
  return { labels, annotations, ownerReferences, spec };
}
