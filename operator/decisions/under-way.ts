import type { DecisionAction } from '../api/rollout-decision.ts';
import type { Rollout } from '../plan/rollout.ts';
import { atNextStep, stageOf } from '../plan/stages.ts';
import { ends, goesOn, refused, withReason, type Hearing, type Ruling } from './ruling.ts';

/** Actions that change a rollout while it is under way. */
export type ActionUnderWay = Exclude<DecisionAction, 'Retry' | 'Rollback'>;

type Rule = (hearing: Hearing, rollout: Rollout) => Ruling;

export const rulesUnderWay: Readonly<Record<ActionUnderWay, Rule>> = {
  Promote: unlessPaused(promote),
  PromoteFull: unlessPaused(unlessThrough(promoteFull)),
  SkipStep: unlessPaused(unlessThrough(skipStep)),
  Pause: pause,
  Resume: resume,
  Abort: abort,
};

/** While somebody holds a rollout, nobody moves it on unless it is resumed first. */
function unlessPaused(rule: Rule): Rule {
  return (hearing, rollout) => {
    const { paused, id } = rollout.state;
    if (paused === undefined) return rule(hearing, rollout);
    return refused(
      'PausedByDecision',
      `Rollout ${id} is paused by ${paused.by}: Resume it first, or Abort it`,
    );
  };
}

function unlessThrough(rule: Rule): Rule {
  return (hearing, rollout) => {
    const { state, stepIndex, stepCount } = rollout;
    if (stepIndex < stepCount) return rule(hearing, rollout);
    return refused('NoStepLeft', `Rollout ${state.id} has no step left to skip: ${stageOf(rollout).message}`);
  };
}

const WAITS = ['PausedForATime', 'PausedUntilDecision'];

function promote(_hearing: Hearing, rollout: Rollout): Ruling {
  const { state, stepCount } = rollout;
  const { reason, message } = stageOf(rollout);
  if (!WAITS.includes(reason)) {
    return refused(
      'NothingWaits',
      `Rollout ${state.id} rests in no pause that Promote could pass: ${message}`,
    );
  }
  return goesOn(atNextStep(rollout), `The pause after ${state.stepIndex} of ${stepCount} steps is over`);
}

function promoteFull({ nowMs }: Hearing, { state, candidate }: Rollout): Ruling {
  const stepEnteredAt = new Date(nowMs).toISOString();
  return goesOn(
    { ...state, skipsSteps: true, stepEnteredAt },
    `All steps that are left are skipped: ${candidate.name} gets all traffic as soon as its pods and every proxy are ready for it`,
  );
}

function skipStep(_hearing: Hearing, rollout: Rollout): Ruling {
  const { state, stepCount } = rollout;
  return goesOn(atNextStep(rollout), `Step ${state.stepIndex + 1} of ${stepCount} is skipped`);
}

function pause({ decision, by, nowMs }: Hearing, { state }: Rollout): Ruling {
  if (state.paused !== undefined) {
    return refused('AlreadyPaused', `Rollout ${state.id} is paused already, by ${state.paused.by}`);
  }
  const { reason } = decision.spec;
  const paused = { by, ...(reason !== undefined && { reason }), at: new Date(nowMs).toISOString() };
  return goesOn({ ...state, paused }, `Rollout ${state.id} keeps its weights until it is resumed`);
}

function resume(_hearing: Hearing, { state }: Rollout): Ruling {
  const { paused, ...rest } = state;
  if (paused === undefined) return refused('NotPaused', `Rollout ${state.id} is not paused by any decision`);
  return goesOn(rest, `Rollout ${state.id} goes on`);
}

function abort({ decision, by, stable, nowMs }: Hearing, { candidate }: Rollout): Ruling {
  const aborted = {
    reason: 'AbortedByDecision',
    message: withReason(`Aborted by ${by}`, decision),
    at: new Date(nowMs).toISOString(),
  };
  return ends([{ revision: candidate.name, aborted }], `All traffic goes back to ${stable.name}`);
}
