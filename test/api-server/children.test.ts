import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelDeployment } from '../../operator/api/model-deployment.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { needsApply, withAppliedHash } from '../../operator/resources/difference.ts';
import { startApiServer, type RunningApiServer } from '../bed/api-server.ts';
import { part } from '../bed/programs.ts';
import { childrenOf } from '../support/children.ts';
import { examplesFolder } from '../support/examples.ts';

const definition = join(import.meta.dirname, '../../crds/modeldeployments.yaml');
const examples = (await readdir(examplesFolder)).filter((name) => name.endsWith('.yaml'));

const kinds = [
  ...['controllerrevisions', 'deployments', 'services', 'poddisruptionbudgets', 'horizontalpodautoscalers'],
  ...['virtualservices.networking.istio.io', 'destinationrules.networking.istio.io'],
].join();

function sameObject(
  objects: readonly KubernetesObject[],
  { kind, metadata }: KubernetesObject,
): KubernetesObject | undefined {
  return objects.find((each) => each.kind === kind && each.metadata.name === metadata.name);
}

/** Fields that API servers complete, respell or leave out, all in one. */
const demanding = {
  apiVersion: 'headgate.dev/v1alpha1',
  kind: 'ModelDeployment',
  metadata: { name: 'demanding', namespace: 'demanding' },
  spec: {
    model: { uri: 'pvc://models/fraud.onnx' },
    runtime: { session: { executionProviders: ['cuda'] } },
    resources: {
      requests: { cpu: 1, memory: '1024Mi', 'ephemeral-storage': '0.5Gi' },
      limits: { cpu: '2000m', memory: '2048Mi' },
      gpu: { product: 'NVIDIA-H100-80GB-HBM3' },
    },
    podTemplate: {
      spec: {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 1, preference: { matchExpressions: [{ key: 'zone', operator: 'Exists' }] } },
            ],
          },
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'x' } }, namespaces: [] },
            ],
          },
        },
        tolerations: [{ key: 'a', effect: 'NoExecute', operator: 'Exists', tolerationSeconds: 0 }],
        env: [
          { name: 'EMPTY', value: '' },
          { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'one', optional: false } } },
        ],
        volumes: [
          { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
          { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1024Mi' } },
          { name: 'disk', emptyDir: { medium: '', sizeLimit: 1000 } },
          { name: 'claim', persistentVolumeClaim: { claimName: 'data', readOnly: false } },
          { name: 'settings', configMap: { name: 'settings', items: [{ key: 'a', path: 'a' }] } },
        ],
        volumeMounts: [{ name: 'claim', mountPath: '/data', subPath: '', readOnly: false }],
      },
    },
    scaling: { targetP95: '1h' },
  },
};

describe('the children of an example, on a real API server', () => {
  let server: RunningApiServer;

  beforeAll(async () => {
    server = await startApiServer();
    const istio = part('istio-crds.yaml');
    await server.kubectl('apply', '-f', definition);
    await server.kubectl('create', '-f', istio);
    await server.kubectl.established('-f', definition, '-f', istio);
  });

  afterAll(async () => {
    await server.stop();
  });

  test.each(examples)(
    'are taken without a word about unknown fields, and need no second write: %s',
    async (name) => {
      const namespace = name.replace('.yaml', '');
      await server.kubectl('create', 'namespace', namespace);
      await server.kubectl('apply', '-n', namespace, '-f', join(examplesFolder, name));
      await expect(writtenTwice(namespace)).resolves.toEqual([]);
    },
  );

  test('need no second write where the API server writes nearly everything in another way', async () => {
    await server.kubectl('create', 'namespace', 'demanding');
    await server.kubectl.apply([demanding]);
    await expect(writtenTwice('demanding')).resolves.toEqual([]);
  });

  test('applied once more as they were seen change nothing, and are refused when somebody has written in between', async () => {
    await server.kubectl('create', 'namespace', 'seen');
    await server.kubectl.apply([{ ...demanding, metadata: { name: 'seen', namespace: 'seen' } }]);
    const owner = (await server.kubectl.json(
      'get',
      'modeldeployment',
      'seen',
      '-n',
      'seen',
    )) as ModelDeployment;
    const record = childrenOf(owner)
      .map(withAppliedHash)
      .find(({ kind }) => kind === 'ControllerRevision');
    if (record === undefined) throw new Error('each revision has a record');
    await server.kubectl.apply([record]);
    const live = async (): Promise<KubernetesObject['metadata']> => {
      const { name } = record.metadata;
      const object = await server.kubectl.json('get', 'controllerrevision', name, '-n', 'seen');
      return (object as KubernetesObject).metadata;
    };
    const { uid, resourceVersion } = await live();
    const asSeen = { ...record, metadata: { ...record.metadata, uid, resourceVersion } };
    await server.kubectl.apply([asSeen]);
    expect((await live()).resourceVersion).toBe(resourceVersion);
    await server.kubectl(
      'annotate',
      '-n',
      'seen',
      `controllerrevision/${record.metadata.name}`,
      'by=another',
    );
    await expect(server.kubectl.apply([asSeen])).rejects.toThrow(/object has been modified/);
  });

  /** Applies the children of all ModelDeployments in a namespace, and names those that would be applied again. */
  async function writtenTwice(namespace: string): Promise<string[]> {
    const owners = await server.kubectl.json('get', 'modeldeployments', '-n', namespace);
    const children = (owners as { readonly items: ModelDeployment[] }).items.flatMap(childrenOf);
    expect(children.length).toBeGreaterThan(0);
    await server.kubectl.apply(children.map(withAppliedHash));
    const list = await server.kubectl.json('get', kinds, '-n', namespace);
    const live = (list as { readonly items: KubernetesObject[] }).items;
    const written = children.filter((child) => needsApply(sameObject(live, child), child));
    return written.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  }
});
