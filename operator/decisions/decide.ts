import {
  MOST_DECISIONS,
  type AnsweredDecision,
  type ModelDeploymentStatus,
} from '../api/model-deployment.ts';
import type { RolloutDecision } from '../api/rollout-decision.ts';
import type { PlannedEvent } from '../plan/action.ts';
import type { Facts } from '../plan/facts.ts';
import type { Proof } from '../plan/proof.ts';
import { readRollout, type Rollout } from '../plan/rollout.ts';
import { rolloutIdOf } from '../plan/rollout-id.ts';
import { isForgotten } from './answers.ts';
import { retry, rollback } from './afterwards.ts';
import { isVerified, whoDecides } from './identity.ts';
import { expired, refused, type Effect, type Hearing, type Ruling } from './ruling.ts';
import { rulesUnderWay } from './under-way.ts';

/** A decision that has been heard: what the status says then, and what is told. */
export interface Heard {
  readonly status: ModelDeploymentStatus;
  readonly event: PlannedEvent;
}

/**
 * The oldest decision that waits, heard in a pass of its own that writes nothing else than the status: so its effect
 * and its answer are recorded together or not at all, and a repetition of the pass finds it answered.
 */
export function hearNext(facts: Facts, proof: Proof, nowMs: number): Heard | undefined {
  const { status } = facts.modelDeployment;
  if (status === undefined || !hasBegun(facts)) return undefined;
  const untold = untoldAnswers(facts);
  const decision = waiting(facts)[0];
  // An answer is not forgotten before it stands on its decision, or that would be heard a second time.
  if (decision === undefined || untold.length >= MOST_DECISIONS) return undefined;
  const ruling = rule(decision, facts, { proof, nowMs });
  const answer = answerTo(decision, ruling, { facts, nowMs });
  const effect = ruling.phase === 'Applied' ? ruling.effect : undefined;
  const { name, action, decidedBy, message } = answer;
  return {
    status: {
      ...(effect === undefined ? status : inForce(status, effect)),
      ...remembered(answer, untold, status),
    },
    event: {
      type: ruling.phase === 'Applied' ? 'Normal' : 'Warning',
      reason: eventReasons[ruling.phase],
      message: `${action} by ${decidedBy} (${name}): ${message}`,
    },
  };
}

const eventReasons = {
  Applied: 'DecisionApplied',
  Refused: 'DecisionRefused',
  Expired: 'DecisionExpired',
} as const;

/** A rollout without an id has none that a decision could name; its first pass gives it one. */
function hasBegun({ candidate, stable, modelDeployment }: Facts): boolean {
  const isDeleted = modelDeployment.metadata.deletionTimestamp !== undefined;
  if (candidate === undefined || stable === undefined || isDeleted) return true;
  return modelDeployment.status?.rollout?.revision === candidate.name;
}

/** Those that stand in the status and not yet on their decisions. */
function untoldAnswers({ observed, modelDeployment }: Facts): readonly AnsweredDecision[] {
  const unanswered = observed.decisions.filter(({ status }) => status?.phase === undefined);
  const uids = new Set(unanswered.map(({ metadata }) => metadata.uid));
  return modelDeployment.status?.decisions?.filter(({ uid }) => uids.has(uid)) ?? [];
}

function remembered(
  answer: AnsweredDecision,
  untold: readonly AnsweredDecision[],
  { decisions: before = [], decisionsForgottenUntil }: ModelDeploymentStatus,
): Pick<ModelDeploymentStatus, 'decisions' | 'decisionsForgottenUntil'> {
  const told = before.filter((known) => !untold.includes(known));
  const kept = new Set([...untold, ...told.slice(0, MOST_DECISIONS - 1 - untold.length)]);
  const forgotten = before.filter((known) => !kept.has(known)).map(({ createdAt }) => createdAt);
  const until = [...forgotten, ...(decisionsForgottenUntil === undefined ? [] : [decisionsForgottenUntil])]
    .sort()
    .at(-1);
  return {
    decisions: [answer, ...before.filter((known) => kept.has(known))],
    ...(until !== undefined && { decisionsForgottenUntil: until }),
  };
}

