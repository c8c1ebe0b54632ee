import { references, type Routing } from '../traffic/routing.ts';
import { leftovers, type Facts, type RevisionFacts } from './facts.ts';

/**
 * Records of revisions beyond `revisionHistoryLimit`, which nobody can go back to any more. One that is in use or that
 * some route names is never among them; those that served last are kept longest, however many were tried since.
 */
export function forgettable(facts: Facts, routing: Routing | undefined): readonly RevisionFacts[] {
  const { revisions, stable, desired, candidate, askedRouting, modelDeployment } = facts;
  const inUse = new Set([stable, desired, candidate, ...leftovers(facts)]);
  return [...revisions.values()]
    .filter(
      (revision) =>
        !inUse.has(revision) &&
        !references(askedRouting, revision.name) &&
        !references(routing, revision.name),
    )
    .sort((left, right) => promotedAtMs(right) - promotedAtMs(left) || right.number - left.number)
    .slice(modelDeployment.spec.rollout.revisionHistoryLimit);
}

function promotedAtMs({ marks }: RevisionFacts): number {
  return marks.promotedAt === undefined ? 0 : Date.parse(marks.promotedAt);
}
