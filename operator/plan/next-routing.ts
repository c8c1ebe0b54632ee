import { FULL_WEIGHT, references, weightOf, type Destination, type Routing } from '../traffic/routing.ts';
import { hasCapacityFor } from './capacity.ts';
import type { Course } from './course.ts';
import type { Facts } from './facts.ts';
import type { Proof } from './proof.ts';

/**
 * The routing to ask for now on the way to the one that the course wants. Lowering a weight is always allowed; raising
 * one is only for the stable, or for a revision that every proxy is proven to know already (I3) and that has the ready
 * pods for it (I1, I7). What may not be raised yet keeps the weight it has, 0 at first: that is how it is staged.
 */
export function nextRouting(facts: Facts, course: Course, proof: Proof): Routing | undefined {
  const { stable } = facts;
  const wanted = course.routing;
  if (wanted === undefined || stable === undefined || !facts.observed.platform.istio) return undefined;
  const others = wanted.destinations
    .filter(({ revision }) => revision !== stable.name)
    .flatMap((destination) => allowed(facts, destination, proof));
  const given = others.reduce((total, { weight }) => total + weight, 0);
  return { destinations: [{ revision: stable.name, weight: FULL_WEIGHT - given }, ...others] };
}

function allowed(facts: Facts, { revision, weight }: Destination, proof: Proof): readonly Destination[] {
  const facing = facts.revisions.get(revision);
  const asked = facts.askedRouting;
  if (!references(asked, revision)) return facing?.objects.has('Service') ? [{ revision, weight: 0 }] : [];
  const present = weightOf(asked, revision);
  if (weight <= present) return [{ revision, weight }];
  const ready = proof.kind === 'Proven' && facing !== undefined && hasCapacityFor(facts, facing, weight);
  return [{ revision, weight: ready ? weight : present }];
}
