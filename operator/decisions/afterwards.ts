import { latestPromoted, type Facts, type RevisionFacts } from '../plan/facts.ts';
import { ends, refused, withReason, type Hearing, type Ruling } from './ruling.ts';

/** Takes up again what the spec asks for and was given up. */
export function retry({ facts, rollout, rolloutId }: Hearing): Ruling {
  const { desired } = facts;
  if (rollout !== undefined) {
    return refused('RolloutUnderWay', `Rollout ${rolloutId} to ${rollout.candidate.name} is under way`);
  }
  if (desired.marks.aborted === undefined) {
    return refused('NotAborted', `Revision ${desired.name}, which the spec asks for, was not given up`);
  }
  return ends([{ revision: desired.name }], `Revision ${desired.name} is tried again, in a new rollout`);
}

/**
 * Goes to an earlier revision, also out of the middle of a rollout and whichever revision is broken (I13). What the
 * spec asks for is given up; the goal is no longer, should it ever have been.
 */
export function rollback(hearing: Hearing): Ruling {
  const goal = goalOf(hearing);
  if (!('marks' in goal)) return goal;
  const { decision, by, facts, stable, nowMs } = hearing;
  // A promotion may be dated a little into the future; this comes after it.
  const { promotedAt = 0 } = stable.marks;
  const at = new Date(Math.max(nowMs, new Date(promotedAt).getTime())).toISOString();
  const aborted = {
    reason: 'RolledBack',
    message: withReason(`Rolled back to ${goal.name} by ${by}`, decision),
    at,
    rollbackTo: goal.name,
  };
  return ends(
    [{ revision: facts.desired.name, aborted }, { revision: goal.name }],
    `${goal.name} gets all traffic as soon as its pods and every proxy are ready for it`,
  );
}

function goalOf(hearing: Hearing): RevisionFacts | Ruling {
  const { decision, facts, stable } = hearing;
  const { revision } = decision.spec;
  if (revision === undefined) {
    const goal = promotedBefore(facts, stable);
    if (goal !== undefined) return alreadyThere(goal, hearing) ?? goal;
    return refused('NoEarlierRevision', `No revision that was promoted before ${stable.name} is kept`);
  }
  const goal = facts.revisions.get(revision);
  if (goal === undefined) {
    return refused('RevisionUnknown', `There is no revision ${revision}; ${choiceOf(hearing)}`);
  }
  const { promotedAt } = goal.marks;
  return alreadyThere(goal, hearing) ?? (promotedAt === undefined ? neverPromoted(goal, hearing) : goal);
}

function alreadyThere(goal: RevisionFacts, { facts, stable, rollout }: Hearing): Ruling | undefined {
  if (goal === facts.desired && goal.marks.aborted !== undefined) {
    return refused('AlreadyThere', `The spec asks for ${goal.name} anyway: Retry takes it up again`);
  }
  if (goal === facts.desired || goal === rollout?.candidate) {
    return refused('AlreadyThere', `${goal.name} is where traffic goes already`);
  }
  return goal === stable
    ? refused('AlreadyThere', `${goal.name} is the stable revision: Abort goes back to it`)
    : undefined;
}

function promotedBefore({ revisions, desired }: Facts, stable: RevisionFacts): RevisionFacts | undefined {
  return latestPromoted(
    [...revisions.values()].filter(
      (known) => known !== stable && known !== desired && known.marks.aborted === undefined,
    ),
  );
}

function neverPromoted({ name }: RevisionFacts, hearing: Hearing): Ruling {
  return refused(
    'NeverPromoted',
    `${name} has never been promoted, so it has to go through the steps: set the spec back to it instead; ${choiceOf(hearing)}`,
  );
}

function choiceOf({ facts, stable }: Hearing): string {
  const names = [...facts.revisions.values()]
    .filter((known) => known !== stable && known !== facts.desired && known.marks.promotedAt !== undefined)
    .map(({ name }) => name);
  return names.length === 0 ? 'none that was promoted is kept' : `kept are ${names.join(', ')}`;
}
