import {
  MOST_DECISIONS,
  type AnsweredDecision,
  type ModelDeploymentStatus,
} from '../api/model-deployment.ts';
import type { RolloutDecision } from '../api/rollout-decision.ts';
import type { Observed } from '../plan/observed.ts';
import { isVerified } from './identity.ts';
import type { RulingReason } from './ruling.ts';

/** What is to be written on a decision itself. */
export interface Answer {
  readonly decision: RolloutDecision;
  readonly status: NonNullable<RolloutDecision['status']>;
}

/** For each decision that does not say itself yet what became of it, and of which that is known. */
export function answersOf(
  observed: Observed,
  modelDeploymentStatus: ModelDeploymentStatus,
  nowMs: number,
): readonly Answer[] {
  const { decisions: answered = [] } = modelDeploymentStatus;
  return observed.decisions
    .filter(({ status }) => status?.phase === undefined)
    .flatMap((decision) => {
      const answer = answered.find(({ uid }) => uid === decision.metadata.uid);
      if (answer !== undefined) return { decision, status: statusOf(answer) };
      const isLost = isForgotten(decision, modelDeploymentStatus);
      return isLost ? { decision, status: notRemembered(decision, observed, nowMs) } : [];
    });
}

/**
 * Whether it may have been heard, and its answer forgotten since. The API server's times have whole seconds, so one
 * that was not heard may be as old as one that was.
 */
export function isForgotten(
  { metadata }: RolloutDecision,
  { decisionsForgottenUntil }: ModelDeploymentStatus,
): boolean {
  const { creationTimestamp } = metadata;
  if (decisionsForgottenUntil === undefined || creationTimestamp === undefined) return false;
  return Date.parse(creationTimestamp) <= Date.parse(decisionsForgottenUntil);
}

/** Where it was heard indeed, its own status says what became of it, and this answer is refused as a conflict. */
function notRemembered(decision: RolloutDecision, observed: Observed, nowMs: number): Answer['status'] {
  const reason: RulingReason = 'NotRemembered';
  return {
    phase: 'Expired',
    reason,
    message: `More than ${MOST_DECISIONS} decisions came since, or within the same second, so it is not known whether it was heard before: decide anew if you still want it`,
    verified: isVerified(decision, observed),
    at: new Date(nowMs).toISOString(),
  };
}

function statusOf({ phase, reason, message, verified, at }: AnsweredDecision): Answer['status'] {
  return { phase, reason, message, verified, at };
}

/** For decisions about a ModelDeployment that does not exist. */
export function answersWithoutModel(decisions: readonly RolloutDecision[], nowMs: number): readonly Answer[] {
  return decisions
    .filter(({ status }) => status?.phase === undefined)
    .map((decision) => ({
      decision,
      status: {
        phase: 'Refused',
        reason: 'ModelDeploymentMissing',
        message: `There is no ModelDeployment ${decision.spec.modelDeployment} in this namespace`,
        verified: isVerified(decision, {}),
        at: new Date(nowMs).toISOString(),
      },
    }));
}
