import { loadOf, revisionsIn, type Routing } from '../traffic/routing.ts';
import type { Action } from './action.ts';
import type { Course } from './course.ts';
import type { Facts } from './facts.ts';

/** What a pass does while nobody is heard. */
export interface Intent {
  readonly course: Course;
  readonly routing: Routing | undefined;
  readonly writes: readonly Action[];
}

/**
 * Whether a pass does what it intends before anybody is heard: each decision costs a pass, so whoever sends many of
 * them could hold up what protects the users. Giving a revision up is that, and taking traffic off one.
 */
export function comesFirst(facts: Facts, { course, routing, writes }: Intent): boolean {
  // What cannot be written now, because its object is on its way out, is nothing to wait for.
  return writes.length > 0 && (course.mark?.marks.aborted !== undefined || takesTrafficOff(facts, routing));
}

function takesTrafficOff({ stable, askedRouting }: Facts, routing: Routing | undefined): boolean {
  return [...revisionsIn(askedRouting)].some(
    (revision) =>
      routing !== undefined &&
      revision !== stable?.name &&
      loadOf(routing, revision) < loadOf(askedRouting, revision),
  );
}
