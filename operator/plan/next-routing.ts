import {
  FULL_WEIGHT,
  hasPreview,
  mirrorOf,
  references,
  weightOf,
  type Destination,
  type Mirror,
  type Preview,
  type Routing,
} from '../traffic/routing.ts';
import { hasCapacityFor } from './capacity.ts';
import type { Course } from './course.ts';
import type { Facts } from './facts.ts';
import type { Proof } from './proof.ts';

/**
 * The routing to ask for now on the way to the one that the course wants. Sending less to a revision is always allowed;
 * sending more, as users, copies or previews, only to the stable or to a revision that every proxy is proven to know
 * already (I3) and that has the ready pods for it (I1, I7). What may not be raised yet keeps what it has, weight 0 at
 * first: that is how it is staged.
 */
export function nextRouting(facts: Facts, course: Course, proof: Proof): Routing | undefined {
  const { stable } = facts;
  const wanted = course.routing;
  if (wanted === undefined || stable === undefined) return undefined;
  const mayRaise = proof.kind === 'Proven' && course.isHeld !== true;
  const others = wanted.destinations
    .filter(({ revision }) => revision !== stable.name)
    .flatMap((destination) => allowedDestination(facts, destination, mayRaise));
  const given = others.reduce((total, { weight }) => total + weight, 0);
  const mirrors = (wanted.mirrors ?? []).flatMap((mirror) => allowedMirror(facts, mirror, mayRaise));
  const previews = (wanted.previews ?? []).filter((preview) => isAllowedPreview(facts, preview, mayRaise));
  return {
    destinations: [{ revision: stable.name, weight: FULL_WEIGHT - given }, ...others],
    ...(mirrors.length > 0 && { mirrors }),
    ...(previews.length > 0 && { previews }),
  };
}

function allowedDestination(
  facts: Facts,
  { revision, weight }: Destination,
  mayRaise: boolean,
): readonly Destination[] {
  const asked = facts.askedRouting;
  if (!references(asked, revision)) {
    return facts.revisions.get(revision)?.objects.has('Service') ? [{ revision, weight: 0 }] : [];
  }
  const present = weightOf(asked, revision);
  return [
    {
      revision,
      weight: weight <= present || (mayRaise && canTake(facts, revision, weight)) ? weight : present,
    },
  ];
}

function allowedMirror(facts: Facts, { revision, weight }: Mirror, mayRaise: boolean): readonly Mirror[] {
  const present = mirrorOf(facts.askedRouting, revision);
  const allowed = weight <= present || (mayRaise && canTake(facts, revision, weight)) ? weight : present;
  return allowed === 0 ? [] : [{ revision, weight: allowed }];
}

function isAllowedPreview(facts: Facts, preview: Preview, mayRaise: boolean): boolean {
  return hasPreview(facts.askedRouting, preview) || (mayRaise && canTake(facts, preview.revision, 0));
}

function canTake(facts: Facts, revision: string, share: number): boolean {
  const facing = facts.revisions.get(revision);
  if (facing === undefined || !references(facts.askedRouting, revision)) return false;
  // Of whom nothing can be recorded, since somebody else has the name, no abort would last.
  return facing.objects.has('ControllerRevision') && hasCapacityFor(facts, facing, share);
}
