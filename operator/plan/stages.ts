import {
  FULL_WEIGHT,
  mirrorOf,
  sameRouting,
  sendsTo,
  splitBetween,
  weightOf,
  type Routing,
} from '../traffic/routing.ts';
import { hasCapacityFor, podsForShare } from './capacity.ts';
import type { Course, RolloutState } from './course.ts';
import { whyNotReady } from './evidence.ts';
import { leftovers } from './facts.ts';
import { LOOK_WHILE_ROLLING_MS, lookForProofMs } from './pace.ts';
import { promotion } from './promotion.ts';
import { hasTakenOver, lacksPods, waitsForRoom, type Rollout } from './rollout.ts';
import { explainMissing, istioMissing, lacksGateways } from './support.ts';

/** What a stage adds to the course of keeping both revisions at the step's weight. */
type StageCourse = Partial<Course> & Pick<Course, 'phase' | 'reason' | 'message'>;

interface Stage {
  readonly applies: (rollout: Rollout) => boolean;
  readonly course: (rollout: Rollout) => StageCourse;
}

/** Why a rollout stands where it stands; the first that applies is what status says. */
const stages: readonly Stage[] = [
  {
    applies: (rollout) => lacksGateways(rollout.facts) && !hasTakenOver(rollout),
    course: (rollout) => ({ reason: 'IstioMissing', message: istioMissing, ...hold(rollout) }),
  },
  {
    applies: ({ missing }) => missing.length > 0,
    course: (rollout) => ({
      reason: 'StrategyUnsupported',
      message: explainMissing(rollout.facts, rollout.missing),
      ...hold(rollout),
    }),
  },
  { applies: isBetweenTwo, course: recreating },
  { applies: isUnroutable, course: takeBack },
  { applies: ({ state }) => state.paused !== undefined, course: pausedByDecision },
  {
    applies: (rollout) => lacksPods(rollout) && !isRealisedToTheEnd(rollout),
    course: ({ facts, candidate, demand }) => ({
      phase: 'Progressing',
      reason: 'WaitingForPods',
      message: `For ${percent(demand.candidateShare)} of the traffic ${candidate.name} needs ${podsForShare(facts, demand.candidateShare)} ready pods: ${whyNotReady(facts, candidate, demand.candidateShare)}`,
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
  { applies: ({ stepIndex, stepCount }) => stepIndex >= stepCount, course: promote },
  {
    applies: ({ wait, nowMs }) => wait === undefined || (wait.kind === 'Until' && wait.timeMs <= nowMs),
    course: enterNextStep,
  },
  { applies: ({ wait }) => wait?.kind === 'Decision', course: pausedUntilDecision },
  { applies: () => true, course: pausedForATime },
];

export function stageOf(rollout: Rollout): StageCourse {
  const stage = stages.find((entry) => entry.applies(rollout));
  if (stage === undefined) throw new Error('the last stage always applies');
  return stage.course(rollout);
}

/** What it lacks then, it lacks for its promotion. */
function isRealisedToTheEnd({ facts, demand, stepIndex, stepCount }: Rollout): boolean {
  return stepIndex >= stepCount && sameRouting(facts.askedRouting, demand.routing);
}

/** Users stay with the stable, and the candidate's pods wait for better times. */
function hold(rollout: Rollout): Omit<StageCourse, 'reason' | 'message'> {
  const { facts, stable, candidate, demand, proof } = rollout;
  // Better times come with an event; only a deadline, a proof and the end of a drain do not.
  const hasNoRoom = waitsForRoom(rollout);
  const lacks = lacksPods(rollout) && !hasNoRoom;
  const isWaiting = lacks || proof.kind === 'Unproven' || leftovers(facts).length > 0;
  return {
    phase: 'Progressing',
    routing: splitBetween(stable.name, candidate.name, 0),
    shares: new Map([
      [stable.name, FULL_WEIGHT],
      ...(hasNoRoom ? [] : ([[candidate.name, demand.candidateShare]] as const)),
    ]),
    ending: undefined,
    nextLookMs: isWaiting ? LOOK_WHILE_ROLLING_MS : undefined,
  };
}

/** The stable is ended to make room, and the candidate cannot serve yet. */
function isBetweenTwo({ facts, candidate, demand }: Rollout): boolean {
  return demand.endsStableFirst === true && !hasCapacityFor(facts, candidate, demand.candidateShare);
}

function recreating(rollout: Rollout): StageCourse {
  const { facts, stable, candidate, demand } = rollout;
  const isLeft = stable.pods.length > 0;
  return {
    phase: 'Progressing',
    reason: 'Recreating',
    message: isLeft
      ? `The pods of ${stable.name} end, then those of ${candidate.name} start, as the strategy Recreate says: nobody is served in between`
      : `Nobody is served until ${candidate.name} is ready, as the strategy Recreate says: ${whyNotReady(facts, candidate, demand.candidateShare)}`,
    ending: stable,
    // Somebody may have turned the routes round by hand; where nobody is ready, they may stay as they are.
    ...(isUnroutable(rollout) &&
      stable.readyPods > 0 && { routing: splitBetween(stable.name, candidate.name, 0) }),
  };
}

/** Requests are sent to pods of which not one is ready: proxies would answer them with 503 (I1). */
function isUnroutable({ facts, candidate }: Rollout): boolean {
  return candidate.readyPods === 0 && sendsTo(facts.askedRouting, candidate.name);
}

function takeBack({ facts, stable, candidate, demand }: Rollout): StageCourse {
  return {
    phase: 'Progressing',
    reason: 'NoReadyPods',
    message: `All traffic goes back to ${stable.name} until a pod of ${candidate.name} is ready again: ${whyNotReady(facts, candidate, demand.candidateShare)}`,
    routing: splitBetween(stable.name, candidate.name, 0),
  };
}

function promote({ facts, candidate, demand, state, nowMs }: Rollout): StageCourse {
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
    mark: promotion(facts, candidate, nowMs),
    nextLookMs: 0,
  };
}

function enterNextStep(rollout: Rollout): StageCourse {
  const { candidate, demand } = rollout;
  return {
    phase: 'Progressing',
    reason: 'StepCompleted',
    message: `${shareOf(demand.routing, candidate.name)} of the traffic reaches ${candidate.name}`,
    rollout: atNextStep(rollout),
    nextLookMs: 0,
  };
}

export function atNextStep({ state, nowMs }: Pick<Rollout, 'state' | 'nowMs'>): RolloutState {
  return { ...state, stepIndex: state.stepIndex + 1, stepEnteredAt: new Date(nowMs).toISOString() };
}

/** Whoever reads it has all that a RolloutDecision needs. */
function pausedUntilDecision({ candidate, demand, state }: Rollout): StageCourse {
  return {
    phase: 'Paused',
    reason: 'PausedUntilDecision',
    message: `Paused with ${shareOf(demand.routing, candidate.name)} on ${candidate.name}, as the steps say: a RolloutDecision Promote or Abort on rollout ${state.id} decides, or an edit that removes this pause or goes back to what was there before`,
  };
}

function pausedByDecision({ facts, candidate, demand, state }: Rollout): StageCourse {
  const { by = '', reason } = state.paused ?? {};
  const share = shareOf(facts.askedRouting ?? demand.routing, candidate.name);
  return {
    phase: 'Paused',
    reason: 'PausedByDecision',
    message: `Paused with ${share} on ${candidate.name} by ${by}${reason === undefined ? '' : ` (${reason})`}: a RolloutDecision Resume on rollout ${state.id} goes on, Abort stops`,
    isHeld: true,
  };
}

function pausedForATime({ candidate, demand, wait, nowMs }: Rollout): StageCourse {
  const untilMs = wait?.kind === 'Until' ? wait.timeMs : nowMs;
  return {
    phase: 'Paused',
    reason: 'PausedForATime',
    message: `Paused with ${shareOf(demand.routing, candidate.name)} on ${candidate.name} until ${new Date(untilMs).toISOString()}`,
    nextLookMs: Math.min(LOOK_WHILE_ROLLING_MS, Math.max(0, untilMs - nowMs)),
  };
}

function shareOf(routing: Routing, revision: string): string {
  const copied = mirrorOf(routing, revision);
  return copied > 0 ? `a copy of ${percent(copied)}` : percent(weightOf(routing, revision));
}

function percent(weight: number): string {
  return `${weight / (FULL_WEIGHT / 100)} %`;
}
