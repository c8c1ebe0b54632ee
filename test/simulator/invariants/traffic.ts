import { FULL_WEIGHT, type Destination } from '../../../operator/traffic/routing.ts';
import { annotations, gatewayVirtualServiceName, labels } from '../../../operator/api/names.ts';
import { entryEndpoints, heldFrom } from '../clients.ts';
import {
  cached,
  isServing,
  NAME,
  readyPodsOf,
  type Held,
  type Proxy,
  type RoutedRole,
  type World,
} from '../world.ts';
import {
  appliedObject,
  asked,
  askedLoad,
  askedWhole,
  deletedName,
  HOLDS,
  isRouteForeign,
  isHurt,
  followsRoutes,
  isHeardOf,
  isPlain,
  isRecreating,
  isReferencedBy,
  podsFor,
  revisionsIn,
  sendsTo,
  stableRevision,
  weightIn,
  type Invariant,
  type Transition,
} from './invariant.ts';

const ENDPOINT_KINDS = ['Service', 'DestinationRule'];

/** What has just been asked of the proxies of one role, and what was asked of them before. */
interface Asking {
  readonly role: RoutedRole | 'Plain';
  readonly before: Held | undefined;
  readonly after: Held;
}

function askingOf(transition: Transition): Asking | undefined {
  const service = wasPlain(transition.before) ? appliedObject(transition, 'Service') : undefined;
  if (service?.metadata.name === NAME) return askingOfClients(transition);
  const virtualService = appliedObject(transition, 'VirtualService');
  if (virtualService === undefined) return undefined;
  const role = virtualService.metadata.name === gatewayVirtualServiceName(NAME) ? 'Gateway' : 'Sidecar';
  return { role, before: askedWhole(transition.before, role), after: heldFrom(virtualService) };
}

/** Without a mesh the entry Service says to whom everybody is sent. */
function askingOfClients({ before, after }: Transition): Asking | undefined {
  const held = entryEndpoints(after);
  return held && { role: 'Plain', before: entryEndpoints(before), after: held };
}

/** Who is sent more than before: users, copies or, with weight 0, those who ask for it. */
function raised({ before, after }: Asking): readonly Destination[] {
  return [
    ...after.destinations.filter(({ revision, weight }) => weight > weightIn(before?.destinations, revision)),
    ...after.mirrors.filter(({ revision, weight }) => weight > weightIn(before?.mirrors, revision)),
    ...after.previews
      .filter((revision) => before?.previews.includes(revision) !== true)
      .map((revision) => ({ revision, weight: 0 })),
  ];
}

/** The first complaint, where there are any. */
function firstOf<Item>(items: readonly Item[], complaint: (item: Item) => string | undefined): string {
  return items.map(complaint).find((message) => message !== undefined) ?? HOLDS;
}

export const trafficInvariants: readonly Invariant[] = [
  { code: 'I1', name: 'every weighted destination that a proxy holds has ready endpoints', check: routable },
  { code: 'I3', name: 'a route names only Services that exist', check: namesExistingServices },
  { code: 'I3', name: 'a new destination is known to every proxy before it gets weight', check: stagedFirst },
  { code: 'I3', name: 'what proxies still reference is not removed', check: keepsWhatIsReferenced },
  { code: 'I4', name: 'weights are whole and sum to 10,000', check: wholeWeights },
  { code: 'I7', name: 'a weight is raised only with the ready pods for it', check: raisedWithCapacity },
  { code: 'I7', name: 'a revision is promoted at full size', check: promotedAtFullSize },
  { code: 'I7', name: 'the entry Service follows the promotion', check: entryFollowsPromotion },
  { code: 'I16', name: 'an aborted revision never gets weight again', check: abortedStaysOut },
];

function routable({ after }: Transition): string | undefined {
  // Before the first promotion nobody has been promised an answer.
  if (after.ledger.deleted || stableRevision(after) === undefined) return undefined;
  // Nor has anybody while Recreate has ended the one and not begun the other.
  if (isRecreating(after) && !after.pods.some(isServing)) return HOLDS;
  return firstOf(after.proxies, (proxy) => unroutable(after, proxy));
}

function unroutable(world: World, { name, held }: Proxy): string | undefined {
  if (held?.isForeign === true) return undefined;
  if (held === undefined) return undefined;
  const empty = revisionsIn(held).find(
    (revision) =>
      sendsTo(held, revision) && !isHurt(world, revision) && readyPodsOf(world, revision).length === 0,
  );
  return empty && `${name} sends requests to ${empty}, which has no ready pod`;
}

function namesExistingServices(transition: Transition): string | undefined {
  const asking = askingOf(transition);
  if (asking === undefined || asking.role === 'Plain' || transition.before.ledger.deleted) return undefined;
  // One that was named before, or has always served, has lost its Service to somebody's hand.
  const named = (['Gateway', 'Sidecar'] as const).flatMap((role) => asked(transition.before, role));
  const known = [stableRevision(transition.before), ...named.map(({ revision }) => revision)];
  return firstOf(revisionsIn(asking.after), (revision) =>
    sawService(transition.before, revision) || known.includes(revision)
      ? undefined
      : `the route names ${revision}, which has no Service`,
  );
}

