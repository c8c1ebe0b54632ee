import { FULL_WEIGHT, type Destination } from '../../../operator/traffic/routing.ts';
import { gatewayVirtualServiceName } from '../../../operator/api/names.ts';
import { heldFrom } from '../clients.ts';
import { live, NAME, readyPodsOf, type Proxy, type ProxyRole, type World } from '../world.ts';
import {
  appliedObject,
  asked,
  deletedName,
  HOLDS,
  isHurt,
  isReferencedBy,
  podsFor,
  stableRevision,
  weightIn,
  type Invariant,
  type Transition,
} from './invariant.ts';

const ENDPOINT_KINDS = ['Service', 'DestinationRule'];

/** What has just been asked of the proxies of one role, and what was asked of them before. */
interface Asking {
  readonly role: Exclude<ProxyRole, 'Plain'>;
  readonly before: readonly Destination[];
  readonly after: readonly Destination[];
}

function askingOf(transition: Transition): Asking | undefined {
  const virtualService = appliedObject(transition, 'VirtualService');
  if (virtualService === undefined) return undefined;
  const role = virtualService.metadata.name === gatewayVirtualServiceName(NAME) ? 'Gateway' : 'Sidecar';
  return { role, before: asked(transition.before, role), after: heldFrom(virtualService).destinations };
}

function raised({ before, after }: Asking): readonly Destination[] {
  return after.filter(({ revision, weight }) => weight > weightIn(before, revision));
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
  { code: 'I7', name: 'the entry Service follows only a revision of full size', check: entryFollowsFullSize },
  { code: 'I16', name: 'an aborted revision never gets weight again', check: abortedStaysOut },
];

function routable({ after }: Transition): string | undefined {
  // Before the first promotion nobody has been promised an answer.
  if (after.ledger.deleted || stableRevision(after) === undefined) return undefined;
  return firstOf(after.proxies, (proxy) => unroutable(after, proxy));
}

function unroutable(world: World, { name, held }: Proxy): string | undefined {
  if (held?.isForeign === true) return undefined;
  const empty = held?.destinations.find(
    ({ revision, weight }) => weight > 0 && !isHurt(world, revision) && readyPodsOf(world, revision).length === 0,
  );
  return empty && `${name} sends ${empty.weight} of 10000 requests to ${empty.revision}, which has no ready pod`;
}

function namesExistingServices(transition: Transition): string | undefined {
  const asking = askingOf(transition);
  if (asking === undefined) return undefined;
  return firstOf(asking.after, ({ revision }) =>
    live(transition.before, `Service/${revision}`) === undefined && !isHurt(transition.before, revision)
      ? `the route names ${revision}, which has no Service`
      : undefined,
  );
}

function stagedFirst(transition: Transition): string | undefined {
  const asking = askingOf(transition);
  // A first route, or one that somebody deleted by hand, has nothing to be staged beside.
  if (asking === undefined || asking.before.length === 0) return undefined;
  const proxies = transition.before.proxies.filter(({ role }) => role === asking.role);
  return firstOf(raised(asking), ({ revision, weight }) => {
    const ignorant = proxies.find((proxy) => !isReferencedBy(proxy, revision));
    return ignorant && `${revision} gets ${weight} before ${ignorant.name} knows it`;
  });
}

function keepsWhatIsReferenced(transition: Transition): string | undefined {
  const name = deletedName(transition, ENDPOINT_KINDS);
  if (name === undefined || transition.before.ledger.deleted) return undefined;
  const user = transition.before.proxies.find((proxy) => isReferencedBy(proxy, name));
  return user === undefined ? HOLDS : `the Service or DestinationRule of ${name} goes while ${user.name} references it`;
}

function wholeWeights(transition: Transition): string | undefined {
  const asking = askingOf(transition);
  if (asking === undefined) return undefined;
  const weights = asking.after.map(({ weight }) => weight);
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
    const ready = readyPodsOf(transition.before, revision).length;
    const needed = Math.max(1, podsFor(transition.before, stable, weight));
    return ready < needed ? `${revision} gets ${weight} with ${ready} of ${needed} ready pods` : undefined;
  });
}

function entryFollowsFullSize(transition: Transition): string | undefined {
  const action = appliedObject(transition, 'Service');
  if (action?.metadata.name !== NAME) return undefined;
  const { before, after } = transition;
  const chosen = stableRevision(after);
  const previous = before.proxies.find(({ role }) => role === 'Plain')?.held?.destinations[0]?.revision;
  if (chosen === undefined || previous === undefined || previous === chosen || isHurt(after, chosen)) return undefined;
  const ready = readyPodsOf(after, chosen).length;
  const needed = podsFor(after, previous, FULL_WEIGHT);
  return ready < needed ? `the entry Service moves to ${chosen} with ${ready} of ${needed} ready pods` : HOLDS;
}

function abortedStaysOut(transition: Transition): string | undefined {
  const asking = askingOf(transition);
  if (asking === undefined) return undefined;
  const stable = stableRevision(transition.before);
  return firstOf(raised(asking), ({ revision, weight }) =>
    revision !== stable && transition.before.ledger.aborted.has(revision)
      ? `the aborted ${revision} gets ${weight} again`
      : undefined,
  );
}
