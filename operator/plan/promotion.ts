import type { Course } from './course.ts';
import type { Facts, RevisionFacts } from './facts.ts';

/**
 * The mark that makes a revision the stable one. The stable is the revision with the latest time, so this time is
 * later than the present stable's even when this machine's clock is behind that of the one which wrote it.
 */
export function promotion(
  { stable }: Facts,
  revision: RevisionFacts,
  nowMs: number,
): NonNullable<Course['mark']> {
  const before = stable?.marks.promotedAt;
  const promotedAtMs = before === undefined ? nowMs : Math.max(nowMs, Date.parse(before) + 1);
  return { revision, marks: { promotedAt: new Date(promotedAtMs).toISOString() } };
}
