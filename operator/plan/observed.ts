import type { KubernetesObject } from '../api/object.ts';
import type { TrafficRefusal } from '../traffic/traffic-refusal.ts';
import type { ModelSources } from '../resources/controller-revision.ts';
import type { RolloutDecision } from '../api/rollout-decision.ts';

/**
 * Everything that a plan may know about the world outside the ModelDeployment itself: plain data, gathered by
 * `observe` before each pass and by the simulator from its model of a cluster.
 */
export interface Observed {
  /** Live objects in the namespace that bear our model-deployment label, of every kind that we make. */
  readonly children: readonly KubernetesObject[];
  readonly pods: readonly PodObservation[];
  /** What each reachable runtime says of itself, by pod name; empty unless `needsEvidence` asked for it. */
  readonly reports: ReadonlyMap<string, RuntimeReport>;
  readonly gateways: GatewayObservation;
  readonly endpoints: EndpointsObservation;
  readonly platform: PlatformObservation;
  /** Hosts and gateways of the spec that are not this ModelDeployment's to serve. */
  readonly refusedTraffic: readonly TrafficRefusal[];
  /** All that name this ModelDeployment, answered or not. */
  readonly decisions: readonly RolloutDecision[];
  /**
   * Since when a policy holds `decidedBy` to the name of whoever creates a decision; undefined where none is known, and
   * while no decision waits for its answer.
   */
  readonly decisionPolicySince?: string;
  /** The runtime image of this operator, for revisions that name none. */
  readonly defaultRuntimeImage: string;
  /** What the platform says of models' sources now; a revision keeps what was said when it was made. */
  readonly modelSources?: ModelSources;
}

/** A pod of one revision, reduced to what decides. */
export interface PodObservation {
  readonly name: string;
  readonly revision: string;
  /** The Ready condition; a terminating pod is never ready. */
  readonly ready: boolean;
  readonly terminating: boolean;
  /** How often the runtime container has ended by itself: restarts, plus one while it is down. */
  readonly crashes: number;
  /** How it ended last, where it did. */
  readonly lastTermination?: Termination;
  /** Why it cannot be placed or started (Unschedulable, ImagePullBackOff, …), where that is so. */
  readonly waiting?: { readonly reason: string; readonly message: string };
}

export interface Termination {
  /** The runtime's own reason from its termination message, or Kubernetes' (Error, OOMKilled). */
  readonly reason: string;
  readonly message: string;
  readonly exitCode: number;
  /** RFC 3339, where the kubelet tells it. */
  readonly finishedAt?: string;
}

/** The runtime's `/headgate/report`. */
export interface RuntimeReport {
  readonly modelDigest: string | null;
  /** Of users alone, as the window. */
  readonly total: RequestCount;
  readonly window: RequestCount & { readonly seconds: number };
  /** Copies of users' requests within the same window; a runtime of an earlier release does not count them. */
  readonly mirrors?: RequestCount;
  /** Of all that this process answers, as what follows: users, copies and previews. */
  readonly latencyP95Ms: number;
  readonly inFlight: number;
  /** Null when this process has never been asked. */
  readonly lastRequestSecondsAgo: number | null;
  readonly routings: readonly { readonly hash: string; readonly lastSeenSecondsAgo: number }[];
  /** When a client last opened a connection; null: never. Runtimes of one's own may leave it out. */
  readonly lastConnectionSecondsAgo?: number | null;
}

export interface RequestCount {
  readonly requests: number;
  readonly errors: number;
}

/** The answers of the proxies that `spec.traffic.gateways` names; each expected pod is listed, answering or not. */
export interface GatewayObservation {
  readonly proxies: readonly ProxyObservation[];
  /** Gateways of the spec that have no object or no pods, each with a sentence. */
  readonly missing: readonly { readonly gateway: string; readonly message: string }[];
}

export interface ProxyObservation {
  /** namespace/pod */
  readonly name: string;
  /** The hash that the proxy's probe route answered; undefined when it did not answer. */
  readonly hash?: string;
  /** Why there is no hash: refused, timed out, 404, … */
  readonly problem?: string;
}

/** What the EndpointSlices of the entry Service hold; neither where nobody asked. */
export interface EndpointsObservation {
  /** The names of their ready pods. */
  readonly pods?: readonly string[];
  /** Why they cannot be read. */
  readonly problem?: string;
}

/** Which of the APIs that Headgate builds on the cluster serves at this moment. */
export interface PlatformObservation {
  readonly istio: boolean;
  readonly customMetrics: boolean;
}
