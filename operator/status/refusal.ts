import type { Condition, ModelDeployment, ModelDeploymentStatus } from '../api/model-deployment.ts';
import type { PlannedEvent } from '../plan/action.ts';
import { conditionsOf, type ConditionClaim } from './conditions.ts';

const REASON = 'WriteRefused';
const LONGEST_MESSAGE = 1024;

/** A write that the API server refuses for a reason that no repetition mends: an invalid field, a quota, a right. */
export interface Refusal {
  /** What was to be written, such as `Deployment fraud-7c9f4d2b1k`. */
  readonly what: string;
  /** The API server's own words. */
  readonly words: string;
}

/** Says of the spec what became of it. What this pass has not reached is said as it was before. */
export function refusedStatus(
  { status: before = {}, metadata }: ModelDeployment,
  planned: ModelDeploymentStatus,
  refusal: Refusal,
  nowMs: number,
): ModelDeploymentStatus {
  const message = messageOf(refusal);
  const observedGeneration = metadata.generation;
  const own = conditionsOf(claimsOf(message), before.conditions ?? [], { observedGeneration, nowMs });
  return {
    ...before,
    observedGeneration,
    ...(planned.ready !== undefined && { ready: planned.ready }),
    ...{ phase: 'Degraded', reason: REASON, message },
    conditions: replaced(planned.conditions ?? [], own),
  };
}

/** Undefined when that has been told already. */
export function refusalEvent({ status }: ModelDeployment, refusal: Refusal): PlannedEvent | undefined {
  const message = messageOf(refusal);
  const told = status?.reason === REASON && status.message === message;
  return told ? undefined : { type: 'Warning', reason: REASON, message };
}

function messageOf({ what, words }: Refusal): string {
  return `The API server refuses ${what}: ${words}`.slice(0, LONGEST_MESSAGE);
}

function claimsOf(message: string): readonly ConditionClaim[] {
  const claim = (type: string, status: 'True' | 'False'): ConditionClaim => ({
    ...{ type, status, reason: REASON, message },
  });
  return [
    claim('Ready', 'False'),
    claim('Reconciling', 'False'),
    claim('Stalled', 'True'),
    claim('Paused', 'False'),
  ];
}

function replaced(conditions: readonly Condition[], own: readonly Condition[]): Condition[] {
  const types = new Set(own.map(({ type }) => type));
  return [...conditions.filter(({ type }) => !types.has(type)), ...own].sort((left, right) =>
    left.type < right.type ? -1 : 1,
  );
}
