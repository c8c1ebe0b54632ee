import { durationMs } from '../api/duration.ts';
import {
  FULL_WEIGHT,
  revisionsIn,
  routeAllTo,
  sendsTo,
  splitBetween,
  type Routing,
} from '../traffic/routing.ts';
import { hasCapacityFor } from './capacity.ts';
import type { Course, DecidedReason } from './course.ts';
import { findFailure, whyNotReady, type FailureReason } from './evidence.ts';
import { leftovers, type Facts, type RevisionFacts } from './facts.ts';
import { LOOK_WHILE_ROLLING_MS, lookForProofMs } from './pace.ts';
import { whyUnproven, type Proof } from './proof.ts';
import { promotion } from './promotion.ts';
import { rolling } from './rolling.ts';
import { rolloutIdOf } from './rollout-id.ts';
import { keptWarm, type Warm } from './warm.ts';
import { istioMissing, lacksGateways } from './support.ts';

type CourseRule = (facts: Facts, proof: Proof, nowMs: number) => Course | undefined;

/** The first that applies is the course of this pass. */
const rules: readonly CourseRule[] = [
  deleting, // owner references do the rest
  first, // nothing was ever promoted: bring up the first revision, without steps
  rolling, // there is something to go to: what the spec asks for, or where somebody rolls back
  aborted, // the desired revision was given up: stay on the stable until the spec asks for another
  settled, // the spec asks for the stable
];

export function decideCourse(facts: Facts, proof: Proof, nowMs: number): Course {
  const course = rules.map((rule) => rule(facts, proof, nowMs)).find((decided) => decided !== undefined);
  if (course === undefined)
    throw new Error('a ModelDeployment is always deleting, first, aborted, settled or rolling');
  return course;
}

function deleting({ modelDeployment }: Facts): Course | undefined {
  if (modelDeployment.metadata.deletionTimestamp === undefined) return undefined;
  return {
    phase: 'Deleting',
    reason: 'Deleting',
    message: 'Kubernetes removes everything that this ModelDeployment owns',
    routing: undefined,
    shares: new Map(),
    holdScaleDown: false,
  };
}

function first(facts: Facts, _proof: Proof, nowMs: number): Course | undefined {
  const { stable, desired } = facts;
  if (stable !== undefined) return undefined;
  const common = { routing: undefined, shares: new Map([[desired.name, FULL_WEIGHT]]), holdScaleDown: false };
  if (hasCapacityFor(facts, desired, FULL_WEIGHT)) {
    return {
      ...common,
      phase: 'Progressing',
      reason: 'Promoting',
      message: `Revision ${desired.name} is ready and becomes the first stable one`,
      mark: promotion(facts, desired, nowMs),
      nextLookMs: 0,
    };
  }
  const waitingSinceMs = recordedAtMs(desired) ?? nowMs;
  const failure = findFailure({
    ...{ facts, candidate: desired, share: FULL_WEIGHT, served: false, waitingSinceMs, nowMs },
    triedSinceMs: 0,
  });
  if (failure !== undefined) return { ...common, phase: 'Degraded', ...failure };
  const { progressDeadline } = facts.modelDeployment.spec.rollout.abortOn;
  return {
    ...common,
    phase: 'Pending',
    reason: 'WaitingForPods',
    message: `Waiting for the first revision ${desired.name}: ${whyNotReady(facts, desired, FULL_WEIGHT)}`,
    nextLookMs: Math.max(0, waitingSinceMs + durationMs(progressDeadline) - nowMs),
  };
}

function recordedAtMs({ objects }: RevisionFacts): number | undefined {
  const recordedAt = objects.get('ControllerRevision')?.metadata.creationTimestamp;
  return recordedAt === undefined ? undefined : Date.parse(recordedAt);
}

function aborted(facts: Facts, proof: Proof, nowMs: number): Course | undefined {
  const { stable, desired, revisions } = facts;
  if (stable === undefined || desired.marks.aborted === undefined) return undefined;
  // A rollback that has failed itself is what there is to tell of.
  const mark = revisions.get(desired.marks.aborted.rollbackTo ?? '')?.marks.aborted ?? desired.marks.aborted;
  return {
    phase: 'Aborted',
    reason: mark.reason as FailureReason | DecidedReason, // one of ours has written it
    message: `${mark.message}. ${whereTrafficIs(facts, stable, proof)}; change the model, runtime, resources or podTemplate, or decide Retry${onRollout(facts)}, to try again`,
    ...onlyStable(facts, stable, { proof, nowMs }),
  };
}

function onRollout(facts: Facts): string {
  const id = rolloutIdOf(facts, undefined);
  return id === undefined ? '' : ` on rollout ${id}`;
}

