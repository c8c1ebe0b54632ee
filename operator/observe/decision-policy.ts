import type { RolloutDecision } from '../api/rollout-decision.ts';
import { isForbidden } from '../controller/errors.ts';
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
  const times = (await Promise.all(KINDS.map((kind) => createdAt(cluster, kind, name)))).sort();
  const [earliest, latest] = times;
  return earliest === '' || latest === undefined ? {} : { decisionPolicySince: latest };
}

/** Whoever may not look has not seen it; people decide all the same. */
async function createdAt(cluster: Cluster, kind: (typeof KINDS)[number], name: string): Promise<string> {
  try {
    const object = await cluster.read(kind, undefined, name);
    return object?.metadata.creationTimestamp ?? '';
  } catch (error) {
    if (isForbidden(error)) return '';
    throw error;
  }
}
