import type { ModelDeployment, ModelDeploymentStatus } from '../../../operator/api/model-deployment.ts';
import {
  revisionName,
  gatewayVirtualServiceName,
  meshVirtualServiceName,
} from '../../../operator/api/names.ts';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import type { Action } from '../../../operator/plan/action.ts';
import { FULL_WEIGHT } from '../../../operator/traffic/routing.ts';
import { heldFrom, offeredTo, windowOf } from '../clients.ts';
import {
  cached,
  isServing,
  live,
  liveModelDeployment,
  MODEL_DEPLOYMENT_KEY,
  NAME,
  type Held,
  type World,
} from '../world.ts';
import { isHearing, plansHearing } from './decisions.ts';
import { sharesUpTo } from './steps.ts';
import {
  asked,
  askedWeight,
  HOLDS,
  isPlain,
  isRouteForeign,
  isStatusPatch,
  stableRevision,
  weightIn,
  type Invariant,
  type Transition,
} from './invariant.ts';

const PERCENT = FULL_WEIGHT / 100;
const FEWEST_ERRORS = 5;
const ROUTE_KEYS = [gatewayVirtualServiceName(NAME), meshVirtualServiceName(NAME)].map(
  (name) => `VirtualService/${name}`,
);

export const truthInvariants: readonly Invariant[] = [
  {
    code: 'I11',
    name: 'Ready is said only of the observed generation, with its routes at every gateway',
    check: readyIsTrue,
  },
  { code: 'I11', name: 'the weights of status are those asked for', check: weightsAreTrue },
  { code: 'I11', name: 'a step counts only when every gateway holds its weight', check: stepIsReal },
  {
    code: 'I13',
    name: 'status says Aborted only when the candidate has no weight',
    check: abortedHasNoWeight,
  },
  { code: 'I13', name: 'evidence takes the weight away in the pass that sees it', check: evidenceActs },
  {
    code: 'I14',
    name: 'a ModelDeployment that is being deleted gets no new children',
    check: deletionIsQuiet,
  },
];

function statusPatched(transition: Transition): ModelDeploymentStatus | undefined {
  // A pass that hears a decision says nothing else anew.
  return isStatusPatch(transition) && !isHearing(transition)
    ? liveModelDeployment(transition.after)?.status
    : undefined;
}

function couldRoute({ before }: Transition): boolean {
  const seen = before.operator.pass?.seen ?? before;
  return seen.platform.istio && ROUTE_KEYS.every((key) => (seen.objects.get(key)?.lag ?? 0) === 0);
}

function readyIsTrue(transition: Transition): string | undefined {
  const status = statusPatched(transition);
  const modelDeployment = liveModelDeployment(transition.after);
  if (status === undefined || modelDeployment === undefined) return undefined;
  const isReady = saysReady(status);
  if (isReady !== (status.phase === 'Healthy')) return `phase ${status.phase ?? '?'} with Ready ${isReady}`;
  return isReady && !isRouteForeign(transition.after)
    ? whyNotTrulyReady(transition.after, modelDeployment, status)
    : HOLDS;
}

