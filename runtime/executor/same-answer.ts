import { findDifference, formOf, type Tolerances } from '../tensor/closeness.ts';
import type { Tensor } from '../tensor/datatype.ts';

/** What the order of additions changes in one precision is below these; what another row changes is above them. */
const tolerances: Tolerances = {
  FP16: { absolute: 1e-5, relative: 5e-3 },
  FP32: { absolute: 1e-5, relative: 1e-3 },
  FP64: { absolute: 1e-5, relative: 1e-3 },
};

function isSameTensor(expected: Tensor, actual: Tensor | undefined): boolean {
  if (actual === undefined || formOf(expected) !== formOf(actual)) return false;
  return findDifference(expected, actual, tolerances) === undefined;
}

/** Whether two answers of a model differ by nothing but rounding. */
export function isSameAnswer(expected: readonly Tensor[], actual: readonly Tensor[]): boolean {
  return (
    expected.length === actual.length &&
    expected.every((tensor, index) => isSameTensor(tensor, actual[index]))
  );
}
