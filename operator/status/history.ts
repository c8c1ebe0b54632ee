import type { HistoryEntry } from '../api/model-deployment.ts';
import type { Course } from '../plan/course.ts';
import type { Facts, RevisionFacts } from '../plan/facts.ts';
import type { Marks } from '../resources/controller-revision.ts';

const HISTORY_LIMIT = 10;
/** The CRD bounds messages. */
const LONGEST_MESSAGE = 1024;

/**
 * How rollouts ended, the newest first. The records of the revisions tell how each ended last; status remembers beside
 * that what was marked anew since, and what left no mark.
 */
export function historyOf(facts: Facts, course: Course, nowMs: number): HistoryEntry[] {
  const entries = [
    ...[...facts.revisions.values()].flatMap((revision) =>
      recorded(revision.name, marksOf(revision, course)),
    ),
    ...(facts.modelDeployment.status?.history ?? []),
    ...superseded(facts, course, nowMs),
  ];
  const isFirst = (entry: HistoryEntry, index: number): boolean =>
    entries.findIndex(({ revision, at }) => revision === entry.revision && at === entry.at) === index;
  return entries
    .filter(isFirst)
    .sort((left, right) => Date.parse(right.at) - Date.parse(left.at))
    .slice(0, HISTORY_LIMIT);
}

/** With the one that this pass makes: it is made before any status is written. */
function marksOf(revision: RevisionFacts, { mark }: Course): Marks {
  return mark?.revision === revision ? mark.marks : revision.marks;
}

function recorded(name: string, { promotedAt, aborted }: Marks): readonly HistoryEntry[] {
  return [
    ...(promotedAt === undefined ? [] : [{ revision: name, outcome: 'Promoted' as const, at: promotedAt }]),
    ...(aborted === undefined
      ? []
      : [
          {
            revision: name,
            outcome: aborted.rollbackTo === undefined ? ('Aborted' as const) : ('RolledBack' as const),
            reason: aborted.reason,
            message: aborted.message.slice(0, LONGEST_MESSAGE),
            at: aborted.at,
          },
        ]),
  ];
}

/** The rollout under way has ended neither well nor badly: the spec asks for something else now. */
function superseded(facts: Facts, course: Course, nowMs: number): readonly HistoryEntry[] {
  const before = facts.modelDeployment.status?.rollout?.revision;
  if (before === undefined || before === course.rollout?.revision || hasEnded(facts, course, before))
    return [];
  return [
    {
      revision: before,
      outcome: 'Superseded',
      reason: 'Superseded',
      message: `The spec asked for ${facts.desired.name} before ${before} was through`,
      at: new Date(nowMs).toISOString(),
    },
  ];
}

/** By a promotion, by an abort, or with all the rest. */
function hasEnded({ revisions, stable }: Facts, { mark, phase }: Course, name: string): boolean {
  const isMarked = mark?.revision.name === name || revisions.get(name)?.marks.aborted !== undefined;
  return isMarked || name === stable?.name || phase === 'Deleting';
}
