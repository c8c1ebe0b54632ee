import { labels } from '../../operator/api/names.ts';
import type { ModelDeployment } from '../../operator/api/model-deployment.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import type {
  EndpointsObservation,
  GatewayObservation,
  Observed,
  PodObservation,
  ProxyObservation,
  RuntimeReport,
  Termination,
} from '../../operator/plan/observed.ts';
import { needsEvidence } from '../../operator/plan/plan.ts';
import { windowOf } from './clients.ts';
import { cachedDecisions } from './decisions.ts';
import { isServing, NAME, type Behaviour, type Pod, type World } from './world.ts';

/** What the operator's caches, the runtimes and the gateways tell it at this moment. */
export function observe(world: World, modelDeployment: ModelDeployment): Observed {
  const children = cachedChildren(world);
  const platform = { istio: world.platform.istio, customMetrics: world.platform.customMetrics };
  const asked = needsEvidence(modelDeployment, children, platform, world.nowMs);
  return {
    children,
    pods: world.cachedPods.map(observePod(world)),
    reports: asked && world.platform.reportsAnswer ? reportsOf(world) : new Map<string, RuntimeReport>(),
    gateways: asked ? observeGateways(world, modelDeployment) : { proxies: [], missing: [] },
    endpoints: asked ? observeEndpoints(world) : {},
    platform,
    refusedTraffic: [],
    defaultRuntimeImage: 'localhost/headgate-runtime:dev',
    decisions: cachedDecisions(world),
  };
}

function cachedChildren({ objects }: World): readonly KubernetesObject[] {
  const children: KubernetesObject[] = [];
  for (const { versions, lag } of objects.values()) {
    const object = versions[lag];
    if (object?.metadata.labels?.[labels.modelDeployment] === NAME) children.push(object);
  }
  return children;
}

const terminations: Readonly<Partial<Record<Behaviour, Termination>>> = {
  ModelInvalid: {
    reason: 'ModelInvalid',
    message: 'The file is no ONNX model: export it again',
    exitCode: 1,
  },
};
const KILLED: Termination = { reason: 'Error', message: '', exitCode: 137 };

function observePod({ behaviours }: World): (pod: Pod) => PodObservation {
  return (pod) => ({
    name: pod.name,
    revision: pod.revision,
    ready: isServing(pod),
    terminating: pod.terminatingSinceMs !== undefined,
    crashes: pod.crashes,
    ...(pod.crashes > 0 && { lastTermination: terminations[behaviours[pod.version]] ?? KILLED }),
    ...(pod.state === 'Waiting' && {
      waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image' },
    }),
  });
}

function reportsOf(world: World): ReadonlyMap<string, RuntimeReport> {
  const answering = world.pods.filter(({ state }) => state === 'Ready' || state === 'Unready');
  return new Map(answering.map((pod) => [pod.name, reportOf(pod, world.nowMs)]));
}

function reportOf({ memory }: Pod, nowMs: number): RuntimeReport {
  const window = windowOf(memory.recent, nowMs);
  const mirrors = windowOf(memory.recentMirrors, nowMs);
  return {
    modelDigest: 'd'.repeat(64),
    total: { requests: memory.requests, errors: memory.errors },
    window: { seconds: 30, ...window },
    mirrors,
    latencyP95Ms: window.requests + mirrors.requests > 0 ? 42 : 0,
    inFlight: 0,
    lastRequestSecondsAgo: secondsSince(memory.lastRequestMs, nowMs),
    // Its clients keep no connections: each request is a new one.
    lastConnectionSecondsAgo: secondsSince(memory.lastRequestMs, nowMs),
    routings: [...memory.routings].map(([hash, seenMs]) => ({
      hash,
      lastSeenSecondsAgo: (nowMs - seenMs) / 1000,
    })),
  };
}

function secondsSince(pastMs: number | undefined, nowMs: number): number | null {
  return pastMs === undefined ? null : (nowMs - pastMs) / 1000;
}

function observeEndpoints({ proxies, pods }: World): EndpointsObservation {
  const held = proxies.find(({ role }) => role === 'Endpoints')?.held;
  const revisions = new Set(held?.destinations.map(({ revision }) => revision));
  return {
    pods: pods.filter((pod) => isServing(pod) && revisions.has(pod.revision)).map(({ name }) => name),
  };
}

function observeGateways(world: World, { spec }: ModelDeployment): GatewayObservation {
  if (spec.traffic.gateways === undefined) return { proxies: [], missing: [] };
  const gateways = world.proxies.filter(({ role }) => role === 'Gateway');
  return {
    proxies: gateways.map(({ name, condition, held }): ProxyObservation => {
      if (condition === 'Stopped') return { name, problem: 'it did not answer within 1 s' };
      return held === undefined ? { name, problem: 'it answered 404' } : { name, hash: held.hash };
    }),
    missing: [],
  };
}
