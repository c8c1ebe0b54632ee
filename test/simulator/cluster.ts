import type { KubernetesObject } from '../../operator/api/object.ts';
import { same, write, writeVersion } from './api-server.ts';
import { isBroken, kubelet, withPods } from './kubelet.ts';
import {
  isServing,
  liveAutoscaler,
  liveDeployment,
  liveModelDeployment,
  MODEL_DEPLOYMENT_KEY,
  NO_MEMORY,
  replicasOf,
  VERSIONS,
  withMapEntry,
  type LiveAutoscaler,
  type LiveDeployment,
  type Pod,
  type Version,
  type World,
} from './world.ts';

/** The revisions that have a Deployment, in a stable order. */
export function deployedRevisions(world: World): readonly string[] {
  return [...world.objects.keys()]
    .filter((key) => key.startsWith('Deployment/'))
    .map((key) => key.slice('Deployment/'.length))
    .filter((revision) => liveDeployment(world, revision) !== undefined)
    .sort();
}

/** Every controller of the cluster acts once, then each pod moves by one stage. */
export function clusterMoves(world: World): World {
  const collected = collectGarbage(world);
  const scaled = deployedRevisions(collected).reduce(
    (next, revision) => autoscale(next, revision, 0),
    collected,
  );
  const staffed = deploymentController(scaled);
  return reportDeployments(kubelet(staffed));
}

/** The HPA controller on one Deployment; `wish` is what the metric would have it do: one more, one less, none. */
export function autoscale(world: World, revision: string, wish: -1 | 0 | 1): World {
  const autoscaler = liveAutoscaler(world, revision);
  const deployment = liveDeployment(world, revision);
  if (autoscaler === undefined || deployment === undefined) return world;
  const current = deployment.spec.replicas ?? 1;
  const desired = desiredReplicas(world, autoscaler, { current, wish });
  const scaled =
    desired === current
      ? world
      : write(world, { ...deployment, ...{ spec: { ...deployment.spec, replicas: desired } } });
  return reportAutoscaler(scaled, autoscaler);
}

function desiredReplicas(
  world: World,
  autoscaler: LiveAutoscaler,
  { current, wish }: { readonly current: number; readonly wish: -1 | 0 | 1 },
): number {
  const { spec } = autoscaler;
  const { minReplicas = 1, maxReplicas } = spec;
  // Bounds work without a metric and whatever the policies say; 0 switches an autoscaler off.
  if (current === 0) return 0;
  if (current < minReplicas) return minReplicas;
  if (current > maxReplicas) return maxReplicas;
  if (!metricAnswers(world, autoscaler)) return current;
  const mayShrink = spec.behavior?.scaleDown?.selectPolicy !== 'Disabled';
  if (wish < 0 && !mayShrink) return current;
  return Math.min(maxReplicas, Math.max(minReplicas, current + wish));
}

export function metricAnswers({ platform }: World, { spec }: LiveAutoscaler): boolean {
  const isCustom = spec.metrics.some(({ type }) => type === 'Pods');
  return platform.metricAnswers && (platform.customMetrics || !isCustom);
}

function reportAutoscaler(world: World, autoscaler: LiveAutoscaler): World {
  const answers = metricAnswers(world, autoscaler);
  const status = {
    conditions: [
      { type: 'AbleToScale', status: 'True', reason: 'ReadyForNewScale' },
      {
        type: 'ScalingActive',
        status: answers ? 'True' : 'False',
        reason: answers ? 'ValidMetricFound' : 'FailedGetPodsMetric',
      },
    ],
    currentReplicas: replicasOf(world, autoscaler.metadata.name),
  };
  return withStatus(world, autoscaler, status);
}

function withStatus(
  world: World,
  object: KubernetesObject & { readonly status?: unknown },
  status: object,
): World {
  return same(object.status, status) ? world : write(world, { ...object, ...{ status } });
}

/** Creates the pods that are missing, ends those that are too many or whose Deployment is gone. */
export function deploymentController(world: World): World {
  const lives = new Map(
    deployedRevisions(world).map((revision) => [liveDeployment(world, revision)?.metadata.uid, revision]),
  );
  const orphaned = world.pods.filter((pod) => !lives.has(pod.deploymentUid)).map(({ name }) => name);
  const surplus = [...lives.values()].flatMap((revision) => surplusPods(world, revision));
  const ended = endPods(world, new Set([...orphaned, ...surplus]));
  return [...lives.values()].reduce(addMissingPods, ended);
}

function ownPods(world: World, deployment: LiveDeployment): readonly Pod[] {
  return world.pods.filter(
    ({ deploymentUid, terminatingSinceMs }) =>
      deploymentUid === deployment.metadata.uid && terminatingSinceMs === undefined,
  );
}