/** Whether it was there when the pass began; what somebody deletes meanwhile is made again. */
function sawService(world: World, revision: string): boolean {
  return cached(world.operator.pass?.seen ?? world, `Service/${revision}`) !== undefined;
}

function stagedFirst(transition: Transition): string | undefined {
  const asking = askingOf(transition);
  // A first route, or one that somebody deleted by hand, has nothing to be staged beside.
  if (asking === undefined || (asking.before?.destinations ?? []).length === 0) return undefined;
  // Those who ask a Service know nothing of revisions.
  if (asking.role === 'Plain') return undefined;
  // What somebody has written by hand is put right at once, be it in steps or not.
  if (isRouteForeign(transition.before)) return HOLDS;
  const { before } = transition;
  const proxies = before.proxies.filter((proxy) => proxy.role === asking.role && isHeardOf(before, proxy));
  return firstOf(raised(asking), ({ revision, weight }) => {
    const ignorant = proxies.find((proxy) => !isReferencedBy(proxy, revision));
    return ignorant && `${revision} gets ${weight} before ${ignorant.name} knows it`;
  });
}

function keepsWhatIsReferenced(transition: Transition): string | undefined {
  const name = deletedName(transition, ENDPOINT_KINDS);
  if (name === undefined || transition.before.ledger.deleted) return undefined;
  const user = transition.before.proxies.find((proxy) => holdsRoute(proxy) && isReferencedBy(proxy, name));
  return user === undefined
    ? HOLDS
    : `the Service or DestinationRule of ${name} goes while ${user.name} references it`;
}

/** Who has none knows the entry Service alone, be it for want of a sidecar. */
function holdsRoute(proxy: Proxy): boolean {
  return followsRoutes(proxy) && proxy.held !== undefined && proxy.held.hash !== '';
}

function wholeWeights(transition: Transition): string | undefined {
  const asking = askingOf(transition);
  if (asking === undefined) return undefined;
  const weights = asking.after.destinations.map(({ weight }) => weight);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (weights.every((weight) => Number.isInteger(weight) && weight >= 0) && sum === FULL_WEIGHT) return HOLDS;
  return `the weights are ${weights.join(' + ')} = ${sum}`;
}

function raisedWithCapacity(transition: Transition): string | undefined {
  const asking = askingOf(transition);
  const stable = stableRevision(transition.before);
  if (asking === undefined || stable === undefined) return undefined;
  return firstOf(raised(asking), ({ revision, weight }) => {
    // Traffic that comes home finds the stable as large as it was: see 'the stable keeps its size'.
    if (revision === stable || isHurt(transition.before, revision)) return undefined;
    // The other routes give it as much already: a write that was cut in half is made whole.
    if (weight > 0 && weight <= askedLoad(transition.before, revision)) return undefined;
    const ready = readyPodsOf(transition.before, revision).length;
    const needed = Math.max(1, podsFor(transition.before, stable, weight));
    return ready < needed ? `${revision} gets ${weight} with ${ready} of ${needed} ready pods` : undefined;
  });
}

function promotedAtFullSize(transition: Transition): string | undefined {
  const record = appliedObject(transition, 'ControllerRevision');
  const { before, after } = transition;
  const previous = stableRevision(before);
  const promoted = stableRevision(after);
  if (record === undefined || previous === undefined || promoted === undefined || promoted === previous) {
    return undefined;
  }
  if (isHurt(before, promoted)) return HOLDS;
  const ready = readyPodsOf(before, promoted).length;
  const needed = podsFor(before, previous, FULL_WEIGHT);
  return ready < needed ? `${promoted} is promoted with ${ready} of ${needed} ready pods` : HOLDS;
}

/** Clients without a sidecar are served by pods of the promoted revision, and by nobody else. */
function entryFollowsPromotion(transition: Transition): string | undefined {
  const service = appliedObject(transition, 'Service');
  const { before } = transition;
  if (service?.metadata.name !== NAME || before.ledger.deleted || wasPlain(before)) return undefined;
  const chosen = service.spec.selector?.[labels.revision];
  const stable = stableRevision(before);
  return chosen === stable
    ? HOLDS
    : `the entry Service selects ${chosen ?? 'nothing'}, promoted is ${stable ?? 'nothing'}`;
}

/** Where the entry Service is the router, it goes ahead of the promotion like any route. */
function wasPlain(world: World): boolean {
  return isPlain(world.operator.pass?.seen ?? world);
}

function abortedStaysOut(transition: Transition): string | undefined {
  const asking = askingOf(transition);
  if (asking === undefined) return undefined;
  const { before } = transition;
  const stable = stableRevision(before);
  return firstOf(raised(asking), ({ revision, weight }) =>
    revision !== stable && isKnownAsAborted(before, revision)
      ? `the aborted ${revision} gets ${weight} again`
      : undefined,
  );
}

/**
 * A successor that is shown an old world may not know what its predecessor has just decided; and who tries a revision
 * again takes the mark away first.
 */
function isKnownAsAborted(world: World, revision: string): boolean {
  const record = cached(world.operator.pass?.seen ?? world, `ControllerRevision/${revision}`);
  const wasAborted = record?.metadata.annotations?.[annotations.aborted] !== undefined;
  return wasAborted && world.ledger.aborted.has(revision);
}
