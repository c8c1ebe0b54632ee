import { setTimeout as rest } from 'node:timers/promises';
import { labels, RUNTIME_CONTAINER } from '../../../operator/api/names.ts';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { ApiError } from '../../../operator/controller/errors.ts';
import { collectionPath, objectPath } from '../../../operator/controller/resource-type.ts';
import { resourceType } from '../../../operator/kube/kinds.ts';
import { NAMESPACE, type Installation } from './installation.ts';
import { StandInEndpoints } from './stand-in-endpoints.ts';
import { StandInRuntime, type Answered } from './stand-in-runtime.ts';

/** How the pods of one revision do. */
export type PodState = 'Ready' | 'NotReady' | { readonly crashed: { readonly message: string } };

interface Deployment extends KubernetesObject {
  readonly spec: { readonly template: { readonly metadata: object; readonly spec: object } };
}

interface Autoscaler extends KubernetesObject {
  readonly spec: { readonly minReplicas?: number };
}

const EVERY_MS = 50;

/**
 * Writes what the controllers of a cluster and a kubelet would, since this tier has neither: each Deployment gets as
 * many pods as its autoscaler's minReplicas, and each pod a status. No container runs; the whole stack runs real ones.
 */
export class StandInNode {
  readonly endpoints: StandInEndpoints;
  private readonly installation: Installation;
  private readonly states = new Map<string, PodState>();
  private readonly told = new Map<string, PodState>();
  private readonly runtimes = new Map<string, StandInRuntime>();
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;

  constructor(installation: Installation) {
    this.installation = installation;
    this.endpoints = new StandInEndpoints(installation);
    this.running = this.run();
  }

  /** Pods are Ready unless something else is said of their revision. */
  setState(revision: string, state: PodState): void {
    this.states.set(revision, state);
  }

  setAnswered(revision: string, answered: Answered): void {
    for (const [pod, runtime] of this.runtimes) {
      if (pod.startsWith(revision)) runtime.answered = answered;
    }
  }

  /** How often the runtimes have been asked for their report, together. */
  get reportsAsked(): number {
    return [...this.runtimes.values()].reduce((total, { asked }) => total + asked, 0);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await Promise.all([...this.runtimes.values()].map((runtime) => runtime.stop()));
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.look().catch((error: unknown) => {
        // The API server may be away, and others write too; the next look sees to it.
        if (error instanceof ApiError && ![404, 409, 503].includes(error.status)) throw error;
      });
      await rest(EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async look(): Promise<void> {
    const deployments = (await this.installation.list('Deployment')) as readonly Deployment[];
    const autoscalers = (await this.installation.list('HorizontalPodAutoscaler')) as readonly Autoscaler[];
    const pods = await this.installation.list('Pod');
    const wanted = deployments.flatMap((deployment) => {
      const autoscaler = autoscalers.find(({ metadata }) => metadata.name === deployment.metadata.name);
      const size = autoscaler?.spec.minReplicas ?? 1;
      return Array.from({ length: size }, (_, index) => ({
        name: `${deployment.metadata.name}-${index}`,
        deployment,
      }));
    });
    for (const { name, deployment } of wanted) {
      if (!pods.some(({ metadata }) => metadata.name === name)) await this.create(name, deployment);
      await this.tell(name, deployment.metadata.name);
    }
    for (const { metadata } of pods) {
      if (!wanted.some(({ name }) => name === metadata.name)) await this.end(metadata.name);
    }
    await this.endpoints.look(await this.installation.list('Pod'));
  }

  private async create(name: string, { spec }: Deployment): Promise<void> {
    const path = collectionPath(resourceType('Pod'), NAMESPACE);
    const { metadata, spec: podSpec } = spec.template;
    const body = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name }, spec: podSpec };
    this.told.delete(name);
    await this.installation.transport.request({ method: 'POST', path, body });
  }

  private async tell(name: string, revision: string): Promise<void> {
    const state = this.states.get(revision) ?? 'Ready';
    if (this.told.get(name) === state) return;
    const runtime = this.runtimes.get(name) ?? (await StandInRuntime.start(revision));
    this.runtimes.set(name, runtime);
    await this.installation.transport.request({
      method: 'PATCH',
      path: `${objectPath(resourceType('Pod'), NAMESPACE, name)}/status`,
      contentType: 'application/merge-patch+json',
      body: { status: statusOf(runtime.address, state) },
    });
    this.told.set(name, state);
  }

  private async end(name: string): Promise<void> {
    const path = objectPath(resourceType('Pod'), NAMESPACE, name);
    await this.installation.transport.request({ method: 'DELETE', path });
    await this.runtimes.get(name)?.stop();
    this.runtimes.delete(name);
    this.told.delete(name);
  }
}

function statusOf(podIP: string, state: PodState): object {
  const ready = state === 'Ready' ? 'True' : 'False';
  const crashed = typeof state === 'string' ? undefined : state.crashed;
  return {
    ...{ phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions: [{ type: 'Ready', status: ready }] },
    containerStatuses: [
      {
        ...{ name: RUNTIME_CONTAINER, image: 'none', imageID: 'none', ready: ready === 'True' },
        restartCount: crashed === undefined ? 0 : 1,
        state: crashed === undefined ? { running: {} } : { terminated: { exitCode: 1, ...crashed } },
      },
    ],
  };
}

export function revisionOf({ metadata }: KubernetesObject): string {
  return metadata.labels?.[labels.revision] ?? '';
}