/** In the order in which they were made; the API server's times have whole seconds. */
function waiting({ observed, modelDeployment }: Facts): readonly RolloutDecision[] {
  const { status = {} } = modelDeployment;
  const answered = new Set(status.decisions?.map(({ uid }) => uid));
  const orderOf = ({ metadata }: RolloutDecision): string =>
    `${metadata.creationTimestamp ?? ''} ${metadata.name}`;
  return observed.decisions
    .filter((decision) => decision.status?.phase === undefined && !answered.has(decision.metadata.uid ?? ''))
    .filter((decision) => !isForgotten(decision, status))
    .sort((left, right) => (orderOf(left) < orderOf(right) ? -1 : 1));
}

function rule(
  decision: RolloutDecision,
  facts: Facts,
  { proof, nowMs }: { readonly proof: Proof; readonly nowMs: number },
): Ruling {
  const { stable, candidate, modelDeployment } = facts;
  const { name, deletionTimestamp } = modelDeployment.metadata;
  if (deletionTimestamp !== undefined) return refused('Deleting', `${name} is being deleted`);
  const rollout = stable && candidate && readRollout(facts, { stable, candidate, proof, nowMs });
  const rolloutId = rolloutIdOf(facts, rollout?.state);
  if (stable === undefined || rolloutId === undefined) {
    return refused(
      'NothingPromoted',
      `The first revision of ${name} has no steps, and there is none to go back to: change the spec instead`,
    );
  }
  const by = whoDecides(decision, facts.observed);
  return (
    staleness(decision, rolloutId, rollout) ?? act({ decision, by, facts, rollout, rolloutId, stable, nowMs })
  );
}

/** What the decision was about is over: it must not hit what has come after. */
function staleness(
  { spec }: RolloutDecision,
  rolloutId: string,
  rollout: Rollout | undefined,
): Ruling | undefined {
  if (spec.rollout !== rolloutId) {
    return expired(
      'RolloutOver',
      `It is about rollout ${spec.rollout}; the present one, or the last, is ${rolloutId}`,
    );
  }
  const at = rollout?.state.stepIndex;
  if (spec.step === undefined || at === undefined || at === spec.step) return undefined;
  return expired(
    'StepOver',
    `It is about the time after ${spec.step} steps; rollout ${rolloutId} has completed ${at}`,
  );
}

function act(hearing: Hearing): Ruling {
  const { action } = hearing.decision.spec;
  if (action === 'Retry') return retry(hearing);
  if (action === 'Rollback') return rollback(hearing);
  const { rollout, rolloutId } = hearing;
  return rollout === undefined
    ? expired('RolloutOver', `Rollout ${rolloutId} is over`)
    : rulesUnderWay[action](hearing, rollout);
}

/** As if the rollout had never been remembered otherwise; a later mark of a revision replaces an earlier one. */
function inForce(status: ModelDeploymentStatus, { rollout, marks = [] }: Effect): ModelDeploymentStatus {
  const { rollout: before, pendingMarks = [], ...rest } = status;
  const rolloutId = rollout?.id ?? before?.id ?? rest.rolloutId;
  const marked = new Set(marks.map(({ revision }) => revision));
  const pending = [...marks, ...pendingMarks.filter(({ revision }) => !marked.has(revision))];
  return {
    ...rest,
    ...(rolloutId !== undefined && { rolloutId }),
    ...(rollout !== undefined && { rollout }),
    ...(pending.length > 0 && { pendingMarks: pending }),
  };
}

function answerTo(
  decision: RolloutDecision,
  ruling: Ruling,
  { facts, nowMs }: { readonly facts: Facts; readonly nowMs: number },
): AnsweredDecision {
  const { uid = '', name, creationTimestamp: createdAt = '' } = decision.metadata;
  return {
    ...{ uid, name, action: decision.spec.action, decidedBy: whoDecides(decision, facts.observed) },
    createdAt,
    phase: ruling.phase,
    reason: ruling.phase === 'Applied' ? 'AsDecided' : ruling.reason,
    message: ruling.message.slice(0, LONGEST_MESSAGE),
    verified: isVerified(decision, facts.observed),
    at: new Date(nowMs).toISOString(),
  };
}

/** The CRD bounds messages. */
const LONGEST_MESSAGE = 1024;
