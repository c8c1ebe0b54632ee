import { deployedRevisions } from '../cluster.ts';
import {
  isServing,
  live,
  liveAutoscaler,
  liveDeployment,
  readyPodsOf,
  replicasOf,
  type LiveAutoscaler,
  type World,
} from '../world.ts';
import {
  actionOf,
  appliedObject,
  askedLoad,
  deletedName,
  followsRoutes,
  HOLDS,
  isRouteForeign,
  isHurt,
  isMaxBelow,
  isRecreating,
  leavesMesh,
  podsFor,
  sendsTo,
  stableRevision,
  usersRoute,
  type Invariant,
  type Transition,
} from './invariant.ts';

/** For so long a pod must have been asked nothing before it may go (I2). */
export const DRAIN_MS = 5_000;

export const sizeInvariants: readonly Invariant[] = [
  { code: 'I2', name: 'a revision goes only when no proxy sends to it', check: drainedByProxies },
  { code: 'I2', name: 'a revision goes only when its pods are idle', check: drainedByPods },
  { code: 'I6', name: 'no applied Deployment carries replicas', check: noReplicas },
  { code: 'I6', name: 'no apply lowers the running count', check: applyKeepsCount },
  { code: 'I7', name: 'the floor of a revision with traffic stays while traffic moves', check: keepsFloor },
  { code: 'I7', name: 'the stable keeps its size while traffic moves', check: stableKeepsSize },
  { code: 'I7', name: 'a revision with weight never shrinks below its share', check: shrinksToItsShare },
  { code: 'I13', name: 'nothing of the stable is removed', check: stableUntouched },
];

function drainedByProxies(transition: Transition): string | undefined {
  const name = deletedName(transition, ['Deployment']);
  const { before } = transition;
  if (name === undefined || before.ledger.deleted || makesRoom(before, name)) return undefined;
  const isServed = readyPodsOf(before, name).length > 0;
  // Pods that are not ready are in no EndpointSlice, and leave none by going.
  const sender = before.proxies.find(
    (proxy) => (followsRoutes(proxy) || (isServed && proxy.role === 'Plain')) && sendsTo(proxy.held, name),
  );
  return sender === undefined ? HOLDS : `${name} is removed while ${sender.name} sends to it`;
}

/** The one strategy that ends a revision before there is another, by the user's own choice. */
function makesRoom(world: World, revision: string): boolean {
  return isRecreating(world) && revision === stableRevision(world);
}

function drainedByPods(transition: Transition): string | undefined {
  const name = deletedName(transition, ['Deployment']);
  const { before } = transition;
  if (name === undefined || before.ledger.deleted || makesRoom(before, name)) return undefined;
  // A process that has just been restarted does not know what its pod answered before.
  if (isHurt(before, name)) return HOLDS;
  const busy = before.pods.find(
    (pod) =>
      pod.revision === name && isServing(pod) && before.nowMs - (pod.servedAtMs ?? -Infinity) < DRAIN_MS,
  );
  return busy === undefined ? HOLDS : `${name} is removed although ${busy.name} answered less than 5 s ago`;
}

function noReplicas(transition: Transition): string | undefined {
  const deployment = appliedObject(transition, 'Deployment');
  if (deployment === undefined) return undefined;
  return 'replicas' in deployment.spec ? `Deployment ${deployment.metadata.name} carries replicas` : HOLDS;
}

function applyKeepsCount(transition: Transition): string | undefined {
  if (actionOf(transition)?.kind !== 'Apply') return undefined;
  const { before, after } = transition;
  const shrunk = deployedRevisions(after).find(
    (revision) =>
      live(before, `Deployment/${revision}`) !== undefined &&
      replicasOf(after, revision) < replicasOf(before, revision),
  );
  return shrunk === undefined ? HOLDS : `an apply shrinks ${shrunk} to ${replicasOf(after, shrunk)}`;
}

