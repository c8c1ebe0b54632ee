import { usualEvent, type Moment } from './moments.ts';
import type { Census } from './simulation.ts';
import { Tale } from './tale.ts';

const LAST_TURN = 45;

/** The operator dies after each single event of the usual course from a moment on: the world ends the same (I10). */
export function restartEverywhere(moment: Moment, census: Census): void {
  const undisturbed = new Tale(moment, census).rest();
  const usual = new Tale(moment, census);
  for (let turn = 0; turn < LAST_TURN; turn += 1) {
    if (!usual.let(usualEvent(usual.world, turn))) continue;
    const tale = new Tale({ ...moment, events: usual.events, world: usual.world }, census);
    tale.suffer('the operator dies', { kind: 'OperatorDies' });
    const end = tale.rest();
    census.sawCheck('I10');
    if (end !== undisturbed) {
      const message = `it ends as ${end}, without the death as ${undisturbed}`;
      tale.condemn({ code: 'I10', name: 'a death anywhere ends in the same world', message });
    }
  }
}
