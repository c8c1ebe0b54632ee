import { happen, type Event } from './environment.ts';
import { fingerprint } from './fingerprint.ts';
import { HOLDS, type Invariant, type Transition } from './invariants/invariant.ts';
import { invariants } from './invariants/index.ts';
import type { World } from './world.ts';

/** What went wrong, and the events that led there. */
export interface Violation {
  readonly code: string;
  readonly name: string;
  readonly message: string;
}

export class ViolationError extends Error {
  readonly violation: Violation;
  readonly world: World;

  constructor(violation: Violation, world: World) {
    super(`${violation.code} ${violation.name}: ${violation.message}`);
    this.violation = violation;
    this.world = world;
  }
}

/** What an exploration has seen. */
export class Census {
  states = 0;
  readonly distinct = new Set<number>();
  /** States that have been seen to lead to a good rest, and what it looks like. */
  readonly restful = new Map<number, string>();
  transitions = 0;
  passes = 0;
  stories = 0;
  readonly checks = new Map<string, number>();
  readonly cells = new Map<string, number>();
  /** Told of every event that changes something, before it is judged. */
  listener: ((transition: Transition) => void) | undefined;
  /** Judged by; all invariants where nothing else is said. */
  readonly judges: readonly Invariant[];

  constructor(judges: readonly Invariant[] = invariants) {
    this.judges = judges;
  }

  sawState(world: World): void {
    this.states += 1;
    this.distinct.add(fingerprint(world));
  }

  sawCheck(code: string): void {
    this.checks.set(code, (this.checks.get(code) ?? 0) + 1);
  }

  sawCell(cell: string): void {
    this.cells.set(cell, (this.cells.get(cell) ?? 0) + 1);
  }
}

/** Lets one event happen, checks every invariant and counts. */
export function advance(world: World, event: Event, census: Census): World {
  const after = happenOrTell(world, event);
  if (after === world) return world;
  census.transitions += 1;
  if (event.kind === 'OperatorPlans') census.passes += 1;
  const transition = { before: world, event, after };
  census.listener?.(transition);
  check(transition, census);
  census.sawState(after);
  return after;
}

/** A plan that throws is a violation like any other. */
function happenOrTell(world: World, event: Event): World {
  try {
    return happen(world, event);
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new ViolationError({ code: 'I10', name: 'the plan never throws', message }, world);
  }
}

function check(transition: Transition, census: Census): void {
  for (const invariant of census.judges) checkOne(invariant, transition, census);
}

function checkOne({ code, name, check: judge }: Invariant, transition: Transition, census: Census): void {
  const message = judge(transition);
  if (message === undefined) return;
  census.sawCheck(code);
  if (message !== HOLDS) throw new ViolationError({ code, name, message }, transition.after);
}

const MOST_ACTIONS = 200;

/** A whole pass without interruption, or its first actions and then death. */
export function wholePass(world: World, census: Census, diesAfter = Infinity): World {
  let next = advance(world, { kind: 'OperatorPlans' }, census);
  for (let acted = 0; next.operator.pass !== undefined; acted += 1) {
    if (acted >= diesAfter) return advance(next, { kind: 'OperatorDies' }, census);
    if (acted > MOST_ACTIONS) throw new Error('a pass does not end');
    next = advance(next, { kind: 'OperatorActs' }, census);
  }
  return next;
}
