import {
  annotations,
  gatewayVirtualServiceName,
  meshVirtualServiceName,
  revisionName,
} from '../../../operator/api/names.ts';
import type { ModelDeployment } from '../../../operator/api/model-deployment.ts';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import type { Action } from '../../../operator/plan/action.ts';
import { FULL_WEIGHT, type Destination } from '../../../operator/traffic/routing.ts';
import { heldFrom, offeredTo } from '../clients.ts';
import { versionOf } from '../cluster.ts';
import { isBroken } from '../kubelet.ts';
import type { Event } from '../environment.ts';
import {
  cached,
  live,
  liveDeployment,
  liveModelDeployment,
  MODEL_DEPLOYMENT_KEY,
  NAME,
  readyPodsOf,
  replicasOf,
  type Held,
  type LiveAutoscaler,
  type LiveDeployment,
  type LiveService,
  type Proxy,
  type RoutedRole,
  type World,
} from '../world.ts';

/** One smallest step of a story. */
export interface Transition {
  readonly before: World;
  readonly event: Event;
  readonly after: World;
}

/** What must never happen; the codes are those of DESIGN §5. */
export interface Invariant {
  readonly code: string;
  readonly name: string;
  /** Undefined where it has nothing to say of this transition; otherwise '' when it holds, or what is wrong. */
  readonly check: (transition: Transition) => string | undefined;
}

export const HOLDS = '';

/** The action that this transition has carried out, if it is one and was not refused. */
export function actionOf({ before, event, after }: Transition): Action | undefined {
  const { pass } = before.operator;
  if (event.kind !== 'OperatorActs' || pass === undefined || after.operator.pass === undefined)
    return undefined;
  // A name that somebody has taken stops all that comes after it, but for applies.
  if (after.operator.pass.taken !== undefined && after.lastId === before.lastId) return undefined;
  return pass.actions[pass.next];
}

interface Kinds {
  readonly ControllerRevision: KubernetesObject;
  readonly Deployment: LiveDeployment;
  readonly HorizontalPodAutoscaler: LiveAutoscaler;
  readonly Service: LiveService;
  readonly VirtualService: KubernetesObject;
}

export function appliedObject<Kind extends keyof Kinds>(
  transition: Transition,
  kind: Kind,
): Kinds[Kind] | undefined {
  const action = actionOf(transition);
  return action?.kind === 'Apply' && action.object.kind === kind ? (action.object as Kinds[Kind]) : undefined;
}

export function deletedName(transition: Transition, kinds: readonly string[]): string | undefined {
  const action = actionOf(transition);
  if (action?.kind !== 'Delete' || !kinds.includes(action.reference.kind)) return undefined;
  const wasThere = live(transition.before, `${action.reference.kind}/${action.reference.name}`) !== undefined;
  return wasThere ? action.reference.name : undefined;
}

/** Whether this transition is the status patch at the end of a pass. */
export function isStatusPatch({ before, event, after }: Transition): boolean {
  const { pass } = before.operator;
  const isLast = event.kind === 'OperatorActs' && pass?.next === pass?.actions.length;
  return isLast && live(after, MODEL_DEPLOYMENT_KEY) !== live(before, MODEL_DEPLOYMENT_KEY);
}

export function asked(world: World, role: RoutedRole): readonly Destination[] {
  return askedWhole(world, role)?.destinations ?? [];
}

export function askedWhole(world: World, role: RoutedRole): Held | undefined {
  const name = role === 'Gateway' ? gatewayVirtualServiceName(NAME) : meshVirtualServiceName(NAME);
  const virtualService = live(world, `VirtualService/${name}`);
  return virtualService && heldFrom(virtualService);
}

/** Where users inside the cluster are sent: by the routes, or without any by the entry Service. */
export function usersRoute(world: World): readonly Destination[] {
  return offeredTo(world, 'Sidecar')?.destinations ?? [];
}

/** Whether the entry Service moves the traffic, as the spec and the platform are. */
export function isPlain(world: World): boolean {
  return !world.platform.istio || liveModelDeployment(world)?.spec.traffic.router === 'Service';
}

/** Whether a policy of proxies goes by a pass that moves the traffic by the entry Service: nobody is to follow it. */
export function leavesMesh(transition: Transition): boolean {
  const { before } = transition;
  const isPolicy = deletedName(transition, ['DestinationRule']) !== undefined;
  return isPolicy && isPlain(before.operator.pass?.seen ?? before);
}

