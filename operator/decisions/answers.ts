import type { AnsweredDecision, ModelDeploymentStatus } from '../api/model-deployment.ts';
import type { RolloutDecision } from '../api/rollout-decision.ts';
import { isVerified } from './identity.ts';

/** What is to be written on a decision itself. */
export interface Answer {
  readonly decision: RolloutDecision;
  readonly status: NonNullable<RolloutDecision['status']>;
}

/** For each decision that the status has answered and that does not say so itself yet. */
export function answersOf(
  decisions: readonly RolloutDecision[],
  { decisions: answered = [] }: ModelDeploymentStatus,
): readonly Answer[] {
  return decisions
    .filter(({ status }) => status?.phase === undefined)
    .flatMap((decision) =>
      answered
        .filter(({ uid }) => uid === decision.metadata.uid)
        .map((answer) => ({ decision, status: statusOf(answer) })),
    );
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
