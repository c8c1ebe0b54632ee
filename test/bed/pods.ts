import type { Bed } from './bed.ts';
import { machinePid } from './namespace.ts';
import { waitFor } from './wait.ts';

export interface PodSummary {
  readonly namespace: string;
  readonly name: string;
  readonly address: string;
  readonly ready: boolean;
  readonly restarts: number;
  readonly containerIds: Readonly<Record<string, string>>;
}

interface PodObject {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly deletionTimestamp?: string;
  };
  readonly status?: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly containerID?: string;
      readonly restartCount: number;
    }[];
  };
}

/** Pods that are not being deleted, by label selector. */
export async function listPods(bed: Bed, namespace: string, selector: string): Promise<PodSummary[]> {
  const list = (await bed.kubectl.json('get', 'pods', '-n', namespace, '-l', selector)) as {
    items: PodObject[];
  };
  return list.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(summarize);
}

export async function gatewayPods(bed: Bed): Promise<PodSummary[]> {
  return await listPods(bed, 'istio-system', 'istio=public-gateway');
}

/** `address:port` of every gateway, as targets of a load. */
export async function gatewayTargets(bed: Bed): Promise<string[]> {
  return (await gatewayPods(bed)).map(({ address }) => `${address}:8080`);
}

/** The process of a container as the machine numbers it, for SIGSTOP, SIGCONT and SIGKILL by process.kill. */
export async function containerPid(bed: Bed, pod: PodSummary, container: string): Promise<number> {
  const id = pod.containerIds[container];
  if (id === undefined) throw new Error(`pod ${pod.namespace}/${pod.name} runs no container ${container}`);
  const tasks = await bed.inside(
    'ctr',
    '--address',
    bed.layout.containerdSocket,
    '-n',
    'k8s.io',
    'tasks',
    'list',
  );
  const row = tasks.split('\n').find((line) => line.startsWith(id));
  if (row === undefined) throw new Error(`containerd runs no task ${id}`);
  return machinePid(bed.namespace, Number(row.split(/\s+/)[1]));
}

/** Deletes a pod without its grace period, as a node that dies does. */
export async function forceDeletePod(bed: Bed, namespace: string, name: string): Promise<void> {
  await bed.kubectl('delete', 'pod', '-n', namespace, name, '--grace-period=0', '--force', '--wait=false');
}

export async function waitForReadyPods(
  bed: Bed,
  wanted: { namespace: string; selector: string; count: number; timeoutMs?: number },
): Promise<PodSummary[]> {
  return await waitFor(
    `${wanted.count} ready pods of ${wanted.selector} in ${wanted.namespace}`,
    async () => {
      const pods = await listPods(bed, wanted.namespace, wanted.selector);
      return pods.length === wanted.count && pods.every(({ ready }) => ready) ? pods : undefined;
    },
    { timeoutMs: wanted.timeoutMs ?? 60_000, everyMs: 300 },
  );
}

/** Until none is left, those included that are being deleted and still answer on the connections they have. */
export async function waitForNoPods(
  bed: Bed,
  wanted: { namespace: string; selector: string; timeoutMs?: number },
): Promise<void> {
  const { namespace, selector, timeoutMs = 120_000 } = wanted;
  await waitFor(
    `no pod of ${selector} is left in ${namespace}`,
    async () =>
      (await bed.kubectl('get', 'pods', '-n', namespace, '-l', selector, '-o', 'name')).trim() === '',
    { timeoutMs, everyMs: 250 },
  );
}

function summarize(pod: PodObject): PodSummary {
  const statuses = pod.status?.containerStatuses ?? [];
  return {
    namespace: pod.metadata.namespace,
    name: pod.metadata.name,
    address: pod.status?.podIP ?? '',
    ready: pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    restarts: statuses.reduce((sum, { restartCount }) => sum + restartCount, 0),
    containerIds: Object.fromEntries(
      statuses.map(({ name, containerID }) => [name, (containerID ?? '').replace('containerd://', '')]),
    ),
  };
}
