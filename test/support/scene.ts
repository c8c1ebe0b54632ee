import { API_VERSION, DECISION_KIND, KIND, revisionName } from '../../operator/api/names.ts';
import type {
  CanaryStep,
  ModelDeployment,
  ModelDeploymentSpec,
} from '../../operator/api/model-deployment.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import type { DecisionAction, RolloutDecision } from '../../operator/api/rollout-decision.ts';
import type { Action, PlannedEvent } from '../../operator/plan/action.ts';
import type {
  Observed,
  PodObservation,
  ProxyObservation,
  RuntimeReport,
} from '../../operator/plan/observed.ts';
import { needsEvidence, plan, type Plan } from '../../operator/plan/plan.ts';
import { routerFor, routers } from '../../operator/traffic/index.ts';
import { withoutRefused, type TrafficRefusal } from '../../operator/traffic/traffic-refusal.ts';
import { FULL_WEIGHT, weightOf, type Routing } from '../../operator/traffic/routing.ts';

export const START_MS = Date.UTC(2026, 0, 1);
export const GATEWAY_PODS = ['istio-system/gateway-a', 'istio-system/gateway-b'] as const;
export const STEPS: readonly CanaryStep[] = [
  { weight: 5 },
  { pause: { for: '1m' } },
  { weight: 50 },
  { weight: 100 },
];

const NAMESPACE = 'ml';
/** More passes than any chain of decisions needs without time going by. */
const MANY_PASSES = 40;

export type Version = 'v1' | 'v2' | 'v3';

export function modelOf(version: Version): ModelDeploymentSpec['model'] {
  return { uri: `file:///models/${version}.onnx` };
}

export function newModelDeployment(name = 'fraud'): ModelDeployment {
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: {
      name,
      namespace: NAMESPACE,
      uid: 'uid-of-fraud',
      generation: 1,
      resourceVersion: '1',
      creationTimestamp: new Date(START_MS).toISOString(),
    },
    spec: {
      model: modelOf('v1'),
      scaling: { minReplicas: 2, maxReplicas: 10, targetP95: '100ms' },
      traffic: {
        hosts: ['fraud.example.com'],
        gateways: ['istio-system/public'],
        pathPrefix: '/fraud',
        timeout: '30s',
        retries: { attempts: 0 },
        router: 'Automatic',
      },
      rollout: {
        strategy: 'Canary',
        canary: { steps: [...STEPS] },
        abortOn: { errorRatePercent: 5, progressDeadline: '10m' },
        revisionHistoryLimit: 10,
      },
    },
  };
}

const quiet: RuntimeReport = {
  modelDigest: 'd'.repeat(64),
  total: { requests: 0, errors: 0 },
  window: { seconds: 30, requests: 0, errors: 0 },
  latencyP95Ms: 0,
  inFlight: 0,
  lastRequestSecondsAgo: null,
  routings: [],
};

/** Fields to change; `undefined` takes one away. */
type Edit<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

/**
 * One ModelDeployment and the world around it, driven by the real plan: its writes are stored as the API server would,
 * pods and proxies do what the test says. Gateways answer the live routes and runtimes report no traffic until told
 * otherwise.
 */
export class Scene {
  modelDeployment: ModelDeployment;
  children: readonly KubernetesObject[] = [];
  nowMs = START_MS;
  platform = { istio: true, customMetrics: true };
  runtimeImage = 'localhost/headgate-runtime:dev';
  refusedTraffic: readonly TrafficRefusal[] = [];
  decisions: readonly RolloutDecision[] = [];
  decisionPolicySince: string | undefined = new Date(START_MS).toISOString();
  /** What has been told, oldest first. */
  readonly events: PlannedEvent[] = [];
  pods: readonly PodObservation[] = [];
  private readonly reports = new Map<string, Edit<RuntimeReport> | 'silent'>();
  private readonly stuckGateways = new Map<string, Omit<ProxyObservation, 'name'>>();
  private missingGateways: Observed['gateways']['missing'] = [];
  private lateEndpoints: Observed['endpoints'] | undefined;
  private lastVersion = 1;

  constructor(name = 'fraud') {
    this.modelDeployment = newModelDeployment(name);
  }

  get status(): NonNullable<ModelDeployment['status']> {
    return this.modelDeployment.status ?? {};
  }

  /** The routing that the live objects ask for. */
  get routing(): Routing | undefined {
    return routerFor(this.modelDeployment, this.platform).readRouting(this.children, this.modelDeployment);
  }

  revision(version: Version): string {
    const { metadata, spec } = this.modelDeployment;
    return revisionName(metadata.name, { ...spec, model: modelOf(version) });
  }

  /** Percent of the traffic that the live routes give to a version. */
  share(version: Version): number {
    return weightOf(this.routing, this.revision(version)) / (FULL_WEIGHT / 100);
  }

  child(kind: string, name: string): KubernetesObject | undefined {
    return this.children.find((object) => object.kind === kind && object.metadata.name === name);
  }

