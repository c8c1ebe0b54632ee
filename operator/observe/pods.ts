import { labels, RUNTIME_CONTAINER } from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';
import type { PodObservation } from '../plan/observed.ts';
import { crashesOf, LONGEST_MESSAGE, terminationOf, type ContainerStatus } from './containers.ts';

interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** What is read of a Pod. */
export interface Pod extends KubernetesObject {
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly PodCondition[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

/** The usual way of a pod that is starting, or that has ended and is counted as such: no obstacle. */
const usualWaits = new Set(['ContainerCreating', 'PodInitializing', 'CrashLoopBackOff']);

/** Undefined for a pod that names no revision: it is not one of ours. */
export function observePod(pod: Pod): PodObservation | undefined {
  const revision = pod.metadata.labels?.[labels.revision];
  if (revision === undefined) return undefined;
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const container = pod.status?.containerStatuses?.find(({ name }) => name === RUNTIME_CONTAINER);
  const lastTermination = terminationOf(container);
  const waiting = obstacle(pod, container);
  return {
    name: pod.metadata.name,
    revision,
    ready: !terminating && condition(pod, 'Ready')?.status === 'True',
    terminating,
    crashes: crashesOf(container, terminating),
    ...(lastTermination === undefined ? {} : { lastTermination }),
    ...(waiting === undefined ? {} : { waiting }),
  };
}

function obstacle(pod: Pod, container: ContainerStatus | undefined): PodObservation['waiting'] {
  return unscheduled(pod) ?? unstarted(container);
}

function unscheduled(pod: Pod): PodObservation['waiting'] {
  const scheduled = condition(pod, 'PodScheduled');
  if (scheduled?.status !== 'False') return undefined;
  return { reason: scheduled.reason ?? 'Unschedulable', message: shortened(scheduled.message) };
}

function unstarted(container: ContainerStatus | undefined): PodObservation['waiting'] {
  const { reason, message } = container?.state?.waiting ?? {};
  return reason === undefined || usualWaits.has(reason) ? undefined : { reason, message: shortened(message) };
}

function shortened(message = ''): string {
  return message.slice(0, LONGEST_MESSAGE);
}

function condition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((candidate) => candidate.type === type);
}
