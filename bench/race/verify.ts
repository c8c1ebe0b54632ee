import { isClose, type Tolerance } from '../../runtime/tensor/closeness.ts';
import type { Outputs } from '../wire/wire.ts';

/** A server that rounds its JSON is found out. */
const tolerance: Tolerance = { absolute: 1e-4, relative: 1e-4 };

/** What is wrong with an answer, or undefined when it is the reference's. */
export function differenceOf(answer: Outputs, reference: Outputs): string | undefined {
  for (const [name, expected] of reference) {
    const got = answer.get(name);
    if (got === undefined) return `output '${name}' is missing`;
    if (got.length !== expected.length)
      return `output '${name}' has ${got.length} numbers instead of ${expected.length}`;
    const index = expected.findIndex((value, position) => !isClose(value, got[position] ?? NaN, tolerance));
    if (index >= 0) return `output '${name}' has ${got[index] ?? NaN} instead of ${expected[index] ?? NaN}`;
  }
  return undefined;
}