/** Traffic is moving while a route names two revisions or some proxy still holds another route. */
function isTrafficMoving({ proxies, ...world }: World): boolean {
  const wanted = usersRoute({ ...world, proxies });
  if (wanted.length > 1) return true;
  const [only] = wanted;
  return (
    only !== undefined &&
    proxies.some(({ held }) => held?.destinations.some(({ revision }) => revision !== only.revision))
  );
}

function keepsFloor(transition: Transition): string | undefined {
  const autoscaler = appliedObject(transition, 'HorizontalPodAutoscaler');
  const { before } = transition;
  if (autoscaler === undefined || before.ledger.deleted) return undefined;
  const { name } = autoscaler.metadata;
  const was = liveAutoscaler(before, name);
  if (was === undefined || !lowersFloor(was, autoscaler)) return HOLDS;
  if (isTrafficMoving(before) && name === stableRevision(before))
    return `the floor of ${name} is lowered while traffic moves`;
  return hasMetric(was) ? HOLDS : `the floor of ${name} is lowered while its metric is missing`;
}

function lowersFloor({ spec: was }: LiveAutoscaler, { spec }: LiveAutoscaler): boolean {
  // The user's own lower maximum takes the floor down with it.
  return (spec.minReplicas ?? 1) < Math.min(was.minReplicas ?? 1, spec.maxReplicas);
}

function hasMetric(autoscaler: LiveAutoscaler): boolean {
  const { status } = autoscaler as { readonly status?: { conditions?: { type: string; status: string }[] } };
  return (
    status?.conditions?.some(
      (condition) => condition.type === 'ScalingActive' && condition.status === 'True',
    ) ?? false
  );
}

/** The revisions that the autoscaler has just made smaller within its bounds. */
function shrunkByMetric({ before, event, after }: Transition): readonly string[] {
  if (event.kind !== 'AutoscalerMoves' || before.ledger.deleted) return [];
  return deployedRevisions(after).filter(
    (revision) =>
      replicasOf(after, revision) < replicasOf(before, revision) &&
      !isMaxBelow(liveDeployment(before, revision), liveAutoscaler(before, revision)?.spec.maxReplicas),
  );
}

function stableKeepsSize(transition: Transition): string | undefined {
  if (transition.event.kind !== 'AutoscalerMoves') return undefined;
  const { before } = transition;
  if (isRouteForeign(before)) return undefined;
  const stable = stableRevision(before);
  const given = usersRoute(before).some(({ revision, weight }) => revision !== stable && weight > 0);
  const shrunk = shrunkByMetric(transition).find((revision) => revision === stable);
  return given && shrunk !== undefined ? `the stable ${shrunk} shrinks while others have traffic` : HOLDS;
}

function shrinksToItsShare(transition: Transition): string | undefined {
  if (transition.event.kind !== 'AutoscalerMoves') return undefined;
  const { before, after } = transition;
  const stable = stableRevision(before);
  if (stable === undefined || isRouteForeign(before)) return undefined;
  // The stable may have grown just now: the next pass raises the floor long before an autoscaler looks again.
  if (before.operator.dirty || before.operator.pass !== undefined) return undefined;
  const small = shrunkByMetric(transition).find(
    (revision) =>
      revision !== stable &&
      replicasOf(after, revision) < podsFor(after, stable, askedLoad(before, revision)),
  );
  return small === undefined ? HOLDS : `${small} shrinks below its share of the traffic`;
}

function stableUntouched(transition: Transition): string | undefined {
  const name = deletedName(transition, [
    'Deployment',
    'Service',
    'HorizontalPodAutoscaler',
    'DestinationRule',
    'ControllerRevision',
  ]);
  if (name === undefined || transition.before.ledger.deleted) return undefined;
  const { before } = transition;
  const endsPods = deletedName(transition, ['Deployment', 'HorizontalPodAutoscaler']) !== undefined;
  if ((endsPods && makesRoom(before, name)) || leavesMesh(transition)) return HOLDS;
  return name === stableRevision(before) ? `something of the stable ${name} is removed` : HOLDS;
}
