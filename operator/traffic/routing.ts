/** All of the traffic, in the unit of every weight in this program (I4). */
export const FULL_WEIGHT = 10_000;

/** One revision's share of user traffic. Weight 0 means: proxies know it, nobody is sent there yet. */
export interface Destination {
  readonly revision: string;
  readonly weight: number;
}

/**
 * Where requests should go, in no proxy's language: what a strategy wants and a router renders.
 * Invariant I4: weights are integers from 0 to FULL_WEIGHT and sum to FULL_WEIGHT.
 */
export interface Routing {
  readonly destinations: readonly Destination[];
}

/** The weight that a routing gives to a revision; 0 when the routing does not name it. */
export function weightOf(routing: Routing | undefined, revision: string): number {
  return routing?.destinations.find((destination) => destination.revision === revision)?.weight ?? 0;
}

/** Whether proxies that hold this routing reference the revision at all, be it with weight 0. */
export function references(routing: Routing | undefined, revision: string): boolean {
  return routing?.destinations.some((destination) => destination.revision === revision) ?? false;
}

/** Whether two routings send the same shares to the same revisions, in any order. */
export function sameRouting(left: Routing | undefined, right: Routing | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return (
    left.destinations.length === right.destinations.length &&
    left.destinations.every(
      ({ revision, weight }) => references(right, revision) && weightOf(right, revision) === weight,
    )
  );
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
