import { shortHash } from '../api/canonical.ts';
import { strategies } from '../strategies/index.ts';
import type { Demand, Position, Wait } from '../strategies/strategy.ts';
import { FULL_WEIGHT, loadOf, sameRouting, weightOf } from '../traffic/routing.ts';
import { hasCapacityFor } from './capacity.ts';
import type { RolloutState } from './course.ts';
import type { Facts, RevisionFacts } from './facts.ts';
import { askedAtMs, type Proof } from './proof.ts';

/** One rollout as this pass finds it. */
export interface Rollout {
  readonly facts: Facts;
  readonly proof: Proof;
  readonly stable: RevisionFacts;
  readonly candidate: RevisionFacts;
  readonly state: RolloutState;
  readonly stepCount: number;
  readonly demand: Demand;
  /** Whether users' requests, as they are or as copies, have been sent to the candidate since it began. */
  readonly served: boolean;
  readonly wait: Wait | undefined;
  readonly nowMs: number;
}

export function readRollout(
  facts: Facts,
  { stable, candidate, proof, nowMs }: Pick<Rollout, 'stable' | 'candidate' | 'proof' | 'nowMs'>,
): Rollout {
  const { rollout } = facts.modelDeployment.spec;
  const { strategy, field } = strategies[rollout.strategy];
  const configuration = rollout[field];
  const state = continued(facts, candidate, nowMs) ?? started(facts, candidate, nowMs);
  const { stepIndex, floorWeight } = state;
  const position: Position = { stable: stable.name, candidate: candidate.name, stepIndex, floorWeight };
  const before = strategy.demand(configuration, { ...position, stepIndex: stepIndex - 1 });
  return {
    facts,
    proof,
    stable,
    candidate,
    state,
    stepCount: strategy.stepCount(configuration),
    demand: strategy.demand(configuration, position),
    served: loadOf(facts.askedRouting, candidate.name) > 0 || loadOf(before.routing, candidate.name) > 0,
    wait: strategy.wait(configuration, stepIndex, Date.parse(state.stepEnteredAt)),
    nowMs,
  };
}

function stepsHash({ modelDeployment }: Facts): string {
  const { strategy } = modelDeployment.spec.rollout;
  return shortHash({ strategy, configuration: modelDeployment.spec.rollout[strategies[strategy].field] });
}

/** The rollout that status tells of, if it is this one and its steps are still the same. */
function continued(facts: Facts, candidate: RevisionFacts, nowMs: number): RolloutState | undefined {
  const remembered = facts.modelDeployment.status?.rollout;
  if (remembered?.revision !== candidate.name) return undefined;
  if (remembered.stepsHash === stepsHash(facts)) return remembered;
  // Edited steps begin anew from the weight as it is (docs/decisions/0003); it stays the same rollout.
  return { ...started(facts, candidate, nowMs), id: remembered.id, startedAt: remembered.startedAt };
}

function started(facts: Facts, candidate: RevisionFacts, nowMs: number): RolloutState {
  const { rollout } = facts.modelDeployment.spec;
  const { strategy, field } = strategies[rollout.strategy];
  // Somebody may have written any number into the routes by hand (I4).
  const floorWeight = Math.min(weightOf(facts.askedRouting, candidate.name), FULL_WEIGHT);
  const now = new Date(nowMs).toISOString();
  return {
    id: rolloutId(facts, candidate),
    revision: candidate.name,
    stepsHash: stepsHash(facts),
    stepIndex: strategy.firstStep(rollout[field], floorWeight),
    stepEnteredAt: now,
    startedAt: now,
    floorWeight,
  };
}

/** The candidate's own part of its name, since with the whole of it an id could become longer than the API allows. */
function rolloutId({ modelDeployment: { metadata } }: Facts, { name }: RevisionFacts): string {
  return `${name.slice(metadata.name.length + 1)}-${metadata.generation}`;
}

/**
 * Since when the step waits for pods. One that is realised waits for nothing, however long it pauses; one whose
 * traffic was taken back waits since that was asked for.
 */
export function waitingSinceMs(rollout: Rollout): number | undefined {
  const { facts, candidate, demand, state, stepCount, nowMs } = rollout;
  const isRealised = sameRouting(facts.askedRouting, demand.routing) && state.stepIndex < stepCount;
  if (isRealised || hasCapacityFor(facts, candidate, demand.candidateShare)) return undefined;
  return Math.max(
    Date.parse(state.stepEnteredAt),
    isTakenBack(rollout) ? askedAtMs(facts, facts.modelDeployment.status, nowMs) : 0,
  );
}

function isTakenBack({ facts, candidate, served }: Rollout): boolean {
  return served && loadOf(facts.askedRouting, candidate.name) === 0;
}
