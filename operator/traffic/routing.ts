import { isDeepStrictEqual } from 'node:util';

/** All of the traffic, in the unit of every weight in this program (I4). */
export const FULL_WEIGHT = 10_000;

/** One revision's share of user traffic. Weight 0 means: proxies know it, nobody is sent there yet. */
export interface Destination {
  readonly revision: string;
  readonly weight: number;
}

/** A share of the users' requests that a revision gets copies of; nobody sees its answers to them. */
export interface Mirror {
  readonly revision: string;
  readonly weight: number;
}

/** Requests that ask for one revision, whatever its weight: those with a header, or to a host of their own. */
export interface Preview {
  readonly revision: string;
  readonly match: PreviewMatch;
}

export type PreviewMatch =
  { readonly header: { readonly name: string; readonly value: string } } | { readonly host: string };

/**
 * Where requests should go, in no proxy's language: what a strategy wants and a router renders.
 * Invariant I4: the weights of the destinations are integers from 0 to FULL_WEIGHT and sum to FULL_WEIGHT.
 */
export interface Routing {
  readonly destinations: readonly Destination[];
  readonly mirrors?: readonly Mirror[];
  readonly previews?: readonly Preview[];
}

/** The weight that a routing gives to a revision; 0 when the routing does not name it. */
export function weightOf(routing: Routing | undefined, revision: string): number {
  return routing?.destinations.find((destination) => destination.revision === revision)?.weight ?? 0;
}

/** The share of the users' requests that a revision gets copies of. */
export function mirrorOf(routing: Routing | undefined, revision: string): number {
  return routing?.mirrors?.find((mirror) => mirror.revision === revision)?.weight ?? 0;
}

/** The share of the users' requests that reach a revision, as they are or as copies. */
export function loadOf(routing: Routing | undefined, revision: string): number {
  return weightOf(routing, revision) + mirrorOf(routing, revision);
}

export function hasPreview(routing: Routing | undefined, wanted: Preview): boolean {
  return routing?.previews?.some((preview) => isDeepStrictEqual(preview, wanted)) ?? false;
}

/** Whether proxies that hold this routing send anything at all to the revision (I1). */
export function sendsTo(routing: Routing | undefined, revision: string): boolean {
  return (
    loadOf(routing, revision) > 0 ||
    (routing?.previews?.some((preview) => preview.revision === revision) ?? false)
  );
}

/** Every revision that proxies with this routing know of, be it with weight 0. */
export function revisionsIn(routing: Routing | undefined): ReadonlySet<string> {
  const { destinations = [], mirrors = [], previews = [] } = routing ?? {};
  return new Set([...destinations, ...mirrors, ...previews].map(({ revision }) => revision));
}

/** Whether proxies that hold this routing reference the revision at all, be it with weight 0. */
export function references(routing: Routing | undefined, revision: string): boolean {
  return revisionsIn(routing).has(revision);
}

/** Whether two routings send the same shares, copies and previews to the same revisions, in any order. */
export function sameRouting(left: Routing | undefined, right: Routing | undefined): boolean {
  return isDeepStrictEqual(left && inAnyOrder(left), right && inAnyOrder(right));
}

function inAnyOrder({ destinations, mirrors, previews }: Routing): readonly ReadonlySet<unknown>[] {
  return [new Set(destinations), new Set(mirrors), new Set(previews)];
}

/** Everything to one revision. */
export function routeAllTo(revision: string): Routing {
  return { destinations: [{ revision, weight: FULL_WEIGHT }] };
}

/** `weight` of FULL_WEIGHT to the candidate, the rest to the stable; the candidate stays referenced at 0. */
export function splitBetween(stable: string, candidate: string, weight: number): Routing {
  return {
    destinations: [
      { revision: stable, weight: FULL_WEIGHT - weight },
      { revision: candidate, weight },
    ],
  };
}
