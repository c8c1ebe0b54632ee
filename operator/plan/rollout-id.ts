import type { RolloutState } from './course.ts';
import type { Facts, RevisionFacts } from './facts.ts';

/**
 * Names one rollout for all time: the same revision tried again, even by another ModelDeployment of this name, gets
 * another id. It has the revision's own part of its name, since with the whole of it an id could become longer than the
 * API allows.
 */
export function newRolloutId({ modelDeployment }: Facts, { name }: RevisionFacts, nowMs: number): string {
  return `${name.slice(modelDeployment.metadata.name.length + 1)}-${nowMs}`;
}

/**
 * The rollout that decisions have to name: the one under way, else the last one. Where status was lost, it is told by
 * the promotion that ended it; undefined until something was promoted.
 */
export function rolloutIdOf(facts: Facts, underWay: RolloutState | undefined): string | undefined {
  const remembered = underWay?.id ?? facts.modelDeployment.status?.rolloutId;
  const { stable } = facts;
  if (remembered !== undefined || stable?.marks.promotedAt === undefined) return remembered;
  return newRolloutId(facts, stable, Date.parse(stable.marks.promotedAt));
}