  isMade(kind: string, version: Version): boolean {
    return this.child(kind, this.revision(version)) !== undefined;
  }

  condition(type: string): string | undefined {
    return this.status.conditions?.find((condition) => condition.type === type)?.status;
  }

  // What the user does

  asksFor(version: Version): this {
    return this.edits({ model: modelOf(version) });
  }

  steps(...steps: readonly CanaryStep[]): this {
    const { rollout } = this.modelDeployment.spec;
    return this.edits({ rollout: { ...rollout, canary: { steps: [...steps] } } });
  }

  edits(spec: Partial<ModelDeploymentSpec>): this {
    const { metadata } = this.modelDeployment;
    return this.withModelDeployment({
      metadata: { ...metadata, generation: metadata.generation + 1 },
      spec: { ...this.modelDeployment.spec, ...spec },
    });
  }

  withModelDeployment(change: Partial<ModelDeployment>): this {
    this.modelDeployment = { ...this.modelDeployment, ...change };
    return this;
  }

  /** Creates a RolloutDecision; about the present rollout where it names none. */
  decides(action: DecisionAction, spec: Partial<RolloutDecision['spec']> = {}): this {
    const { namespace, name } = this.modelDeployment.metadata;
    const number = this.decisions.length + 1;
    return this.withDecision({
      apiVersion: API_VERSION,
      kind: DECISION_KIND,
      metadata: {
        ...{ namespace, name: `decision-${number}`, uid: `uid-of-decision-${number}` },
        creationTimestamp: new Date(this.nowMs).toISOString(),
      },
      spec: {
        ...{ modelDeployment: name, rollout: this.status.rolloutId ?? 'none', action, decidedBy: 'alice' },
        ...spec,
      },
    });
  }

  /** As it stands in the API server; in the place of an older version of it. */
  withDecision(decision: RolloutDecision): this {
    const others = this.decisions.filter(({ metadata }) => metadata.uid !== decision.metadata.uid);
    this.decisions = [...others, decision];
    return this;
  }

  /** What the decision made last has been answered. */
  get answer(): RolloutDecision['status'] {
    return this.decisions.at(-1)?.status;
  }

  losesStatus(): this {
    const { status: _lost, ...rest } = this.modelDeployment;
    this.modelDeployment = rest;
    return this;
  }

  // What the cluster does

  /** The version has just these pods, all ready, or as given. */
  runs(version: Version, count: number, change: Partial<PodObservation> = {}): this {
    const revision = this.revision(version);
    const others = this.pods.filter((pod) => pod.revision !== revision);
    const own = Array.from({ length: count }, (_, index) => ({
      ...{ name: `${version}-pod-${index}`, revision, ready: true, terminating: false, crashes: 0 },
      ...change,
    }));
    this.pods = [...others, ...own];
    return this;
  }

  /** One pod fares differently. */
  pod(name: string, change: Partial<PodObservation>): this {
    this.pods = this.pods.map((pod) => (pod.name === name ? { ...pod, ...change } : pod));
    return this;
  }

  reportOf(pod: string, report: Edit<RuntimeReport> | 'silent'): this {
    this.reports.set(pod, report);
    return this;
  }

  gatewayStops(
    name: string,
    answer: Omit<ProxyObservation, 'name'> = { problem: 'no answer within 800 ms' },
  ): this {
    this.stuckGateways.set(name, answer);
    return this;
  }

  /** The EndpointSlices of the entry Service are as given, whatever it selects; undefined: they follow it. */
  endpointsAre(endpoints: Observed['endpoints'] | undefined): this {
    this.lateEndpoints = endpoints;
    return this;
  }

  gatewaysGoOn(): this {
    this.stuckGateways.clear();
    this.missingGateways = [];
    return this;
  }

  gatewayIsMissing(message: string): this {
    this.missingGateways = [{ gateway: 'istio-system/public', message }];
    return this;
  }

  /** Every autoscaler finds its metric, or not. */
  metricIs(status: 'True' | 'False'): this {
    this.children = this.children.map((object) =>
      object.kind === 'HorizontalPodAutoscaler'
        ? Object.assign({ ...object }, { status: { conditions: [{ type: 'ScalingActive', status }] } })
        : object,
    );
    return this;
  }

  /** Somebody writes, or with undefined deletes, an object by hand. */
  byHand(kind: string, name: string, object: KubernetesObject | undefined): this {
    this.children = this.children.filter((child) => child.kind !== kind || child.metadata.name !== name);
    return object === undefined ? this : this.store(object);
  }

  later(milliseconds: number): this {
    this.nowMs += milliseconds;
    return this;
  }

  // What the operator does

