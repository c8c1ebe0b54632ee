import { setTimeout as rest } from 'node:timers/promises';
import { labels, RUNTIME_CONTAINER } from '../../../../operator/api/names.ts';
import type { KubernetesObject } from '../../../../operator/api/object.ts';
import type { Caches } from '../../../../operator/controller/caches.ts';
import { collectionPath, objectPath } from '../../../../operator/controller/resource-type.ts';
import type { Transport } from '../../../../operator/controller/transport.ts';
import { resourceType, type CachedKind, type KnownKind } from '../../../../operator/kube/kinds.ts';
import { StandInRuntime } from '../stand-in-runtime.ts';

interface Deployment extends KubernetesObject {
  readonly spec: { readonly template: { readonly metadata: object; readonly spec: object } };
}

interface Autoscaler extends KubernetesObject {
  readonly spec: { readonly minReplicas?: number };
}

interface Service extends KubernetesObject {
  readonly spec: { readonly selector?: Readonly<Record<string, string>> };
}

const RETRY_MS = 200;

/**
 * What the controllers of a cluster and a kubelet do, for many worlds at once and as soon as something changes: pods
 * for Deployments, their status, EndpointSlices. The pods of one revision share one runtime.
 */
export class StandInControllers {
  private readonly transport: Transport;
  private readonly caches: Caches<CachedKind>;
  private readonly runtimes = new Map<string, Promise<StandInRuntime>>();
  private readonly dirty = new Set<string>();
  private readonly busy = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();
  private readonly slices = new Map<string, string>();

  constructor(transport: Transport, caches: Caches<CachedKind>) {
    this.transport = transport;
    this.caches = caches;
  }

  /** Something of this group (namespace and ModelDeployment) has changed. */
  wake(group: string): void {
    this.dirty.add(group);
    if (!this.busy.has(group)) this.busy.set(group, this.work(group));
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.busy.values());
    await Promise.all([...this.runtimes.values()].map(async (runtime) => await (await runtime).stop()));
  }

  private async work(group: string): Promise<void> {
    while (this.dirty.delete(group) && !this.stopping.signal.aborted) {
      await this.look(group).catch(async () => {
        // Others write too, and what was looked at may be gone; controllers try again.
        await rest(RETRY_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
        this.dirty.add(group);
      });
    }
    this.busy.delete(group);
  }

  private async look(group: string): Promise<void> {
    // Pods of a world that is being taken down end with it.
    if (this.caches.store('ModelDeployment').group(group).length === 0) return;
    const [namespace = ''] = group.split('/');
    const wanted = this.wantedPods(group);
    const pods = this.caches.store('Pod').group(group);
    for (const { metadata } of pods) {
      if (!wanted.has(metadata.name)) await this.remove('Pod', metadata);
    }
    for (const [name, deployment] of wanted) {
      const pod =
        pods.find(({ metadata }) => metadata.name === name) ?? (await this.create(name, deployment));
      if (!isReady(pod)) await this.makeReady(pod);
    }
    await this.writeSlices(group, namespace);
  }

  private wantedPods(group: string): ReadonlyMap<string, Deployment> {
    const autoscalers = this.caches.store('HorizontalPodAutoscaler').group(group) as readonly Autoscaler[];
    const deployments = this.caches.store('Deployment').group(group) as readonly Deployment[];
    return new Map(
      deployments.flatMap((deployment) => {
        const { name } = deployment.metadata;
        const size = autoscalers.find(({ metadata }) => metadata.name === name)?.spec.minReplicas ?? 1;
        return Array.from({ length: size }, (_, index) => [`${name}-${index}`, deployment] as const);
      }),
    );
  }

  private async create(name: string, { metadata: owner, spec }: Deployment): Promise<KubernetesObject> {
    const { metadata, spec: podSpec } = spec.template;
    const body = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name }, spec: podSpec };
    const path = collectionPath(resourceType('Pod'), owner.namespace);
    return await this.write('Pod', { method: 'POST', path, body });
  }

  private async makeReady({ metadata }: KubernetesObject): Promise<void> {
    const revision = metadata.labels?.[labels.revision] ?? '';
    const runtime = this.runtimes.get(revision) ?? StandInRuntime.start(revision);
    this.runtimes.set(revision, runtime);
    const podIP = (await runtime).address;
    await this.write('Pod', {
      method: 'PATCH',
      path: `${pathOf('Pod', metadata)}/status`,
      contentType: 'application/merge-patch+json',
      body: {
        status: {
          ...{ phase: 'Running', podIP, podIPs: [{ ip: podIP }] },
          conditions: [{ type: 'Ready', status: 'True' }],
          containerStatuses: [
            {
              ...{ name: RUNTIME_CONTAINER, image: 'none', imageID: 'none', ready: true, restartCount: 0 },
              state: { running: {} },
            },
          ],
        },
      },
    });
  }

  /** Of entry Services alone: nobody asks for others. */
  private async writeSlices(group: string, namespace: string): Promise<void> {
    const services = this.caches.store('Service').group(group) as readonly Service[];
    const pods = this.caches.store('Pod').group(group);
    for (const { metadata, spec } of services) {
      if (metadata.labels?.[labels.revision] !== undefined) continue;
      const selector = Object.entries(spec.selector ?? {});
      const selected = pods.filter((pod) =>
        selector.every(([label, value]) => pod.metadata.labels?.[label] === value),
      );
      const body = sliceOf(namespace, metadata.name, selected);
      const text = JSON.stringify(body);
      if (this.slices.get(group) === text) continue;
      await this.transport.request({
        ...{ method: 'PATCH', contentType: 'application/apply-patch+yaml', body },
        path: pathOf('EndpointSlice', body.metadata),
        query: { fieldManager: 'stand-in', force: 'true' },
      });
      this.slices.set(group, text);
    }
  }

  private async write(
    kind: CachedKind,
    request: Parameters<Transport['request']>[0],
  ): Promise<KubernetesObject> {
    const object = (await this.transport.request(request)) as KubernetesObject;
    this.caches.heardOwn(kind, object);
    return object;
  }

  private async remove(kind: CachedKind, metadata: KubernetesObject['metadata']): Promise<void> {
    await this.transport.request({ method: 'DELETE', path: pathOf(kind, metadata) });
    this.caches.removedOwn(kind, metadata.namespace ?? '', metadata.name, metadata.uid);
  }
}

function pathOf(
  kind: KnownKind,
  { namespace, name }: { readonly namespace?: string; readonly name: string },
): string {
  return objectPath(resourceType(kind), namespace, name);
}

function isReady(pod: KubernetesObject): boolean {
  const { status } = pod as { readonly status?: { readonly conditions?: readonly { type: string }[] } };
  return status?.conditions?.some(({ type }) => type === 'Ready') === true;
}

function sliceOf(namespace: string, service: string, pods: readonly KubernetesObject[]) {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      ...{ name: `${service}-stand-in`, namespace },
      labels: { 'kubernetes.io/service-name': service },
    },
    addressType: 'IPv4',
    endpoints: pods.map((pod, index) => ({
      addresses: [`10.0.0.${index + 1}`],
      conditions: { ready: isReady(pod) },
      targetRef: { kind: 'Pod', name: pod.metadata.name, namespace },
    })),
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  };
}