/** The strategy that a pass under way has seen. */
export function isRecreating(world: World): boolean {
  const seen = cached(world.operator.pass?.seen ?? world, MODEL_DEPLOYMENT_KEY) as
    ModelDeployment | undefined;
  if (seen?.spec.rollout.strategy !== 'Recreate') return false;
  const desired = revisionName(NAME, seen.spec);
  // Whoever rolls back leaves the stable that the spec asks for.
  return desired !== stableRevision(world) || world.ledger.aborted.has(desired);
}

/** Whether somebody else has written a route, and the operator has not mended it yet. */
export function isRouteForeign(world: World): boolean {
  return [gatewayVirtualServiceName(NAME), meshVirtualServiceName(NAME)].some((name) => {
    const virtualService = live(world, `VirtualService/${name}`);
    return virtualService !== undefined && heldFrom(virtualService).isForeign;
  });
}

export function weightIn(destinations: readonly Destination[] | undefined, revision: string): number {
  return destinations?.find((destination) => destination.revision === revision)?.weight ?? 0;
}

/** The most that any asked-for route gives a revision. */
export function askedWeight(world: World, revision: string): number {
  return Math.max(weightIn(asked(world, 'Gateway'), revision), weightIn(asked(world, 'Sidecar'), revision));
}

export function revisionsIn({ destinations, mirrors, previews }: Held): readonly string[] {
  return [...[...destinations, ...mirrors].map(({ revision }) => revision), ...previews];
}

/** Whether a proxy that holds this sends the revision anything: users, copies or previews. */
export function sendsTo(held: Held | undefined, revision: string): boolean {
  return (
    weightIn(held?.destinations, revision) > 0 ||
    weightIn(held?.mirrors, revision) > 0 ||
    (held?.previews.includes(revision) ?? false)
  );
}

/** The most that any asked-for route gives a revision in copies or users. */
export function askedLoad(world: World, revision: string): number {
  const loads = (['Gateway', 'Sidecar'] as const).flatMap((role) => {
    const held = askedWhole(world, role);
    return [weightIn(held?.destinations, revision), weightIn(held?.mirrors, revision)];
  });
  return Math.max(...loads);
}

export function followsRoutes({ role }: Proxy): boolean {
  return role === 'Gateway' || role === 'Sidecar';
}

/** Only pods that are ready can tell of a sidecar; one whose requests reach none is known to nobody. */
export function isHeardOf(world: World, { role, held }: Proxy): boolean {
  const destinations = held?.destinations ?? [];
  return role === 'Gateway' || destinations.some(({ revision }) => readyPodsOf(world, revision).length > 0);
}

export function isReferencedBy(proxy: Proxy, revision: string): boolean {
  return proxy.held !== undefined && revisionsIn(proxy.held).includes(revision);
}

/** Whether something other than the operator keeps this revision's pods from being ready. */
export function isHurt(world: World, revision: string): boolean {
  if (world.ledger.deleted || world.ledger.hurt.has(revision)) return true;
  const deployment = liveDeployment(world, revision);
  return deployment !== undefined && isBroken(world.behaviours[versionOf(deployment)]);
}

/** What the spec asks for. */
export function desiredRevision(world: World): string | undefined {
  const spec = liveModelDeployment(world)?.spec;
  return spec && revisionName(NAME, spec);
}

/** The revision promoted last, as the API records it, or as the operator's cache has it. */
export function stableRevision(world: World, source: 'Api' | 'Cache' = 'Api'): string | undefined {
  let stable: string | undefined;
  let latest = '';
  for (const [key, { versions, lag }] of world.objects) {
    if (!key.startsWith('ControllerRevision/')) continue;
    const record = versions[source === 'Api' ? 0 : lag];
    const promotedAt = record?.metadata.annotations?.[annotations.promotedAt] ?? '';
    if (promotedAt > latest) [stable, latest] = [record?.metadata.name, promotedAt];
  }
  return stable;
}

/**
 * The pods that a share needs beside a stable of this size: the size that the operator could see, since a pod that
 * comes while a pass is under way is news to nobody's fault.
 */
export function podsFor(world: World, stable: string, weight: number): number {
  const seen = (world.operator.pass?.seen ?? world).cachedPods;
  const running = seen.filter(
    (pod) => pod.revision === stable && pod.terminatingSinceMs === undefined,
  ).length;
  return Math.ceil((weight * Math.min(running, replicasOf(world, stable))) / FULL_WEIGHT);
}

export function isMaxBelow(deployment: LiveDeployment | undefined, maxReplicas: number | undefined): boolean {
  return (deployment?.spec.replicas ?? 0) > (maxReplicas ?? Infinity);
}