  observed(): Observed {
    const isAsked = needsEvidence(this.modelDeployment, this.children, this.platform, this.nowMs);
    return {
      children: this.children,
      pods: this.pods,
      reports: isAsked ? this.gatherReports() : new Map<string, RuntimeReport>(),
      gateways: isAsked ? this.askGateways() : { proxies: [], missing: [] },
      endpoints: isAsked ? this.entryEndpoints() : {},
      platform: this.platform,
      refusedTraffic: this.refusedTraffic,
      defaultRuntimeImage: this.runtimeImage,
      decisions: this.decisions,
      ...(this.decisionPolicySince !== undefined && { decisionPolicySince: this.decisionPolicySince }),
    };
  }

  /** What the operator would do now. */
  plan(): Plan {
    return plan(this.modelDeployment, this.observed(), this.nowMs);
  }

  /** One pass; a crash ends it before the status is written, or before decisions are answered. */
  pass({ crashBefore }: { readonly crashBefore?: 'Status' | 'Answers' } = {}): Plan {
    const decided = this.plan();
    for (const action of decided.actions) this.carryOut(action);
    if (crashBefore !== 'Status') this.withModelDeployment({ status: decided.status });
    if (crashBefore === undefined) {
      for (const { decision, status } of decided.answers) this.withDecision({ ...decision, status });
    }
    return decided;
  }

  /** Passes until nothing more happens at this time. */
  rests(): this {
    for (let count = 0; count < MANY_PASSES; count += 1) {
      const before = JSON.stringify([this.status, this.children, this.decisions]);
      this.pass();
      if (JSON.stringify([this.status, this.children, this.decisions]) === before) return this;
    }
    throw new Error(`no rest after ${MANY_PASSES} passes: ${JSON.stringify(this.status, undefined, 2)}`);
  }

  private carryOut(action: Action): void {
    if (action.kind === 'RecordEvent') this.events.push(action.event);
    if (action.kind === 'Apply') this.store(action.object);
    if (action.kind === 'Delete') this.byHand(action.reference.kind, action.reference.name, undefined);
  }

  private store(object: KubernetesObject): this {
    const before = this.child(object.kind, object.metadata.name);
    this.lastVersion += 1;
    const metadata = {
      uid: `uid-${this.lastVersion}`,
      creationTimestamp: new Date(this.nowMs).toISOString(),
      ...before?.metadata,
      ...object.metadata,
      resourceVersion: String(this.lastVersion),
    };
    const status = (before as { readonly status?: unknown } | undefined)?.status;
    const stored = { ...object, metadata, ...(status !== undefined && { status }) };
    this.children = [...this.children.filter((child) => child !== before), stored];
    return this;
  }

  private gatherReports(): ReadonlyMap<string, RuntimeReport> {
    return new Map(
      this.pods
        .map(({ name }) => [name, this.reports.get(name) ?? {}] as const)
        .flatMap(([name, report]) =>
          report === 'silent' ? [] : [[name, { ...quiet, ...report } as RuntimeReport]],
        ),
    );
  }

  /** What a proxy that follows the live routes answers to the probe. */
  private probeAnswer(): string | undefined {
    const { metadata } = this.modelDeployment;
    const live = this.child('VirtualService', metadata.name) as ProbedRoutes | undefined;
    return live?.spec?.http?.find(({ directResponse }) => directResponse !== undefined)?.directResponse?.body
      .string;
  }

  /** Those of its selector, unless the test says that they are late. */
  private entryEndpoints(): Observed['endpoints'] {
    const routing = routers.service.readRouting(this.children, this.modelDeployment);
    const revision = routing?.destinations.find(({ weight }) => weight === FULL_WEIGHT)?.revision;
    const ready = this.pods.filter((pod) => pod.ready && pod.revision === revision);
    return this.lateEndpoints ?? { pods: ready.map(({ name }) => name) };
  }

  private askGateways(): Observed['gateways'] {
    const { spec } = withoutRefused(this.modelDeployment, this.refusedTraffic);
    if (spec.traffic.gateways === undefined) return { proxies: [], missing: [] };
    if (this.missingGateways.length > 0) return { proxies: [], missing: this.missingGateways };
    const hash = this.probeAnswer();
    const well = hash === undefined ? { problem: 'it answered 404' } : { hash };
    return {
      proxies: GATEWAY_PODS.map((name) => ({ name, ...(this.stuckGateways.get(name) ?? well) })),
      missing: [],
    };
  }
}

interface ProbedRoutes extends KubernetesObject {
  readonly spec?: {
    readonly http?: readonly { readonly directResponse?: { readonly body: { readonly string: string } } }[];
  };
}

/** The first version is promoted, has two pods, all traffic, and its metric; nothing is left to do. */
export function serving(version: Version = 'v1', prepare: (scene: Scene) => void = () => undefined): Scene {
  const scene = new Scene();
  scene.asksFor(version);
  prepare(scene);
  scene.runs(version, scene.modelDeployment.spec.scaling.minReplicas).rests();
  return scene.metricIs('True').rests();
}

/** `v1` serves and `v2` has come to its first pause with 5 % of the traffic. */
export function atFirstPause(prepare?: (scene: Scene) => void): Scene {
  return serving('v1', prepare).asksFor('v2').runs('v2', 1).rests();
}
