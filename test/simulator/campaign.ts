import { PHASES } from '../../operator/api/status.ts';
import type { Phase } from '../../operator/plan/course.ts';
import { Dice } from '../support/dice.ts';
import { exhaust } from './exhaust.ts';
import { FAULT_NAMES, type FaultName } from './faults.ts';
import { invariants } from './invariants/index.ts';
import { MOMENT_NAMES, momentOf } from './moments.ts';
import { restartEverywhere } from './restart.ts';
import { Census } from './simulation.ts';
import { shorten, tell } from './story.ts';
import { sweep } from './sweep.ts';
import { BadEnd, cellOf, Tale, wayOf } from './tale.ts';
import { walk } from './walk.ts';
import { leaveEveryWay } from './ways-out.ts';
import type { WayOut } from './world.ts';

/** How much of everything. */
export interface Effort {
  readonly seed: number;
  /** Rounds in which every fault is tried at every moment. */
  readonly sweeps: number;
  /** Random walks from every moment, and how long each is. */
  readonly walks: number;
  readonly steps: number;
  /** States to know around every moment before the search in all orders ends. */
  readonly states: number;
  /** Where to look round; left out: everywhere. */
  readonly moments?: readonly string[];
}

export interface Outcome {
  readonly census: Census;
  readonly seconds: number;
  readonly bad: BadEnd | undefined;
}

/** What no user can do. */
const IMPOSSIBLE: ReadonlySet<string> = new Set([
  // Whoever is being deleted already is not deleted once more.
  cellOf('Deleting', 'the user deletes it'),
  // Before anything was promoted there is no route that one could edit.
  cellOf('Pending', 'a route is edited by hand'),
]);

/** An abort needs a rollout, and a rollback two revisions that have served. */
const WAYS_OUT: Readonly<Partial<Record<Phase, readonly WayOut['kind'][]>>> = {
  Pending: ['Spec'],
  Progressing: ['Abort', 'Rollback', 'Spec'],
  Paused: ['Abort', 'Rollback', 'Spec'],
  Healthy: ['Rollback', 'Spec'],
  Degraded: ['Rollback', 'Spec'],
  Aborted: ['Rollback', 'Spec'],
};

export function allCells(): readonly string[] {
  return PHASES.flatMap((phase) => [
    ...FAULT_NAMES.map((fault: FaultName) => cellOf(phase, fault)),
    ...(WAYS_OUT[phase] ?? []).map((way) => wayOf(phase, way)),
  ]).filter((cell) => !IMPOSSIBLE.has(cell));
}

/** Looks for a state that must not be; the same seed looks in the same places. */
export function explore(effort: Effort): Outcome {
  const startedMs = performance.now();
  const census = new Census();
  const outcome = (bad?: BadEnd): Outcome => ({
    census,
    bad,
    seconds: (performance.now() - startedMs) / 1000,
  });
  try {
    for (const searchOn of search(effort, census)) searchOn();
    return outcome();
  } catch (error) {
    if (error instanceof BadEnd) return outcome(error);
    throw error;
  }
}

/** Looks for a violation of this very invariant, and passes by all others. */
export function hunt(code: string, effort: Effort): BadEnd | undefined {
  const census = new Census(invariants.filter((invariant) => invariant.code === code));
  for (const searchOn of search(effort, census)) {
    try {
      searchOn();
    } catch (error) {
      if (!(error instanceof BadEnd)) throw error;
      if (error.violation.code === code) return error;
    }
  }
  return undefined;
}

function* search(effort: Effort, census: Census): Iterable<() => void> {
  const { seed, sweeps, walks, steps, states, moments = MOMENT_NAMES } = effort;
  const dice = new Dice(seed);
  for (const name of moments) yield () => leaveEveryWay(new Tale(momentOf(name), census));
  for (const name of moments) yield () => restartEverywhere(momentOf(name), census);
  for (let round = 0; round < Math.max(sweeps, walks); round += 1) {
    for (const name of moments) {
      if (round < sweeps) yield () => sweep(momentOf(name), { dice, census, point: round });
      if (round < walks) yield () => walk(momentOf(name), dice, { steps, census });
    }
  }
  for (const name of moments) yield () => exhaust(momentOf(name), { states, census });
}

/** What was looked at, in a few lines. */
export function report({ census, seconds }: Outcome, { seed }: Effort): string {
  const checks = [...census.checks].sort(([left], [right]) =>
    left.localeCompare(right, 'en', { numeric: true }),
  );
  return [
    `seed ${seed}: ${census.distinct.size} states, ${census.transitions} transitions, ${census.passes} passes, ${census.stories} stories to their end, ${census.cells.size} of ${allCells().length} cells, ${seconds.toFixed(1)} s`,
    `checked: ${checks.map(([code, count]) => `${code} ${count}×`).join(', ')}`,
  ].join('\n');
}

/** The shortest form of a story that ended badly, and how to see it again. */
export function confess({ story, violation, message }: BadEnd, { seed }: Effort): string {
  return `${tell(shorten(story, violation), message)}\n(found with seed ${seed})`;
}
