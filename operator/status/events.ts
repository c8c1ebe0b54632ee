import type { ModelDeploymentStatus } from '../api/model-deployment.ts';
import type { Action, PlannedEvent } from '../plan/action.ts';
import type { Course } from '../plan/course.ts';
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

function promoted({ course: { mark } }: Change): PlannedEvent | undefined {
  if (mark?.marks.promotedAt === undefined) return undefined;
  return {
    type: 'Normal',
    reason: 'Promoted',
    message: `Revision ${mark.revision.name} is the stable one now`,
  };
}

function aborted({ course: { mark, reason } }: Change): PlannedEvent | undefined {
  if (mark?.marks.aborted === undefined) return undefined;
  const { message } = mark.marks.aborted;
  return { type: 'Warning', reason, message: `Revision ${mark.revision.name} is given up: ${message}` };
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
