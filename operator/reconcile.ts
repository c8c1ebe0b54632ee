import type { ModelDeployment } from './api/model-deployment.ts';
import type { PassResult } from './controller/controller.ts';
import { execute, type ExecuteListeners } from './execute/execute.ts';
import type { Cluster } from './kube/cluster.ts';
import { observe } from './observe/observe.ts';
import { needsEvidence, plan } from './plan/plan.ts';

export interface ReconcileContext {
  readonly cluster: Cluster;
  readonly defaultRuntimeImage: string;
  readonly listeners?: ExecuteListeners;
}

/** One pass over one ModelDeployment, named `namespace/name`: look at its world, decide, act. */
export async function reconcile(context: ReconcileContext, key: string): Promise<PassResult> {
  const { cluster, defaultRuntimeImage, listeners } = context;
  const [namespace = '', name = ''] = key.split('/');
  const modelDeployment = cluster.cached('ModelDeployment', namespace, name) as ModelDeployment | undefined;
  // It is gone; its children follow by their owner references.
  if (modelDeployment === undefined) return {};

  const observed = await observe(cluster, modelDeployment, { defaultRuntimeImage, needsEvidence });
  const decision = plan(modelDeployment, observed, Date.now());
  await execute(cluster, modelDeployment, decision, listeners);

  return decision.requeueAfterMs === undefined ? {} : { requeueAfterMs: decision.requeueAfterMs };
}
