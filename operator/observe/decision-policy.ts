import type { RolloutDecision } from '../api/rollout-decision.ts';
import type { Cluster } from '../kube/cluster.ts';
import type { Observed } from '../plan/observed.ts';

/** What is in force together: a policy without a binding holds nobody to anything. */
const KINDS = ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'] as const;

/** Asks the API server, and only while some decision waits for its answer. */
export async function observeDecisionPolicy(
  cluster: Cluster,
  name: string | undefined,
  decisions: readonly RolloutDecision[],
): Promise<Pick<Observed, 'decisionPolicySince'>> {
  if (name === undefined || decisions.every(({ status }) => status?.phase !== undefined)) return {};
  const objects = await Promise.all(KINDS.map((kind) => cluster.read(kind, undefined, name)));
  const times = objects.map((object) => object?.metadata.creationTimestamp ?? '').sort();
  const [earliest, latest] = times;
  return earliest === '' || latest === undefined ? {} : { decisionPolicySince: latest };
}
