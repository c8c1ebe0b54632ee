import type { Condition } from '../api/model-deployment.ts';
import type { Course } from '../plan/course.ts';

/** Why a condition of its own kind holds or does not; each is told of in docs/reasons.md. */
export type ConditionReason =
  | 'Draining'
  | 'MetricMissing'
  | 'MetricPresent'
  | 'MetricsApiMissing'
  | 'NoReadyPods'
  | 'NothingPromoted'
  | 'PlainService'
  | 'SplitByMesh'
  | 'StableServes';

export interface ConditionClaim {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: ConditionReason | Course['reason'];
  readonly message: string;
}

/**
 * The conditions of this pass; each keeps the time of its last transition while its status stays the same, so that
 * equal worlds give equal conditions.
 */
export function conditionsOf(
  claims: readonly ConditionClaim[],
  previous: readonly Condition[],
  { observedGeneration, nowMs }: { readonly observedGeneration: number; readonly nowMs: number },
): Condition[] {
  return claims
    .map((claim) => {
      const before = previous.find(({ type }) => type === claim.type);
      const lastTransitionTime =
        before?.status === claim.status ? before.lastTransitionTime : new Date(nowMs).toISOString();
      return { ...claim, observedGeneration, lastTransitionTime };
    })
    .sort((left, right) => (left.type < right.type ? -1 : 1));
}
