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
import { istioMissing, type Course } from './course.ts';
import { whyNotReady } from './evidence.ts';
import { LOOK_WHILE_ROLLING_MS, lookForProofMs } from './pace.ts';
import { promotion } from './promotion.ts';
import { lacksPods, type Rollout } from './rollout.ts';

/** What a stage adds to the course of keeping both revisions at the step's weight. */
type StageCourse = Partial<Course> & Pick<Course, 'phase' | 'reason' | 'message'>;

interface Stage {
  readonly applies: (rollout: Rollout) => boolean;
  readonly course: (rollout: Rollout) => StageCourse;
}

/** Why a rollout stands where it stands; the first that applies is what status says. */
export const stages: readonly Stage[] = [
  {
    applies: ({ facts }) => !facts.observed.platform.istio,
    course: () => ({ phase: 'Progressing', reason: 'IstioMissing', message: istioMissing }),
  },
  { applies: isUnroutable, course: takeBack },
  {
    applies: (rollout) => rollout.state.stepIndex < rollout.stepCount && lacksPods(rollout),
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
  { applies: ({ state, stepCount }) => state.stepIndex >= stepCount, course: promote },
  {
    applies: ({ wait, nowMs }) => wait === undefined || (wait.kind === 'Until' && wait.timeMs <= nowMs),
    course: enterNextStep,
  },
  { applies: ({ wait }) => wait?.kind === 'Decision', course: pausedUntilDecision },
  { applies: () => true, course: pausedForATime },
];

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

function enterNextStep({ state, candidate, demand, nowMs }: Rollout): StageCourse {
  return {
    phase: 'Progressing',
    reason: 'StepCompleted',
    message: `${shareOf(demand.routing, candidate.name)} of the traffic reaches ${candidate.name}`,
    rollout: { ...state, stepIndex: state.stepIndex + 1, stepEnteredAt: new Date(nowMs).toISOString() },
    nextLookMs: 0,
  };
}

function pausedUntilDecision({ candidate, demand }: Rollout): StageCourse {
  return {
    phase: 'Paused',
    reason: 'PausedUntilDecision',
    message: `Paused with ${shareOf(demand.routing, candidate.name)} on ${candidate.name}, as the steps say: remove this pause from spec.rollout to go on, or go back to what was there before to stop`,
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
