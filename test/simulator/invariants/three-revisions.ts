import type { KubernetesObject } from '../../../operator/api/object.ts';
import { FULL_WEIGHT } from '../../../operator/traffic/routing.ts';
import { deployedRevisions } from '../cluster.ts';
import { isServing, liveAutoscaler, liveDeployment, replicasOf, type Proxy, type World } from '../world.ts';
import {
  askedWhole,
  deletedName,
  followsRoutes,
  HOLDS,
  isHeardOf,
  isHurt,
  isMaxBelow,
  isReferencedBy,
  leavesMesh,
  podsFor,
  revisionsIn,
  sendsTo,
  desiredRevision,
  stableRevision,
  weightIn,
  type Invariant,
  type Transition,
} from './invariant.ts';

/** A revision that nobody wants any more, because another one was asked for before it was through (I15). */
export const threeRevisionInvariants: readonly Invariant[] = [
  { code: 'I15', name: 'what was superseded goes when no route names it', check: namedByNoRoute },
  { code: 'I15', name: 'what was superseded goes when no proxy knows it', check: knownToNoProxy },
  { code: 'I15', name: 'what was superseded is reachable until its last pod is gone', check: podsGoFirst },
  { code: 'I15', name: 'what was superseded keeps its share of the pods', check: keepsItsShare },
];

const KINDS = [
  'Deployment',
  'HorizontalPodAutoscaler',
  'Service',
  'DestinationRule',
  'PodDisruptionBudget',
] as const;

/** Whatever is deleted of a revision that is neither promoted nor asked for. */
function superseded(transition: Transition, kinds: readonly KubernetesObject['kind'][]): string | undefined {
  const name = deletedName(transition, kinds);
  const { before } = transition;
  const isLeft = name !== undefined && isSuperseded(before, name) && !leavesMesh(transition);
  return isLeft ? name : undefined;
}

function isSuperseded(world: World, name: string): boolean {
  // What the operator has not heard of yet it cannot heed.
  const seen = world.operator.pass?.seen ?? world;
  const wanted = [world, seen].flatMap((each) => [stableRevision(each), desiredRevision(each)]);
  return !world.ledger.deleted && !wanted.includes(name);
}

function namedByNoRoute(transition: Transition): string | undefined {
  const name = superseded(transition, KINDS);
  if (name === undefined) return undefined;
  const route = (['Gateway', 'Sidecar'] as const).find((role) => {
    const asked = askedWhole(transition.before, role);
    return asked !== undefined && !asked.isForeign && revisionsIn(asked).includes(name);
  });
  return route === undefined ? HOLDS : `something of ${name} goes while the route of the ${route} names it`;
}

function knownToNoProxy(transition: Transition): string | undefined {
  const name = superseded(transition, KINDS);
  if (name === undefined) return undefined;
  const { before } = transition;
  const user = before.proxies.find((proxy) => usesIt(before, proxy, name));
  return user === undefined ? HOLDS : `something of ${name} goes while ${user.name} may use it`;
}

/** One whose requests reach nobody can tell nobody what it holds. */
function usesIt(world: World, proxy: Proxy, name: string): boolean {
  const isKnown = followsRoutes(proxy) && isHeardOf(world, proxy) && isReferencedBy(proxy, name);
  return isKnown && !(proxy.held?.isForeign ?? false);
}

function podsGoFirst(transition: Transition): string | undefined {
  const name = superseded(transition, ['Service', 'DestinationRule', 'PodDisruptionBudget']);
  if (name === undefined) return undefined;
  const { before } = transition;
  const left = (before.operator.pass?.seen ?? before).cachedPods.filter(({ revision }) => revision === name);
  const isLeft = left.length > 0 || liveDeployment(before, name) !== undefined;
  return isLeft ? `something of ${name} goes before its pods` : HOLDS;
}

/** Its autoscaler does not shrink it below what any proxy still sends to it. */
function keepsItsShare({ before, event, after }: Transition): string | undefined {
  if (event.kind !== 'AutoscalerMoves') return undefined;
  const stable = stableRevision(before);
  const shrunk = deployedRevisions(after).find(
    (name) => isSuperseded(before, name) && !isHurt(before, name) && shrinks({ before, event, after }, name),
  );
  if (shrunk === undefined || stable === undefined) return undefined;
  // What somebody has written by hand nobody has made room for.
  const users = before.proxies.filter(
    (proxy) => followsRoutes(proxy) && sendsTo(proxy.held, shrunk) && proxy.held?.isForeign !== true,
  );
  const share = Math.max(0, ...users.map(({ held }) => weightIn(held?.destinations, shrunk)));
  const ready = after.pods.filter((pod) => pod.revision === shrunk && isServing(pod)).length;
  const left = Math.min(replicasOf(after, shrunk), ready);
  return share > 0 && share < FULL_WEIGHT && left < podsFor(before, stable, share)
    ? `${shrunk} shrinks to ${left} while a proxy sends it ${share}`
    : HOLDS;
}

function shrinks({ before, after }: Transition, name: string): boolean {
  const isByUser = isMaxBelow(liveDeployment(before, name), liveAutoscaler(before, name)?.spec.maxReplicas);
  return replicasOf(after, name) < replicasOf(before, name) && !isByUser;
}
