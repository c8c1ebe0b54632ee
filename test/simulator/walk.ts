import type { Dice } from '../support/dice.ts';
import type { Event } from './environment.ts';
import { FAULT_NAMES, recoveries } from './faults.ts';
import type { Moment } from './moments.ts';
import { randomMove } from './moves.ts';
import { healingEvents } from './settle.ts';
import type { Census } from './simulation.ts';
import { sufferOne } from './sweep.ts';
import { Tale } from './tale.ts';
import type { World } from './world.ts';

/** How likely the next event is a fault, or the end of one. */
const FAULT_SHARE = 0.06;
const RECOVERY_SHARE = 0.06;

/** Anything, in any order, from a moment on; then everything gets well. */
export function walk(
  moment: Moment,
  dice: Dice,
  { steps, census }: { readonly steps: number; readonly census: Census },
): void {
  const tale = new Tale(moment, census);
  for (let step = 0; step < steps; step += 1) stepOf(tale, dice);
  tale.rest();
}

function stepOf(tale: Tale, dice: Dice): void {
  const luck = dice.next();
  if (luck < FAULT_SHARE) {
    sufferOne(tale, dice.pick(FAULT_NAMES), dice);
    return;
  }
  const isRecovery = luck < FAULT_SHARE + RECOVERY_SHARE;
  const event = isRecovery ? dice.pick(allRecoveries(tale.world)) : randomMove(tale.world, dice);
  if (event !== undefined) tale.let(event);
}

function allRecoveries(world: World): readonly Event[] {
  return [...healingEvents(world), ...recoveries(world)];
}
