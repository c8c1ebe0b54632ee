import { shortHash } from '../api/canonical.ts';
import { strategies } from '../strategies/index.ts';
import type { Demand, Position, Wait } from '../strategies/strategy.ts';
import { FULL_WEIGHT, routeAllTo, sameRouting, weightOf } from '../traffic/routing.ts';
import { hasCapacityFor, podsForShare } from './capacity.ts';
import { istioMissing, type Course, type RolloutState } from './course.ts';
import { findFailure, whyNotReady, type Failure } from './evidence.ts';
import type { Facts, RevisionFacts } from './facts.ts';
import { LOOK_WHILE_ROLLING_MS, lookForProofMs } from './pace.ts';
import type { Proof } from './proof.ts';

/** One rollout as this pass finds it. */
interface Rollout {
  readonly facts: Facts;
  readonly proof: Proof;
  readonly stable: RevisionFacts;
  readonly candidate: RevisionFacts;
  readonly state: RolloutState;
  readonly stepCount: number;
  readonly demand: Demand;
  readonly wait: Wait | undefined;
  readonly nowMs: number;
}

/** The way from the stable to the candidate, one look at a time. */
export function rolling(facts: Facts, proof: Proof, nowMs: number): Course | undefined {
  const { stable, candidate } = facts;
  if (stable === undefined || candidate === undefined) return undefined;
  const rollout = readRollout(facts, { stable, candidate, proof, nowMs });
  const waitsForCapacity = !hasCapacityFor(facts, candidate, rollout.demand.candidateShare);
  const waitingSinceMs = waitsForCapacity ? Date.parse(rollout.state.stepEnteredAt) : undefined;
  const failure = findFailure({ facts, candidate, waitingSinceMs, nowMs });
  if (failure !== undefined) return abort(rollout, failure);
  const stage = stages.find((entry) => entry.applies(rollout));
  if (stage === undefined) throw new Error('the last stage always applies');
  return { ...keepBoth(rollout), ...stage.course(rollout) };
}

