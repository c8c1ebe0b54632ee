import type { RolloutDecision } from '../api/rollout-decision.ts';
import type { Observed } from '../plan/observed.ts';

type Policy = Pick<Observed, 'decisionPolicySince'>;

/**
 * Whether the policy was in force when the decision was created. Objects hold no trace of who made them, so without it
 * `decidedBy` is nothing but a claim.
 */
export function isVerified({ metadata }: RolloutDecision, { decisionPolicySince }: Policy): boolean {
  if (decisionPolicySince === undefined || metadata.creationTimestamp === undefined) return false;
  return Date.parse(decisionPolicySince) <= Date.parse(metadata.creationTimestamp);
}

/** In words that never let a claim pass for a fact. */
export function whoDecides(decision: RolloutDecision, policy: Policy): string {
  const { decidedBy, onBehalfOf } = decision.spec;
  const who = isVerified(decision, policy) ? decidedBy : `${decidedBy} (unverified)`;
  return onBehalfOf === undefined ? who : `${who} for ${onBehalfOf} (unverified)`;
}
