import type { HistoryEntry, ModelDeploymentStatus } from '../api/model-deployment.ts';
import type { Action, PlannedEvent } from '../plan/action.ts';
import type { Course } from '../plan/course.ts';
import type { FailureReason } from '../plan/evidence.ts';
import type { Facts } from '../plan/facts.ts';

interface Change {
  readonly facts: Facts;
  readonly course: Course;
  readonly before: ModelDeploymentStatus | undefined;
  readonly after: ModelDeploymentStatus;
}

/** Each tells of one kind of thing that has happened; nothing changed means nothing told. */
const tellers: readonly ((change: Change) => PlannedEvent | undefined)[] = [
  superseded,
  rolloutStarted,
  stepCompleted,
  promoted,
  aborted,
  paused,
  degraded,
  becameHealthy,
];

export function eventsOf(facts: Facts, course: Course, after: ModelDeploymentStatus): readonly Action[] {
  const change = { facts, course, before: facts.modelDeployment.status, after };
  return tellers
    .map((tell) => tell(change))
    .filter((event) => event !== undefined)
    .map((event) => ({ kind: 'RecordEvent', event }));
}

function superseded({ before, after }: Change): PlannedEvent | undefined {
  const told = before?.history?.filter(({ outcome }) => outcome === 'Superseded').map(({ at }) => at) ?? [];
  const news = after.history?.find(({ outcome, at }) => outcome === 'Superseded' && !told.includes(at));
  return news && { type: 'Normal', reason: 'Superseded', message: news.message ?? '' };
}

function rolloutStarted({ before, after, facts }: Change): PlannedEvent | undefined {
  const { rollout } = after;
  if (rollout === undefined || before?.rollout?.id === rollout.id) return undefined;
  return {
    type: 'Normal',
    reason: 'RolloutStarted',
    message: `Revision ${rollout.revision} is tried against ${facts.stable?.name ?? 'nothing'}`,
  };
}

function stepCompleted({ after, course }: Change): PlannedEvent | undefined {
  if (course.reason !== 'StepCompleted') return undefined;
  return { type: 'Normal', reason: 'StepCompleted', message: `Step ${after.step ?? ''}: ${course.message}` };
}

/** From the history and not from the mark: a pass that breaks off between mark and event does not make the mark again. */
function promoted(change: Change): PlannedEvent | undefined {
  const news = newEntries(change).find(({ outcome }) => outcome === 'Promoted');
  return (
    news && {
      type: 'Normal',
      reason: 'Promoted',
      message: `Revision ${news.revision} is the stable one now`,
    }
  );
}

/** What somebody has decided is told of as a decision. */
function aborted({ facts: { desired }, ...change }: Change): PlannedEvent | undefined {
  const news = newEntries(change).find(
    ({ revision, outcome, reason }) =>
      outcome === 'Aborted' && revision === desired.name && reason !== 'AbortedByDecision',
  );
  return (
    news && {
      type: 'Warning',
      reason: news.reason as FailureReason, // one of ours has written it
      message: `Revision ${news.revision} is given up: ${news.message ?? ''}`,
    }
  );
}

function newEntries({ before, after }: Pick<Change, 'before' | 'after'>): readonly HistoryEntry[] {
  const known = before?.history ?? [];
  return (after.history ?? []).filter(
    ({ revision, at }) => !known.some((entry) => entry.revision === revision && entry.at === at),
  );
}

function paused({ before, course, after }: Change): PlannedEvent | undefined {
  const entered = course.reason === 'PausedUntilDecision' && before?.reason !== 'PausedUntilDecision';
  return entered ? { type: 'Normal', reason: course.reason, message: after.message ?? '' } : undefined;
}

function degraded({ before, course }: Change): PlannedEvent | undefined {
  const entered = course.phase === 'Degraded' && before?.reason !== course.reason;
  return entered ? { type: 'Warning', reason: course.reason, message: course.message } : undefined;
}

function becameHealthy({ before, course }: Change): PlannedEvent | undefined {
  const entered = course.phase === 'Healthy' && before?.phase !== 'Healthy';
  return entered ? { type: 'Normal', reason: 'Healthy', message: course.message } : undefined;
}
