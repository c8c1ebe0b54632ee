import { FULL_WEIGHT, routeAllTo } from '../traffic/routing.ts';
import type { Course } from './course.ts';
import { findFailure, type Failure } from './evidence.ts';
import type { Facts } from './facts.ts';
import { LOOK_WHILE_ROLLING_MS } from './pace.ts';
import type { Proof } from './proof.ts';
import { readRollout, waitingSinceMs, type Rollout } from './rollout.ts';
import { stageOf } from './stages.ts';

/** The way from the stable to the candidate, one look at a time. */
export function rolling(facts: Facts, proof: Proof, nowMs: number): Course | undefined {
  const { stable, candidate } = facts;
  if (stable === undefined || candidate === undefined) return undefined;
  const rollout = readRollout(facts, { stable, candidate, proof, nowMs });
  const failure = findFailure({
    ...{ facts, candidate, nowMs, served: rollout.served, share: rollout.demand.candidateShare },
    triedSinceMs: Date.parse(rollout.state.startedAt),
    waitingSinceMs: waitingSinceMs(rollout),
  });
  if (failure !== undefined) return abort(rollout, failure);
  return { ...keepBoth(rollout), ...stageOf(rollout) };
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
      // What is not kept is not made anew either.
      ...(demand.endsStableFirst === true ? [] : ([[stable.name, FULL_WEIGHT]] as const)),
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
