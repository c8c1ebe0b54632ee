import type { PendingMark } from '../api/model-deployment.ts';
import type { RolloutDecision } from '../api/rollout-decision.ts';
import type { RolloutState } from '../plan/course.ts';
import type { Facts } from '../plan/facts.ts';
import type { Rollout } from '../plan/rollout.ts';

/** Why a decision has, or has not, the effect that it asks for; each is told of in docs/reasons.md. */
export type RulingReason =
  | 'AlreadyPaused'
  | 'AlreadyThere'
  | 'AsDecided'
  | 'Deleting'
  | 'ModelDeploymentMissing'
  | 'NeverPromoted'
  | 'NoEarlierRevision'
  | 'NoStepLeft'
  | 'NothingPromoted'
  | 'NothingWaits'
  | 'NotAborted'
  | 'NotPaused'
  | 'NotRemembered'
  | 'PausedByDecision'
  | 'RevisionUnknown'
  | 'RolloutOver'
  | 'RolloutUnderWay'
  | 'StepOver';

/** What becomes of one decision, and of the ModelDeployment with it. */
export type Ruling =
  | { readonly phase: 'Applied'; readonly message: string; readonly effect: Effect }
  | { readonly phase: 'Refused' | 'Expired'; readonly reason: RulingReason; readonly message: string };

/**
 * What an applied decision puts into the status. Everything that follows is done by later passes, which find it there:
 * so a decision fires once, with the one write that records it.
 */
export interface Effect {
  /** The rollout as it goes on; undefined where the decision ends it. */
  readonly rollout: RolloutState | undefined;
  readonly marks?: readonly PendingMark[];
}

/** One decision, and all that it is judged by. */
export interface Hearing {
  readonly decision: RolloutDecision;
  /** Who decides, in words that say what is not verified. */
  readonly by: string;
  readonly facts: Facts;
  /** The rollout under way, if there is one. */
  readonly rollout: Rollout | undefined;
  /** The one that a decision has to name. */
  readonly rolloutId: string;
  readonly stable: NonNullable<Facts['stable']>;
  readonly nowMs: number;
}

export function refused(reason: RulingReason, message: string): Ruling {
  return { phase: 'Refused', reason, message };
}

export function expired(reason: RulingReason, message: string): Ruling {
  return { phase: 'Expired', reason, message };
}

export function goesOn(rollout: RolloutState, message: string): Ruling {
  return { phase: 'Applied', message, effect: { rollout } };
}

export function ends(marks: readonly PendingMark[], message: string): Ruling {
  return { phase: 'Applied', message, effect: { rollout: undefined, marks } };
}

/** With the decider's own words, where they gave some. */
export function withReason(sentence: string, { spec: { reason } }: RolloutDecision): string {
  return reason === undefined ? sentence : `${sentence}: ${reason}`;
}
