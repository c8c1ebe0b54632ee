import type { Condition, ModelDeployment, ModelDeploymentStatus } from '../api/model-deployment.ts';
import type { KubernetesObject } from '../api/object.ts';
import type { PlannedEvent } from '../plan/action.ts';
import { conditionsOf, type ConditionClaim } from './conditions.ts';

export type RefusalReason = 'NameTaken' | 'WriteRefused';
const LONGEST_MESSAGE = 1024;

/** A write that cannot be done for a reason that no repetition mends. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly message: string;
}

/** The API server refuses `what`, such as `Deployment fraud-7c9f4d2b1k`: an invalid field, a quota, a right. */
export function writeRefused(what: string, words: string): Refusal {
  return { reason: 'WriteRefused', message: sentence(`The API server refuses ${what}: ${words}`) };
}

/** Somebody else's object has a name that is needed. */
export function nameTaken({ kind, metadata: { name } }: KubernetesObject): Refusal {
  return {
    reason: 'NameTaken',
    message: sentence(
      `${kind} ${name} exists already and is not of this ModelDeployment, so it is left alone: delete or rename that ${kind}, or give the ModelDeployment another name; this goes on by itself then`,
    ),
  };
}

/** Says of the spec what became of it. What this pass has not reached is said as it was before. */
export function refusedStatus(
  { status: before = {}, metadata }: ModelDeployment,
  planned: ModelDeploymentStatus,
  refusal: Refusal,
  nowMs: number,
): ModelDeploymentStatus {
  const observedGeneration = metadata.generation;
  const own = conditionsOf(claimsOf(refusal), before.conditions ?? [], { observedGeneration, nowMs });
  return {
    ...(refusal.reason === 'NameTaken' ? allButRoutes(planned, before) : sizeOnly(planned, before)),
    ...(before.pendingMarks !== undefined && { pendingMarks: before.pendingMarks }),
    ...{ observedGeneration, phase: 'Degraded', ...refusal },
    conditions: replaced(planned.conditions ?? [], own),
  };
}

function sizeOnly(planned: ModelDeploymentStatus, before: ModelDeploymentStatus): ModelDeploymentStatus {
  const { ready } = planned;
  return { ...before, ...(ready !== undefined && { ready }), ...begun(planned, before) };
}

/** A rollout that cannot even take its first step can be decided about, and so has to have its id. */
function begun(
  { rollout, rolloutId }: ModelDeploymentStatus,
  before: ModelDeploymentStatus,
): ModelDeploymentStatus {
  if (rollout === undefined || rollout.revision === before.rollout?.revision) return {};
  return { rollout, ...(rolloutId !== undefined && { rolloutId }) };
}

/**
 * All other writes were done. Whether routes were is known from their proof alone; whether a mark was, the next pass
 * that meets no obstacle reads from the records, and tells of it.
 */
function allButRoutes(planned: ModelDeploymentStatus, before: ModelDeploymentStatus): ModelDeploymentStatus {
  const { routing: asked, history: _history, ...rest } = planned;
  const routing = asked?.provenAt === undefined ? before.routing : asked;
  const { history } = before;
  return { ...rest, ...(history !== undefined && { history }), ...(routing !== undefined && { routing }) };
}

/** Undefined when that has been told already. */
export function refusalEvent({ status }: ModelDeployment, refusal: Refusal): PlannedEvent | undefined {
  const told = status?.reason === refusal.reason && status.message === refusal.message;
  return told ? undefined : { type: 'Warning', ...refusal };
}

function sentence(text: string): string {
  return text.slice(0, LONGEST_MESSAGE);
}

function claimsOf(refusal: Refusal): readonly ConditionClaim[] {
  const claim = (type: string, status: 'True' | 'False'): ConditionClaim => ({ type, status, ...refusal });
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
