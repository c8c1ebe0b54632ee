import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelDeployment } from '../operator/api/model-deployment.ts';
import { labelsOf, revisionName } from '../operator/api/names.ts';
import type { KubernetesObject } from '../operator/api/object.ts';
import { connectionFromFile } from '../operator/controller/connection.ts';
import { collectionPath, objectPath } from '../operator/controller/resource-type.ts';
import { resourceType, type KnownKind } from '../operator/kube/kinds.ts';
import { createTransport, type Transport } from '../operator/controller/transport.ts';
import { StandInRuntime } from '../test/api-server/support/stand-in-runtime.ts';
import { startApiServer, type RunningApiServer } from '../test/bed/api-server.ts';
import { repository } from '../test/bed/layout.ts';

/** As many requests at a time as the operator has workers. */
const AT_ONCE = 8;

/** Istio's kinds as far as the operator writes and reads them; their schemas come with Istio, which is not needed here. */
function istioKind(kind: string, plural: string): object {
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.networking.istio.io` },
    spec: {
      group: 'networking.istio.io',
      names: { kind, plural },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
}

/** A real API server with Headgate's and Istio's kinds, and somebody who plays users and kubelets. */
export class World {
  readonly server: RunningApiServer;
  readonly transport: Transport;
  private readonly runtimes: StandInRuntime[] = [];

  private constructor(server: RunningApiServer) {
    this.server = server;
    this.transport = createTransport(connectionFromFile(server.kubeconfig));
  }

  static async create(namespaces: readonly string[]): Promise<World> {
    const world = new World(await startApiServer());
    const { kubectl } = world.server;
    await kubectl.apply(await readFile(join(repository, 'crds/modeldeployments.yaml'), 'utf8'));
    await kubectl.apply([
      istioKind('VirtualService', 'virtualservices'),
      istioKind('DestinationRule', 'destinationrules'),
    ]);
    await kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s');
    for (const namespace of namespaces) await kubectl('create', 'namespace', namespace);
    return world;
  }

  async stop(): Promise<void> {
    await Promise.all(this.runtimes.map((runtime) => runtime.stop()));
    await this.server.stop();
  }

  /** The smallest objects, under different names. */
  async createModelDeployments(namespace: string, count: number): Promise<readonly ModelDeployment[]> {
    const names = Array.from({ length: count }, (_, index) => `model-${index}`);
    return await sideBySide(names, async (name) => {
      const uri = `https://models.example.com/${name}/model.onnx`;
      const { apiVersion } = resourceType('ModelDeployment');
      const body = {
        apiVersion,
        kind: 'ModelDeployment',
        metadata: { name, namespace },
        spec: { model: { uri } },
      };
      const path = collectionPath(resourceType('ModelDeployment'), namespace);
      return (await this.transport.request({ method: 'POST', path, body })) as ModelDeployment;
    });
  }

  async apply(object: KubernetesObject, subresource = ''): Promise<void> {
    const { namespace = '', name } = object.metadata;
    await this.transport.request({
      method: 'PATCH',
      path: `${objectPath(resourceType(object.kind), namespace, name)}${subresource}`,
      contentType: 'application/apply-patch+yaml',
      query: { fieldManager: 'bare', force: 'true' },
      body: object,
    });
  }

  /** One ready pod each, which answers for its runtime. */
  async startPods(modelDeployments: readonly ModelDeployment[]): Promise<void> {
    await sideBySide(modelDeployments, async ({ metadata, spec }) => {
      const revision = revisionName(metadata.name, spec);
      const runtime = await StandInRuntime.start(revision);
      this.runtimes.push(runtime);
      const pod = {
        ...{ apiVersion: 'v1', kind: 'Pod' },
        metadata: { name: `${revision}-0`, labels: labelsOf(metadata.name, revision) },
        spec: { containers: [{ name: 'runtime', image: 'none' }] },
      };
      const path = collectionPath(resourceType('Pod'), metadata.namespace);
      await this.transport.request({ method: 'POST', path, body: pod });
      await this.transport.request({
        method: 'PATCH',
        path: `${path}/${pod.metadata.name}/status`,
        contentType: 'application/merge-patch+json',
        body: {
          status: {
            ...{ phase: 'Running', podIP: runtime.address, podIPs: [{ ip: runtime.address }] },
            conditions: [{ type: 'Ready', status: 'True' }],
          },
        },
      });
    });
  }

  async list(kind: KnownKind, namespace: string): Promise<readonly KubernetesObject[]> {
    const answer = await this.transport.request({
      method: 'GET',
      path: collectionPath(resourceType(kind), namespace),
    });
    return (answer as { readonly items: readonly KubernetesObject[] }).items;
  }
}

/** Does the same for each, so many at a time; the results come in the order of the elements. */
export async function sideBySide<Element, Result>(
  elements: readonly Element[],
  carryOut: (element: Element) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const entries = elements.entries();
  const work = async (): Promise<void> => {
    for (const [index, element] of entries) results[index] = await carryOut(element);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}