/** Status never says that traffic is where it is not known to be (I11). */
function whereTrafficIs(facts: Facts, { name, readyPods }: RevisionFacts, proof: Proof): string {
  if (readyPods === 0) return `All traffic goes back to ${name}, of which no pod is ready yet`;
  const doubt = whyUnproven(facts, proof, routeAllTo(name));
  return doubt === undefined ? `All traffic is on ${name}` : `All traffic goes back to ${name}. ${doubt}`;
}

function settled(facts: Facts, proof: Proof, nowMs: number): Course | undefined {
  const { stable, desired } = facts;
  if (stable === undefined || desired !== stable) return undefined;
  const warm = keptWarm(facts, nowMs);
  return warm === undefined
    ? { ...healthOf(facts, stable, proof), ...onlyStable(facts, stable, { proof, nowMs }) }
    : besideWarm(facts, stable, warm, { proof, nowMs });
}

/** Everything to the stable, while the one before it stays known to every proxy and as large as it was. */
function besideWarm(
  facts: Facts,
  stable: RevisionFacts,
  { revision, untilMs }: Warm,
  { proof, nowMs }: { readonly proof: Proof; readonly nowMs: number },
): Course {
  const routing = splitBetween(stable.name, revision.name, 0);
  const health = healthOf(facts, stable, proof, routing);
  const kept = `${revision.name} is kept for the way back until ${new Date(untilMs).toISOString()}`;
  return {
    ...health,
    message: `${health.message}. ${kept}`,
    routing,
    shares: new Map([stable, revision].map(({ name }) => [name, FULL_WEIGHT])),
    holdScaleDown: true,
    nextLookMs: Math.min(
      untilMs - nowMs,
      ...(proof.kind === 'Unproven' ? [lookForProofMs(facts, nowMs)] : []),
      ...(leftovers(facts).length > 1 ? [LOOK_WHILE_ROLLING_MS] : []),
    ),
  };
}

/** Everything to the stable; nobody shrinks before the last of the others is gone. */
function onlyStable(
  facts: Facts,
  stable: RevisionFacts,
  { proof, nowMs }: { readonly proof: Proof; readonly nowMs: number },
): Pick<Course, 'routing' | 'shares' | 'holdScaleDown' | 'nextLookMs'> {
  const draining = leftovers(facts).length > 0;
  const looks = [
    ...(proof.kind === 'Unproven' ? [lookForProofMs(facts, nowMs)] : []),
    ...(draining ? [LOOK_WHILE_ROLLING_MS] : []),
  ];
  return {
    routing: routeAllTo(stable.name),
    shares: new Map([[stable.name, FULL_WEIGHT]]),
    holdScaleDown: draining,
    ...(looks.length > 0 && { nextLookMs: Math.min(...looks) }),
  };
}

/** Proxies may follow the routes of a router that is not in force for as long as these are there. */
function whyElsewhere({ liveRoutings, router }: Facts, { name }: RevisionFacts): string | undefined {
  const [elsewhere] = liveRoutings.flatMap((routing) =>
    [...revisionsIn(routing)].filter((revision) => revision !== name && sendsTo(routing, revision)),
  );
  if (elsewhere === undefined) return undefined;
  return router.carrier === 'Proxies'
    ? 'The routes are being written'
    : `Routes of Istio still send to ${elsewhere}: they are written anew, or taken away, once the cluster serves networking.istio.io/v1`;
}

function healthOf(
  facts: Facts,
  stable: RevisionFacts,
  proof: Proof,
  routing: Routing = routeAllTo(stable.name),
): Pick<Course, 'phase' | 'reason' | 'message'> {
  const { minReplicas } = facts.modelDeployment.spec.scaling;
  if (stable.readyPods === 0) {
    return {
      phase: 'Degraded',
      reason: 'NoReadyPods',
      message: `No pod of ${stable.name} is ready: ${whyNotReady(facts, stable, FULL_WEIGHT)}`,
    };
  }
  const [refused] = facts.observed.refusedTraffic;
  if (refused !== undefined) return { phase: 'Degraded', reason: refused.reason, message: refused.message };
  if (lacksGateways(facts)) {
    return { phase: 'Progressing', reason: 'IstioMissing', message: istioMissing };
  }
  const doubt = whyUnproven(facts, proof, routing) ?? whyElsewhere(facts, stable);
  if (doubt !== undefined) return { phase: 'Progressing', reason: 'RoutingUnproven', message: doubt };
  if (stable.readyPods < minReplicas) {
    return {
      phase: 'Progressing',
      reason: 'WaitingForPods',
      message: `${stable.readyPods} of at least ${minReplicas} pods of ${stable.name} are ready`,
    };
  }
  return { phase: 'Healthy', reason: 'Promoted', message: `Revision ${stable.name} serves all traffic` };
}
