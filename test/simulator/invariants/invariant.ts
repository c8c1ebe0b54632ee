import { annotations, gatewayVirtualServiceName, meshVirtualServiceName } from '../../../operator/api/names.ts';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import type { Action } from '../../../operator/plan/action.ts';
import { FULL_WEIGHT, type Destination } from '../../../operator/traffic/routing.ts';
import { heldFrom } from '../clients.ts';
import { isBroken, versionOf } from '../cluster.ts';
import type { Event } from '../environment.ts';
import {
  live,
  liveDeployment,
  NAME,
  replicasOf,
  type LiveDeployment,
  type Proxy,
  type ProxyRole,
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
  if (event.kind !== 'OperatorActs' || pass === undefined || after.operator.pass === undefined) return undefined;
  return pass.actions[pass.next];
}

export function appliedObject<Kind extends KubernetesObject>(transition: Transition, kind: string): Kind | undefined {
  const action = actionOf(transition);
  return action?.kind === 'Apply' && action.object.kind === kind ? (action.object as Kind) : undefined;
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
  return isLast && pass?.statusChanged === true && after.lastId > before.lastId;
}

export function asked(world: World, role: Exclude<ProxyRole, 'Plain'>): readonly Destination[] {
  const name = role === 'Gateway' ? gatewayVirtualServiceName(NAME) : meshVirtualServiceName(NAME);
  const virtualService = live(world, `VirtualService/${name}`);
  return virtualService === undefined ? [] : heldFrom(virtualService).destinations;
}

export function weightIn(destinations: readonly Destination[] | undefined, revision: string): number {
  return destinations?.find((destination) => destination.revision === revision)?.weight ?? 0;
}

/** The most that any asked-for route gives a revision. */
export function askedWeight(world: World, revision: string): number {
  return Math.max(weightIn(asked(world, 'Gateway'), revision), weightIn(asked(world, 'Sidecar'), revision));
}

export function isReferencedBy(proxy: Proxy, revision: string): boolean {
  return proxy.held?.destinations.some((destination) => destination.revision === revision) ?? false;
}

/** Whether something other than the operator keeps this revision's pods from being ready. */
export function isHurt(world: World, revision: string): boolean {
  if (world.ledger.deleted || world.ledger.hurt.has(revision)) return true;
  const deployment = liveDeployment(world, revision);
  return deployment !== undefined && isBroken(world.behaviours[versionOf(deployment)]);
}

/** The revision promoted last, as the API records it. */
export function stableRevision(world: World): string | undefined {
  let stable: { readonly name: string; readonly at: string } | undefined;
  for (const [key, { versions }] of world.objects) {
    const at = versions[0]?.metadata.annotations?.[annotations.promotedAt];
    if (!key.startsWith('ControllerRevision/') || at === undefined) continue;
    if (stable === undefined || at > stable.at) stable = { name: key.slice('ControllerRevision/'.length), at };
  }
  return stable?.name;
}

/** The pods that a share needs, beside a stable of its present size. */
export function podsFor(world: World, stable: string, weight: number): number {
  return Math.ceil((weight * replicasOf(world, stable)) / FULL_WEIGHT);
}

export function isMaxBelow(deployment: LiveDeployment | undefined, maxReplicas: number | undefined): boolean {
  return (deployment?.spec.replicas ?? 0) > (maxReplicas ?? Infinity);
}
