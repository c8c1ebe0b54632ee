import type { ModelDeployment } from './api/model-deployment.ts';
import type { RolloutDecision } from './api/rollout-decision.ts';
import type { PassResult } from './controller/controller.ts';
import { isNamespaceEnding } from './controller/errors.ts';
import { answersWithoutModel } from './decisions/answers.ts';
import { execute, type ExecuteListeners } from './execute/execute.ts';
import { tellDeciders } from './execute/tell-deciders.ts';
import type { Cluster } from './kube/cluster.ts';
import { NameTakenError } from './kube/ownership.ts';
import { observe } from './observe/observe.ts';
import { needsEvidence, plan } from './plan/plan.ts';
import type { TrafficRefusal } from './traffic/traffic-refusal.ts';
import type { ModelSources } from './resources/controller-revision.ts';

/** No event tells that a name has become free: objects that are not ours are not watched. */
const LOOK_FOR_NAME_MS = 30_000;

export interface ReconcileContext {
  readonly cluster: Cluster;
  readonly defaultRuntimeImage: string;
  readonly gatewayNamespaces?: readonly string[] | undefined;
  /** Hosts and gateways of the spec that are not this ModelDeployment's to serve. */
  readonly refuseTraffic: (modelDeployment: ModelDeployment) => readonly TrafficRefusal[];
  readonly modelSources?: ModelSources | undefined;
  readonly decisionPolicy?: string | undefined;
  readonly listeners?: ReconcileListeners;
}

export interface ReconcileListeners extends ExecuteListeners {
  /** A pass met a namespace that is being deleted. */
  readonly onNamespaceEnding?: (namespace: string) => void;
}

/** One pass over one ModelDeployment, named `namespace/name`: look at its world, decide, act. */
export async function reconcile(context: ReconcileContext, key: string): Promise<PassResult> {
  const { cluster, listeners } = context;
  const [namespace = '', name = ''] = key.split('/');
  const modelDeployment = cluster.cached('ModelDeployment', namespace, name) as ModelDeployment | undefined;
  if (modelDeployment === undefined) {
    // It is gone; its children follow by their owner references. Decisions outlive it, and are answered all the same.
    const decisions = cluster.cachedGroup('RolloutDecision', key) as readonly RolloutDecision[];
    await tellDeciders(cluster, answersWithoutModel(decisions, Date.now()));
    return {};
  }

  const beginMs = Date.now();
  const observed = await observe(cluster, modelDeployment, {
    ...context,
    needsEvidence: (...world) => needsEvidence(...world, beginMs),
  });
  const decision = plan(modelDeployment, observed, Date.now());
  try {
    await execute(cluster, modelDeployment, decision, listeners);
  } catch (error) {
    return afterObstacle(context, namespace, error);
  }
  return decision.requeueAfterMs === undefined ? {} : { requeueAfterMs: decision.requeueAfterMs };
}

/** What stands in the way by somebody's will is no failure: nobody has to be called, and haste would not help. */
function afterObstacle({ listeners }: ReconcileContext, namespace: string, error: unknown): PassResult {
  if (error instanceof NameTakenError) return { requeueAfterMs: LOOK_FOR_NAME_MS };
  if (!isNamespaceEnding(error)) throw error;
  listeners?.onNamespaceEnding?.(namespace);
  return {};
}
