import type { AnsweredDecision, ModelDeployment } from '../../operator/api/model-deployment.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import type { Answer } from '../../operator/decisions/answers.ts';
import type { Action } from '../../operator/plan/action.ts';
import type { Destination, Mirror } from '../../operator/traffic/routing.ts';

/** What the user may ask for: one model file each. */
export const VERSIONS = ['v1', 'v2', 'v3'] as const;
export type Version = (typeof VERSIONS)[number];

/** How pods of a version fare. */
export const BEHAVIOURS = [
  'Good',
  'AnswersWithErrors',
  'CrashesBeforeReady',
  'CrashesWhenReady',
  'NeverReady',
  'ImageMissing',
  'ModelInvalid',
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

export type PodState = 'Starting' | 'Ready' | 'Unready' | 'Down' | 'Waiting';

export interface Bucket {
  readonly atMs: number;
  readonly requests: number;
  readonly errors: number;
}

/** What one runtime process remembers; a restart forgets it. */
export interface ProcessMemory {
  readonly requests: number;
  readonly errors: number;
  /** Buckets of five seconds, the newest first, for the window of the report. */
  readonly recent: readonly Bucket[];
  /** The same of copies. */
  readonly recentMirrors: readonly Bucket[];
  readonly lastRequestMs: number | undefined;
  readonly routings: ReadonlyMap<string, number>;
}

export const NO_MEMORY: ProcessMemory = {
  requests: 0,
  errors: 0,
  recent: [],
  recentMirrors: [],
  lastRequestMs: undefined,
  routings: new Map(),
};

export interface Pod {
  readonly name: string;
  readonly revision: string;
  readonly version: Version;
  /** The life of the Deployment that owns it. */
  readonly deploymentUid: string;
  readonly state: PodState;
  readonly crashes: number;
  readonly terminatingSinceMs: number | undefined;
  /** The last request, copy or preview that any process of this pod answered, for the invariants alone. */
  readonly servedAtMs: number | undefined;
  readonly memory: ProcessMemory;
}

/** A routing as one client or proxy follows it. */
export interface Held {
  readonly hash: string;
  readonly destinations: readonly Destination[];
  readonly mirrors: readonly Mirror[];
  /** Revisions that those get who ask for them. */
  readonly previews: readonly string[];
  readonly resourceVersion: string;
  /** Written by somebody else than the operator. */
  readonly isForeign: boolean;
}

/** On a VirtualService that somebody has edited by hand, for the invariants. */
export const EDITED_BY_HAND = 'simulator/edited-by-hand';

/**
 * `Endpoints` are the EndpointSlices of the entry Service, `Plain` stands for clients without a sidecar: the
 * kube-proxy of their node follows those.
 */
export type ProxyRole = 'Gateway' | 'Sidecar' | 'Endpoints' | 'Plain';

/** Those that follow routes of their own. */
export type RoutedRole = Exclude<ProxyRole, 'Endpoints' | 'Plain'>;

/** `Deaf`: serves with what it holds and learns nothing. `Stopped`: neither serves, learns nor answers. */
export type ProxyCondition = 'Well' | 'Deaf' | 'Stopped';

export interface Proxy {
  readonly name: string;
  readonly role: ProxyRole;
  readonly condition: ProxyCondition;
  readonly held: Held | undefined;
}

/** One object in the API server, the newest version first; null where it does not exist. */
export interface Entry {
  readonly versions: readonly (KubernetesObject | null)[];
  /** When each of them was written, in the order of all writes. */
  readonly ids: readonly number[];
  /** How many versions the operator's cache is behind. */
  readonly lag: number;
}

/** A pass that has been planned and is not over. */
export interface Pass {
  /** The world that it was planned in. */
  readonly seen: World;
  readonly actions: readonly Action[];
  readonly next: number;
  readonly status: ModelDeployment['status'];
  readonly answers: readonly Answer[];
  /** Somebody else's object, where one has a name that is needed. */
  readonly taken: KubernetesObject | undefined;
  readonly statusChanged: boolean;
  readonly observedResourceVersion: string;
  readonly requeueAfterMs: number | undefined;
}

export interface OperatorState {
  readonly pass: Pass | undefined;
  /** Something that it watches has changed since the last pass began, or a pass has failed. */
  readonly dirty: boolean;
  readonly dueMs: number | undefined;
}

export interface Platform {
  /** Whether the cluster serves Istio's API at this moment, and whether it has a mesh at all. */
  readonly istio: boolean;
  readonly hasMesh: boolean;
  readonly customMetrics: boolean;
  /** Whether the adapter answers for the metric at this moment. */
  readonly metricAnswers: boolean;
  readonly reportsAnswer: boolean;
  readonly cacheFrozen: boolean;
  readonly userTraffic: boolean;
}

/** How a user leaves what he does not like. */
export type WayOut =
  | { readonly kind: 'Abort' }
  | { readonly kind: 'Rollback'; readonly to: Version }
  | { readonly kind: 'Spec'; readonly version: Version };

export interface Wanted {
  readonly way: WayOut;
  /** What was promoted when the way was taken. */
  readonly stable: string | undefined;
  /** Whether what is asked for now was given up before. */
  readonly wasGivenUp: boolean;
}

/** What the invariants remember beside the state of the world. */
export interface Ledger {
  readonly virtualServiceWrites: number;
  readonly podsDeleted: ReadonlyMap<string, number>;
  /** Revisions whose abort the API has recorded and no user has undone. */
  readonly aborted: ReadonlySet<string>;
  /** Revisions whose pods the environment, not the operator, has hurt, with since when. */
  readonly hurt: ReadonlyMap<string, number>;
  /** Every decision that was ever answered, by its uid. */
  readonly heard: ReadonlyMap<string, AnsweredDecision>;
  /** Where the user is to end, having taken a way out with nothing in the way since. */
  readonly wanted: Wanted | undefined;
  readonly deleted: boolean;
}

/** Everything; never changed in place, so that keeping one costs a reference. */
export interface World {
  readonly nowMs: number;
  readonly lastId: number;
  readonly objects: ReadonlyMap<string, Entry>;
  readonly pods: readonly Pod[];
  /** The pods as the operator's cache has them. */
  readonly cachedPods: readonly Pod[];
  readonly proxies: readonly Proxy[];
  readonly behaviours: Readonly<Record<Version, Behaviour>>;
  readonly platform: Platform;
  readonly operator: OperatorState;
  readonly ledger: Ledger;
}

export const NAMESPACE = 'ml';
export const NAME = 'fraud';
export const MODEL_DEPLOYMENT_KEY = `ModelDeployment/${NAME}`;

export function keyOf({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.name}`;
}

/** What the API server would answer now. */
export function live(world: World, key: string): KubernetesObject | undefined {
  return world.objects.get(key)?.versions[0] ?? undefined;
}

/** What the operator's cache holds. */
export function cached(world: World, key: string): KubernetesObject | undefined {
  const entry = world.objects.get(key);
  return entry?.versions[entry.lag] ?? undefined;
}

export function liveModelDeployment(world: World): ModelDeployment | undefined {
  return live(world, MODEL_DEPLOYMENT_KEY) as ModelDeployment | undefined;
}

export function withMapEntry<Key, Value>(
  map: ReadonlyMap<Key, Value>,
  key: Key,
  value: Value,
): ReadonlyMap<Key, Value> {
  return new Map(map).set(key, value);
}

export interface LiveDeployment extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number;
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly env?: readonly { readonly name: string; readonly value?: string }[];
        }[];
      };
    };
  };
}

export interface LiveAutoscaler extends KubernetesObject {
  readonly spec: {
    readonly minReplicas?: number;
    readonly maxReplicas: number;
    readonly metrics: readonly { readonly type: string }[];
    readonly behavior?: { readonly scaleDown?: { readonly selectPolicy?: string } };
  };
}

export interface LiveService extends KubernetesObject {
  readonly spec: { readonly selector?: Readonly<Record<string, string>> };
}

export function liveDeployment(world: World, revision: string): LiveDeployment | undefined {
  return ownLive(world, `Deployment/${revision}`) as LiveDeployment | undefined;
}

export function liveAutoscaler(world: World, revision: string): LiveAutoscaler | undefined {
  return ownLive(world, `HorizontalPodAutoscaler/${revision}`) as LiveAutoscaler | undefined;
}

/** What somebody else keeps under the name runs none of our pods. */
function ownLive(world: World, key: string): KubernetesObject | undefined {
  const object = live(world, key);
  return object?.metadata.ownerReferences === undefined ? undefined : object;
}

/** The replicas of a revision as the API server has them; 0 without a Deployment. */
export function replicasOf(world: World, revision: string): number {
  return liveDeployment(world, revision)?.spec.replicas ?? 0;
}

export function isServing(pod: Pod): boolean {
  return pod.state === 'Ready' && pod.terminatingSinceMs === undefined;
}

export function readyPodsOf(world: World, revision: string): readonly Pod[] {
  return world.pods.filter((pod) => pod.revision === revision && isServing(pod));
}
