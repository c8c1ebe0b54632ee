import { findDifference, formOf, type Tolerances } from '../tensor/closeness.ts';
import type { Tensor } from '../tensor/datatype.ts';

/** What the order of additions changes in one precision is below these; what another row changes is above them. */
const onCpu: Tolerances = {
  FP16: { absolute: 1e-5, relative: 5e-3 },
  FP32: { absolute: 1e-5, relative: 1e-3 },
  FP64: { absolute: 1e-5, relative: 1e-3 },
};

/**
 * NVIDIA's libraries multiply FP32 as TF32, whose fraction has the ten bits of FP16's, and take another way for another
 * number of rows. https://blogs.nvidia.com/blog/tensorfloat-32-precision-format/
 */
const onDevice: Tolerances = { ...onCpu, FP32: { absolute: 1e-4, relative: 5e-3 } };

function isSameTensor(expected: Tensor, actual: Tensor | undefined, tolerances: Tolerances): boolean {
  if (actual === undefined || formOf(expected) !== formOf(actual)) return false;
  return findDifference(expected, actual, tolerances) === undefined;
}

/** Whether two answers of a model differ by nothing but rounding. */
export function isSameAnswer(
  expected: readonly Tensor[],
  actual: readonly Tensor[],
  isOnDevice: boolean,
): boolean {
  const tolerances = isOnDevice ? onDevice : onCpu;
  return (
    expected.length === actual.length &&
    expected.every((tensor, index) => isSameTensor(tensor, actual[index], tolerances))
  );
}
