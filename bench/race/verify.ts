import type { Outputs } from '../wire/wire.ts';

/** Absolute, or relative to the value for values beyond one: a server that rounds its JSON is found out. */
const TOLERANCE = 1e-4;

/** What is wrong with an answer, or undefined when it is the reference's. */
export function differenceOf(answer: Outputs, reference: Outputs): string | undefined {
  for (const [name, expected] of reference) {
    const got = answer.get(name);
    if (got === undefined) return `output '${name}' is missing`;
    if (got.length !== expected.length)
      return `output '${name}' has ${got.length} numbers instead of ${expected.length}`;
    const index = expected.findIndex((value, position) => !isClose(got[position] ?? NaN, value));
    if (index >= 0) return `output '${name}' has ${got[index] ?? NaN} instead of ${expected[index] ?? NaN}`;
  }
  return undefined;
}

function isClose(value: number, expected: number): boolean {
  return Math.abs(value - expected) <= TOLERANCE * Math.max(1, Math.abs(expected));
}
