import type { Dice } from '../support/dice.ts';
import { FAULT_NAMES, type FaultName } from './faults.ts';
import { usualEvent, type Moment } from './moments.ts';
import { randomMove } from './moves.ts';
import type { Census } from './simulation.ts';
import { Tale } from './tale.ts';
import { leave } from './ways-out.ts';

interface Sweep {
  readonly dice: Dice;
  readonly census: Census;
  /** How far after the moment each fault happens. */
  readonly point: number;
}

const TURNS_BETWEEN_POINTS = 3;
const LONGEST_WAIT_TURNS = 40;
const MOVES_AFTERWARDS = 12;
const SHARE_OF_WAYS_OUT = 0.15;

/**
 * Every fault, at this moment or a little after it, in every other round on top of another one; then a little
 * disorder; then everything gets well.
 */
export function sweep(moment: Moment, { dice, census, point }: Sweep): void {
  for (const name of FAULT_NAMES) {
    const tale = new Tale(moment, census);
    if (point % 2 === 1) sufferOne(tale, dice.pick(FAULT_NAMES), dice);
    goOn(tale, Math.floor(point / 2) * TURNS_BETWEEN_POINTS + dice.below(TURNS_BETWEEN_POINTS));
    waitFor(tale, name, dice);
    if (!sufferOne(tale, name, dice)) continue;
    for (let move = 0; move < MOVES_AFTERWARDS; move += 1) {
      const next = randomMove(tale.world, dice);
      if (next !== undefined) tale.let(next);
    }
    if (dice.next() < SHARE_OF_WAYS_OUT) leave(tale.fork(), dice);
    tale.rest();
  }
}

function goOn(tale: Tale, turns: number): void {
  for (let turn = 0; turn < turns; turn += 1) tale.let(usualEvent(tale.world, turn));
}

/** A write can only fail while one is made; where all is at rest, somebody first has to give a reason for one. */
function waitFor(tale: Tale, name: FaultName, dice: Dice): void {
  for (let turn = 0; turn < LONGEST_WAIT_TURNS && tale.faultsOf(name).length === 0; turn += 1) {
    if (turn === LONGEST_WAIT_TURNS / 2) sufferOne(tale, 'a child is deleted by hand', dice);
    tale.let(usualEvent(tale.world, turn));
  }
}

const TRIALS = 3;

/** Lets a fault of this kind happen, where it can; some, such as an edit to what is there already, change nothing. */
export function sufferOne(tale: Tale, name: FaultName | undefined, dice: Dice): boolean {
  for (let trial = 0; trial < TRIALS && name !== undefined; trial += 1) {
    const event = dice.pick(tale.faultsOf(name));
    if (event !== undefined && tale.suffer(name, event)) return true;
  }
  return false;
}