function readRollout(
  facts: Facts,
  { stable, candidate, proof, nowMs }: Pick<Rollout, 'stable' | 'candidate' | 'proof' | 'nowMs'>,
): Rollout {
  const { rollout } = facts.modelDeployment.spec;
  const { strategy, field } = strategies[rollout.strategy];
  const configuration = rollout[field];
  const state = continued(facts, candidate, nowMs) ?? started(facts, candidate, nowMs);
  const { stepIndex, floorWeight } = state;
  const position: Position = { stable: stable.name, candidate: candidate.name, stepIndex, floorWeight };
  return {
    facts,
    proof,
    stable,
    candidate,
    state,
    stepCount: strategy.stepCount(configuration),
    demand: strategy.demand(configuration, position),
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
  const floorWeight = weightOf(facts.askedRouting, candidate.name);
  const now = new Date(nowMs).toISOString();
  return {
    id: `${candidate.name}-${facts.modelDeployment.metadata.generation ?? 0}`,
    revision: candidate.name,
    stepsHash: stepsHash(facts),
    stepIndex: strategy.firstStep(rollout[field], floorWeight),
    stepEnteredAt: now,
    startedAt: now,
    floorWeight,
  };
}

function keepBoth({
  stable,
  candidate,
  demand,
  state,
}: Rollout): Omit<Course, 'phase' | 'reason' | 'message'> {
  return {
    routing: demand.routing,
    shares: new Map([
      [stable.name, FULL_WEIGHT],
      [candidate.name, demand.candidateShare],
    ]),
    holdScaleDown: true,
    rollout: state,
    nextLookMs: LOOK_WHILE_ROLLING_MS,
  };
}

function abort({ stable, candidate, nowMs }: Rollout, { reason, message }: Failure): Course {
  return {
    phase: 'Aborted',
    reason,
    message: `${message}. All traffic goes back to ${stable.name}`,
    routing: routeAllTo(stable.name),
    shares: new Map([[stable.name, FULL_WEIGHT]]),
    holdScaleDown: true,
    mark: {
      revision: candidate,
      marks: { aborted: { reason, message, at: new Date(nowMs).toISOString() } },
    },
    nextLookMs: 0,
  };
}

interface Stage {
  readonly applies: (rollout: Rollout) => boolean;
  readonly course: (rollout: Rollout) => Partial<Course> & Pick<Course, 'phase' | 'reason' | 'message'>;
}

/** Why a rollout stands where it stands; the first that applies is what status says. */
const stages: readonly Stage[] = [
  {
    applies: ({ facts }) => !facts.observed.platform.istio,
    course: () => ({ phase: 'Progressing', reason: 'IstioMissing', message: istioMissing }),
  },
  {
    applies: ({ facts, candidate, demand }) =>
      !sameRouting(facts.askedRouting, demand.routing) &&
      !hasCapacityFor(facts, candidate, demand.candidateShare),
    course: ({ facts, candidate, demand }) => ({
      phase: 'Progressing',
      reason: 'WaitingForPods',
      message: `Before ${percent(weightOf(demand.routing, candidate.name))} go to ${candidate.name} it needs ${podsForShare(facts, demand.candidateShare)} ready pods: ${whyNotReady(facts, candidate, demand.candidateShare)}`,
    }),
  },
  {
    applies: ({ facts, proof, demand }) =>
      proof.kind !== 'Proven' || !sameRouting(facts.askedRouting, demand.routing),
    course: ({ facts, proof, nowMs }) => ({
      phase: 'Progressing',
      reason: 'RoutingUnproven',
      message: proof.kind === 'Unproven' ? proof.message : 'The routing of this step is being written',
      nextLookMs: lookForProofMs(facts, nowMs),
    }),
  },
  { applies: ({ state, stepCount }) => state.stepIndex >= stepCount, course: promote },
  {
    applies: ({ wait, nowMs }) => wait === undefined || (wait.kind === 'Until' && wait.timeMs <= nowMs),
    course: enterNextStep,
  },
  { applies: ({ wait }) => wait?.kind === 'Edit', course: pausedUntilEdit },
  { applies: () => true, course: pausedForATime },
];

function promote({ facts, candidate, demand, state, nowMs }: Rollout): ReturnType<Stage['course']> {
  if (!hasCapacityFor(facts, candidate, demand.candidateShare)) {
    return {
      phase: 'Progressing',
      reason: 'WaitingForPods',
      message: `Before it is promoted ${candidate.name} needs its full size: ${whyNotReady(facts, candidate, demand.candidateShare)}`,
    };
  }
  return {
    phase: 'Progressing',
    reason: 'Promoting',
    message: `Revision ${candidate.name} has passed every step and becomes the stable one`,
    rollout: state,
    mark: { revision: candidate, marks: { promotedAt: new Date(nowMs).toISOString() } },
    nextLookMs: 0,
  };
}

function enterNextStep({ state, candidate, demand, nowMs }: Rollout): ReturnType<Stage['course']> {
  return {
    phase: 'Progressing',
    reason: 'StepCompleted',
    message: `${percent(weightOf(demand.routing, candidate.name))} of the traffic reach ${candidate.name}`,
    rollout: { ...state, stepIndex: state.stepIndex + 1, stepEnteredAt: new Date(nowMs).toISOString() },
    nextLookMs: 0,
  };
}

function pausedUntilEdit({ candidate, demand }: Rollout): ReturnType<Stage['course']> {
  return {
    phase: 'Paused',
    reason: 'PausedUntilEdit',
    message: `Paused with ${percent(weightOf(demand.routing, candidate.name))} on ${candidate.name}, as the steps say: remove this pause from spec.rollout to go on, or go back to the model before to stop`,
  };
}

function pausedForATime({ candidate, demand, wait, nowMs }: Rollout): ReturnType<Stage['course']> {
  const untilMs = wait?.kind === 'Until' ? wait.timeMs : nowMs;
  return {
    phase: 'Paused',
    reason: 'PausedForATime',
    message: `Paused with ${percent(weightOf(demand.routing, candidate.name))} on ${candidate.name} until ${new Date(untilMs).toISOString()}`,
    nextLookMs: Math.min(LOOK_WHILE_ROLLING_MS, Math.max(0, untilMs - nowMs)),
  };
}

export function percent(weight: number): string {
  return `${weight / (FULL_WEIGHT / 100)} %`;
}
