import { chosenStrategy } from '../strategies/index.ts';
import { latestPromoted, type Facts, type RevisionFacts } from './facts.ts';

/** Whom one would go back to: the stable of before, kept as it was so that going back to it needs no pods. */
export interface Warm {
  readonly revision: RevisionFacts;
  readonly untilMs: number;
}

export function keptWarm({ modelDeployment, stable, revisions }: Facts, nowMs: number): Warm | undefined {
  const { keepOldMs } = chosenStrategy(modelDeployment.spec.rollout);
  // A promotion may be dated a little into the future, and is kept warm for by no strategy that does not say so.
  if (keepOldMs === 0 || stable?.marks.promotedAt === undefined) return undefined;
  const untilMs = Date.parse(stable.marks.promotedAt) + keepOldMs;
  // Nobody goes back to what was given up; so where that was the stable of before, it is the one before it.
  const others = [...revisions.values()].filter(
    (revision) => revision !== stable && revision.marks.aborted === undefined,
  );
  const before = latestPromoted(others);
  // One that has begun to go is not called back.
  const isKept = before?.objects.has('Deployment') === true;
  return isKept && nowMs < untilMs ? { revision: before, untilMs } : undefined;
}
