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
import { needsEvidence, plan } from '../../operator/plan/plan.ts';
import { execute, patchStatus, same, type Answer, type Writer } from './api-server.ts';
import { windowOf } from './clients.ts';
import {
  cached,
  isServing,
  MODEL_DEPLOYMENT_KEY,
  NAME,
  type Behaviour,
  type OperatorState,
  type Pass,
  type Pod,
  type World,
} from './world.ts';

/** A failed pass is tried again after a while, without anything having changed. */
const RETRY_MS = 1_000;

export const IDLE: OperatorState = { pass: undefined, dirty: true, dueMs: undefined };

/** Whether production's queue would start a pass now. */
export function isTriggered({ operator, nowMs }: World): boolean {
  return operator.dirty || (operator.dueMs !== undefined && operator.dueMs <= nowMs);
}

/** Looks at the world and plans; what is decided is carried out one action at a time by `actOnce`. */
export function beginPass(world: World): World {
  if (world.operator.pass !== undefined) return world;
  const modelDeployment = cached(world, MODEL_DEPLOYMENT_KEY) as ModelDeployment | undefined;
  if (modelDeployment === undefined) return { ...world, operator: { ...IDLE, dirty: false } };
  const { actions, status, requeueAfterMs } = plan(
    modelDeployment,
    observe(world, modelDeployment),
    world.nowMs,
  );
  const pass: Pass = {
    seen: world,
    actions,
    next: 0,
    status,
    statusChanged: !same(withoutLatency(modelDeployment.status), withoutLatency(status)),
    observedResourceVersion: modelDeployment.metadata.resourceVersion ?? '',
    requeueAfterMs,
  };
  return { ...world, operator: { pass, dirty: false, dueMs: undefined } };
}

/** A latency alone is not written (operator/execute). */
export function withoutLatency(status: ModelDeployment['status']): unknown {
  return { ...status, p95: undefined };
}

/** The next action of the pass, or its status patch after the last; the first failure ends the pass. */
export function actOnce(world: World): World {
  const { pass } = world.operator;
  if (pass === undefined) return world;
  const answer = write(world, pass, 'Operator');
  if (answer.kind === 'Refused') return failed(world);
  const { operator } = answer.world;
  if (pass.next < pass.actions.length) {
    return { ...answer.world, operator: { ...operator, pass: { ...pass, next: pass.next + 1 } } };
  }
  const dueMs = pass.requeueAfterMs === undefined ? undefined : world.nowMs + pass.requeueAfterMs;
  return { ...answer.world, operator: { ...operator, pass: undefined, dueMs } };
}

function write(world: World, pass: Pass, hears: Writer): Answer {
  const action = pass.actions[pass.next];
  if (action !== undefined) return execute(world, action, hears);
  return pass.statusChanged ? patchStatus(world, pass, hears) : { kind: 'Done', world };
}

/** Whether what the operator does next goes to the API server and can fail there; a lost event fails nothing. */
export function willWrite({ operator: { pass } }: World): boolean {
  const action = pass?.actions[pass.next];
  return action === undefined ? pass?.statusChanged === true : action.kind !== 'RecordEvent';
}

/** The API server answers the next write with an error, or not at all, having done it or not. */
export function failOnce(world: World, isDone: boolean): World {
  const { pass } = world.operator;
  if (pass === undefined || !willWrite(world)) return world;
  const answer: Answer = isDone ? write(world, pass, 'Others') : { kind: 'Done', world };
  return failed(answer.kind === 'Done' ? answer.world : world);
}

function failed(world: World): World {
  return {
    ...world,
    operator: { pass: undefined, dirty: world.operator.dirty, dueMs: world.nowMs + RETRY_MS },
  };
}

/** The process dies; its successor lists the world anew. */
export function crash(world: World): World {
  return { ...world, operator: IDLE };
}

export function observe(world: World, modelDeployment: ModelDeployment): Observed {
  const children = cachedChildren(world);
  const platform = { istio: world.platform.istio, customMetrics: world.platform.customMetrics };
  const asked = needsEvidence(modelDeployment, children, platform);
  return {
    children,
    pods: world.cachedPods.map(observePod(world)),
    reports: asked && world.platform.reportsAnswer ? reportsOf(world) : new Map<string, RuntimeReport>(),
    gateways: asked ? observeGateways(world, modelDeployment) : { proxies: [], missing: [] },
    endpoints: asked ? observeEndpoints(world) : {},
    platform,
    refusedTraffic: [],
    defaultRuntimeImage: 'localhost/headgate-runtime:dev',
    decisions: [],
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