function surplusPods(world: World, revision: string): readonly string[] {
  const deployment = liveDeployment(world, revision);
  if (deployment === undefined) return [];
  const pods = ownPods(world, deployment);
  const tooMany = Math.max(0, pods.length - (deployment.spec.replicas ?? 1));
  const leastUseful = [...pods].sort((left, right) => Number(isServing(left)) - Number(isServing(right)));
  return leastUseful.slice(0, tooMany).map(({ name }) => name);
}

export function endPods(world: World, names: ReadonlySet<string>): World {
  const ending = world.pods.filter(
    ({ name, terminatingSinceMs }) => names.has(name) && terminatingSinceMs === undefined,
  );
  if (ending.length === 0) return world;
  const podsDeleted = new Map(world.ledger.podsDeleted);
  for (const { revision } of ending) podsDeleted.set(revision, (podsDeleted.get(revision) ?? 0) + 1);
  return withPods(
    { ...world, ledger: { ...world.ledger, podsDeleted } },
    world.pods.map((pod) => (ending.includes(pod) ? { ...pod, terminatingSinceMs: world.nowMs } : pod)),
  );
}

function addMissingPods(world: World, revision: string): World {
  const deployment = liveDeployment(world, revision);
  if (deployment === undefined) return world;
  const missing = (deployment.spec.replicas ?? 1) - ownPods(world, deployment).length;
  if (missing <= 0) return world;
  const born = Array.from({ length: missing }, (_, index): Pod => ({
    name: `${revision}-${world.lastId + 1 + index}`,
    revision,
    version: versionOf(deployment),
    deploymentUid: deployment.metadata.uid ?? '',
    state: 'Starting',
    crashes: 0,
    terminatingSinceMs: undefined,
    servedAtMs: undefined,
    memory: NO_MEMORY,
  }));
  return withPods({ ...world, lastId: world.lastId + missing }, [...world.pods, ...born]);
}

export function versionOf({ spec }: LiveDeployment): Version {
  const variables = spec.template.spec.containers.flatMap(({ env = [] }) => env);
  const uri = variables.find(({ name }) => name === 'HEADGATE_MODEL_URI')?.value ?? '';
  const version = VERSIONS.find((known) => uri === modelUri(known));
  if (version === undefined) throw new Error(`no version of the model is at '${uri}'`);
  return version;
}

export function modelUri(version: Version): string {
  return `file:///models/${version}.onnx`;
}

/** The Deployment controller's own report. */
export function reportDeployments(world: World): World {
  return deployedRevisions(world).reduce((next, revision) => {
    const deployment = liveDeployment(next, revision);
    if (deployment === undefined) return next;
    const pods = ownPods(next, deployment);
    const status = {
      observedGeneration: deployment.metadata.generation,
      replicas: pods.length,
      readyReplicas: pods.filter(isServing).length,
    };
    return withStatus(next, deployment, status);
  }, world);
}

/** Once the owner is deleted, its children go; one deleted in the foreground goes after them. */
export function collectGarbage(world: World): World {
  if (!world.ledger.deleted) return world;
  const children = [...world.objects]
    .filter(([, { versions }]) => versions[0]?.metadata.ownerReferences !== undefined)
    .map(([key]) => key);
  if (children.length > 0) return children.reduce((next, key) => writeVersion(next, key, null), world);
  const isLeft = liveModelDeployment(world) !== undefined && world.pods.length === 0;
  return isLeft ? writeVersion(world, MODEL_DEPLOYMENT_KEY, null) : world;
}

/** From now on something outside has broken these pods, until they are seen whole again. */
export function hurtRevision(world: World, revision: string): World {
  if (world.ledger.hurt.has(revision)) return world;
  return {
    ...world,
    ledger: { ...world.ledger, hurt: withMapEntry(world.ledger.hurt, revision, world.nowMs) },
  };
}

/** Forgets the harm of revisions that are whole: as many ready pods as their autoscaler's floor, and no fewer. */
export function noticeRecovery(world: World): World {
  const { hurt } = world.ledger;
  if (hurt.size === 0) return world;
  const still = [...hurt].filter(([revision]) => !isWhole(world, revision));
  return still.length === hurt.size ? world : { ...world, ledger: { ...world.ledger, hurt: new Map(still) } };
}

function isWhole(world: World, revision: string): boolean {
  const deployment = liveDeployment(world, revision);
  const floor = liveAutoscaler(world, revision)?.spec.minReplicas;
  if (deployment === undefined || floor === undefined || isBroken(world.behaviours[versionOf(deployment)]))
    return false;
  const ready = ownPods(world, deployment).filter(isServing).length;
  return ready >= Math.max(floor, deployment.spec.replicas ?? 1);
}
