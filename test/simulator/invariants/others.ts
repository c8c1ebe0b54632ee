import { keyOf, live } from '../world.ts';
import { isStranger, othersIn } from '../others.ts';
import { actionOf, HOLDS, type Invariant, type Transition } from './invariant.ts';

/** What is not the operator's (I5). */
export const othersInvariants: readonly Invariant[] = [
  { code: 'I5', name: 'fields of others survive every write', check: fieldsSurvive },
  { code: 'I5', name: 'no field of others is applied as if it were ours', check: claimsNothing },
  { code: 'I5', name: 'an object of others is neither taken over nor deleted', check: leavesStrangers },
];

function fieldsSurvive(transition: Transition): string | undefined {
  const action = actionOf(transition);
  if (action?.kind !== 'Apply') return undefined;
  const key = keyOf(action.object);
  const before = live(transition.before, key);
  const after = live(transition.after, key);
  if (before === undefined || after === undefined || isStranger(before)) return undefined;
  const left = othersIn(after);
  const lost = othersIn(before).find((field) => !left.includes(field));
  if (lost !== undefined) return `${key} loses ${lost} of somebody else`;
  return statusOf(before) === statusOf(after) ? HOLDS : `${key} loses its status`;
}

function statusOf(object: object): unknown {
  return 'status' in object ? object.status : undefined;
}

function claimsNothing(transition: Transition): string | undefined {
  const action = actionOf(transition);
  if (action?.kind !== 'Apply') return undefined;
  const [claimed] = othersIn(action.object);
  return claimed === undefined
    ? HOLDS
    : `${keyOf(action.object)} is applied with ${claimed} of somebody else`;
}

function leavesStrangers({ before, event, after }: Transition): string | undefined {
  const { pass } = before.operator;
  if ((event.kind !== 'OperatorActs' && event.kind !== 'WriteFails') || pass === undefined) return undefined;
  const strangers = [...before.objects].filter(([, { versions }]) => isStranger(versions[0]));
  if (strangers.length === 0) return undefined;
  const touched = strangers.find(([key, { versions }]) => live(after, key) !== versions[0]);
  return touched === undefined ? HOLDS : `${touched[0]} is somebody else's and was written`;
}
