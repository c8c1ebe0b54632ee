import { shortHash } from '../api/canonical.ts';
import { chosenStrategy } from '../strategies/index.ts';
import type { Demand, Position, Wait } from '../strategies/strategy.ts';
import type { Feature } from '../traffic/feature.ts';
import { FULL_WEIGHT, loadOf, sameRouting, weightOf } from '../traffic/routing.ts';
import { hasCapacityFor } from './capacity.ts';
import type { RolloutState } from './course.ts';
import type { Facts, RevisionFacts } from './facts.ts';
import { askedAtMs, type Proof } from './proof.ts';
import { newRolloutId } from './rollout-id.ts';
import { lacksGateways, missingFeatures } from './support.ts';
import { keptWarm } from './warm.ts';

/** One rollout as this pass finds it. */
export interface Rollout {
  readonly facts: Facts;
  readonly proof: Proof;
  readonly stable: RevisionFacts;
  readonly candidate: RevisionFacts;
  readonly state: RolloutState;
  /** The step to realise: that of `state`, or the end where all that are left are skipped. */
  readonly stepIndex: number;
  readonly stepCount: number;
  readonly demand: Demand;
  /** What its strategy needs and the router in force cannot do. */
  readonly missing: readonly Feature[];
  /** Whether users' requests, as they are or as copies, have been sent to the candidate since it began. */
  readonly served: boolean;
  readonly wait: Wait | undefined;
  readonly nowMs: number;
}

export function readRollout(
  facts: Facts,
  { stable, candidate, proof, nowMs }: Pick<Rollout, 'stable' | 'candidate' | 'proof' | 'nowMs'>,
): Rollout {
  const strategy = chosenStrategy(facts.modelDeployment.spec.rollout);
  const state = continued(facts, candidate, nowMs) ?? started(facts, candidate, nowMs);
  const { stepCount } = strategy;
  const stepIndex = state.skipsSteps === true ? stepCount : state.stepIndex;
  const { floorWeight } = state;
  const position: Position = {
    ...{ stable: stable.name, candidate: candidate.name, stepIndex, floorWeight },
    canSplit: facts.router.features.has('Split'),
  };
  const before = strategy.demand({ ...position, stepIndex: state.stepIndex - 1 });
  return {
    facts,
    proof,
    stable,
    candidate,
    state,
    stepIndex,
    stepCount,
    demand: strategy.demand(position),
    // Of a rollout that may divide the traffic later, or has done so, its steps are one whole (I13: a rollback has none).
    missing: missingFeatures(facts, strategy, {
      ...position,
      stepIndex: state.skipsSteps === true ? stepCount : 0,
    }),
    served: loadOf(facts.askedRouting, candidate.name) > 0 || loadOf(before.routing, candidate.name) > 0,
    wait: strategy.wait(stepIndex, Date.parse(state.stepEnteredAt)),
    nowMs,
  };
}

function stepsHash({ modelDeployment }: Facts): string {
  const { rollout } = modelDeployment.spec;
  return shortHash({ strategy: rollout.strategy, configuration: chosenStrategy(rollout).configuration });
}

/** The rollout that status tells of, if it is this one and its steps are still the same. */
function continued(facts: Facts, candidate: RevisionFacts, nowMs: number): RolloutState | undefined {
  const remembered = facts.modelDeployment.status?.rollout;
  if (remembered?.revision !== candidate.name) return undefined;
  const { id, startedAt, paused, stepsHash: known } = remembered;
  if (known === stepsHash(facts)) {
    return isReleased(facts) ? { ...remembered, stepEnteredAt: new Date(nowMs).toISOString() } : remembered;
  }
  // Edited steps begin anew from the weight as it is (docs/decisions/0003); it stays the same rollout, paused or not.
  return {
    ...started(facts, candidate, nowMs),
    ...{ id, startedAt },
    ...(paused !== undefined && { paused }),
  };
}

/** What was held for want of Istio waits for its pods from now on, and rests in its pause from now on. */
function isReleased(facts: Facts): boolean {
  return facts.modelDeployment.status?.reason === 'IstioMissing' && !lacksGateways(facts);
}

function started(facts: Facts, candidate: RevisionFacts, nowMs: number): RolloutState {
  const { firstStep } = chosenStrategy(facts.modelDeployment.spec.rollout);
  const isWarm = keptWarm(facts, nowMs)?.revision === candidate;
  // Somebody may have written any number into the routes by hand (I4).
  const floorWeight = Math.min(weightOf(facts.askedRouting, candidate.name), FULL_WEIGHT);
  const now = new Date(nowMs).toISOString();
  return {
    id: newRolloutId(facts, candidate, nowMs),
    revision: candidate.name,
    stepsHash: stepsHash(facts),
    stepIndex: firstStep({ weight: floorWeight, isWarm }),
    stepEnteredAt: now,
    startedAt: now,
    floorWeight,
    // Whoever rolls back goes to what has served before.
    ...(candidate !== facts.desired && { skipsSteps: true }),
  };
}

/** Whether the step lacks pods. One that is a pause needs none beyond those with which it was reached. */
export function lacksPods({ facts, candidate, demand, wait }: Rollout): boolean {
  const isPausing = wait !== undefined && sameRouting(facts.askedRouting, demand.routing);
  return !isPausing && !hasCapacityFor(facts, candidate, demand.candidateShare);
}

/** Since when the step waits for pods; one whose traffic was taken back waits since that was asked for. */
export function waitingSinceMs(rollout: Rollout): number | undefined {
  const { facts, state, nowMs } = rollout;
  if (!lacksPods(rollout) || waitsForRoom(rollout)) return undefined;
  return Math.max(
    Date.parse(state.stepEnteredAt),
    isTakenBack(rollout) ? askedAtMs(facts, facts.modelDeployment.status, nowMs) : 0,
  );
}

/** There is room for one only, and the stable keeps it for as long as nothing arrives through the gateways. */
export function waitsForRoom({ facts, candidate, demand }: Rollout): boolean {
  return lacksGateways(facts) && demand.endsStableFirst === true && !candidate.objects.has('Deployment');
}

/** The stable was ended for it: whoever held it now would leave everybody with nobody. */
export function hasTakenOver({ stable, candidate, demand }: Rollout): boolean {
  const isAlone = candidate.objects.has('Deployment') && !stable.objects.has('Deployment');
  return demand.endsStableFirst === true && isAlone;
}

function isTakenBack({ facts, candidate, served }: Rollout): boolean {
  return served && loadOf(facts.askedRouting, candidate.name) === 0;
}