function saysReady({ conditions = [] }: ModelDeploymentStatus): boolean {
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

function whyNotTrulyReady(
  world: World,
  { metadata, spec }: ModelDeployment,
  { observedGeneration }: ModelDeploymentStatus,
): string {
  if (observedGeneration !== metadata.generation) return 'Ready of a generation that it has not observed';
  const desired = revisionName(NAME, spec);
  if (stableRevision(world) !== desired) return `Ready although ${desired} was not promoted`;
  return routesElsewhere(world, desired);
}

function routesElsewhere(world: World, desired: string): string {
  const { held } = world.proxies.find(({ role }) => role === 'Endpoints') ?? {};
  // Where there is no mesh, the EndpointSlices of the entry Service are all that can be known.
  if (isPlain(world) && weightIn(held?.destinations, desired) !== FULL_WEIGHT)
    return `Ready although the EndpointSlices do not hold ${desired}`;
  const elsewhere = world.proxies.find(
    ({ role, held }) =>
      role === 'Gateway' &&
      offeredTo(world, role) !== undefined &&
      weightIn(held?.destinations, desired) !== FULL_WEIGHT,
  );
  return elsewhere === undefined
    ? HOLDS
    : `Ready although ${elsewhere.name} does not send everything to ${desired}`;
}

function weightsAreTrue(transition: Transition): string | undefined {
  const status = statusPatched(transition);
  if (
    status === undefined ||
    live(transition.after, `VirtualService/${gatewayVirtualServiceName(NAME)}`) === undefined
  ) {
    return undefined;
  }
  // Where no routes can or may be written, or the cache is behind, status tells of those that the cache has.
  if (status.phase === 'Deleting' || !couldRoute(transition)) return HOLDS;
  const wrong = status.revisions?.find(
    ({ name, weight }) => weight !== weightIn(asked(transition.after, 'Gateway'), name),
  );
  // Somebody else may have written the route since the pass has looked.
  if (wrong === undefined || isRouteForeign(transition.after)) return HOLDS;
  return `status gives ${wrong.name} ${wrong.weight}, the route ${weightIn(asked(transition.after, 'Gateway'), wrong.name)}`;
}

function stepIsReal(transition: Transition): string | undefined {
  const status = statusPatched(transition);
  const was = liveModelDeployment(transition.before)?.status?.rollout;
  const now = status?.rollout;
  if (was === undefined || now === undefined || !isSameRun(was, now)) return undefined;
  if (now.stepIndex <= was.stepIndex || isRouteForeign(transition.after)) return HOLDS;
  return stepElsewhere(transition.after, was, now);
}

function stepElsewhere(world: World, was: RolloutState, now: RolloutState): string {
  const spec = liveModelDeployment(world)?.spec;
  if (spec?.traffic.gateways === undefined) return HOLDS;
  // Without Istio they send nobody anywhere; only Recreate goes on then, once the stable has made room.
  if (isPlain(world) && spec.rollout.strategy === 'Recreate') return HOLDS;
  const { users, copies } = sharesUpTo[spec.rollout.strategy](spec.rollout, was.stepIndex);
  const behind = world.proxies.find(
    ({ role, held }) =>
      role === 'Gateway' &&
      (weightIn(held?.destinations, now.revision) < users * PERCENT ||
        weightIn(held?.mirrors, now.revision) < copies * PERCENT),
  );
  return behind === undefined
    ? HOLDS
    : `step ${was.stepIndex} is over before ${behind.name} sends ${users} %, and copies of ${copies} %`;
}

type RolloutState = NonNullable<ModelDeploymentStatus['rollout']>;

function isSameRun(was: RolloutState, now: RolloutState): boolean {
  return was.id === now.id && was.stepsHash === now.stepsHash;
}

function abortedHasNoWeight(transition: Transition): string | undefined {
  const status = statusPatched(transition);
  const modelDeployment = liveModelDeployment(transition.after);
  if (status?.phase !== 'Aborted' || modelDeployment === undefined) return undefined;
  if (!couldRoute(transition) || isRouteForeign(transition.after)) return HOLDS;
  const desired = revisionName(NAME, modelDeployment.spec);
  // A rollback that has failed leaves it where it is.
  if (desired === stableRevision(transition.after)) return HOLDS;
  const weight = askedWeight(transition.after, desired);
  return weight === 0 ? HOLDS : `status says Aborted while ${desired} has ${weight}`;
}

/** Looked at when a pass has been planned: what it saw must be enough. */
function evidenceActs({ before, event, after }: Transition): string | undefined {
  const { pass } = after.operator;
  if (event.kind !== 'OperatorPlans' || pass === undefined || before.operator.pass !== undefined)
    return undefined;
  // Whoever is heard costs one pass, after which the next one follows at once.
  const bad = plansHearing(pass) ? undefined : guiltyRevision(before);
  if (bad === undefined) return HOLDS;
  const left = plannedWeight(pass.actions, before, bad);
  return left === 0 ? HOLDS : `the pass sees that ${bad} is bad and leaves it ${left}`;
}

/** The candidate that has weight and has crashed or answers with errors, as the operator can see. */
function guiltyRevision(world: World): string | undefined {
  const modelDeployment = cached(world, MODEL_DEPLOYMENT_KEY) as ModelDeployment | undefined;
  const stable = stableRevision(world, 'Cache');
  if (modelDeployment === undefined || modelDeployment.metadata.deletionTimestamp !== undefined)
    return undefined;
  const candidate = revisionName(NAME, modelDeployment.spec);
  const isTried = stable !== undefined && candidate !== stable && cachedLoad(world, candidate) > 0;
  if (!isTried || !world.platform.istio) return undefined;
  return hasCrashed(world, candidate) || hasErrors(world, candidate) ? candidate : undefined;
}

/** Users or copies. */
function cachedLoad(world: World, revision: string): number {
  const virtualService = cached(world, `VirtualService/${NAME}.mesh`);
  return virtualService === undefined ? 0 : loadIn(heldFrom(virtualService), revision);
}

function loadIn({ destinations, mirrors }: Held, revision: string): number {
  return weightIn(destinations, revision) + weightIn(mirrors, revision);
}

function hasCrashed(world: World, revision: string): boolean {
  return world.cachedPods.some((pod) => pod.revision === revision && pod.crashes > 0);
}

function hasErrors(world: World, revision: string): boolean {
  if (!world.platform.reportsAnswer) return false;
  const known = new Set(world.cachedPods.map(({ name }) => name));
  const memories = world.pods
    .filter((pod) => pod.revision === revision && known.has(pod.name) && isServing(pod))
    .map(({ memory }) => memory);
  return [memories.flatMap(({ recent }) => recent), memories.flatMap(({ recentMirrors }) => recentMirrors)]
    .map((recent) => windowOf(recent, world.nowMs))
    .some(({ errors, requests }) => errors >= FEWEST_ERRORS && errors > requests * 0.1);
}

/** What the routes give a revision once these actions are done. */
function plannedWeight(actions: readonly Action[], world: World, revision: string): number {
  const weights = [NAME, `${NAME}.mesh`].map((name) => {
    const object = plannedRoute(actions, name, cached(world, `VirtualService/${name}`));
    return object === undefined ? 0 : loadIn(heldFrom(object), revision);
  });
  return Math.max(...weights);
}

function plannedRoute(
  actions: readonly Action[],
  name: string,
  present: KubernetesObject | undefined,
): KubernetesObject | undefined {
  for (const action of actions) {
    if (
      action.kind === 'Delete' &&
      action.reference.kind === 'VirtualService' &&
      action.reference.name === name
    ) {
      return undefined;
    }
    if (
      action.kind === 'Apply' &&
      action.object.kind === 'VirtualService' &&
      action.object.metadata.name === name
    ) {
      return action.object;
    }
  }
  return present;
}

function deletionIsQuiet({ before, event, after }: Transition): string | undefined {
  const { pass } = after.operator;
  if (event.kind !== 'OperatorPlans' || pass === undefined || before.operator.pass !== undefined)
    return undefined;
  if (cached(before, MODEL_DEPLOYMENT_KEY)?.metadata.deletionTimestamp === undefined) return undefined;
  const created = pass.actions.find(({ kind }) => kind === 'Apply');
  return created === undefined ? HOLDS : 'a ModelDeployment that is being deleted is given children';
}
