import { elementAt, findDifference, formOf, type Tolerances } from '../tensor/closeness.ts';
import type { Tensor } from '../tensor/datatype.ts';

/** Those that ONNX' own backend tests have; FP16 has 11 bits. */
const onCpu: Tolerances = {
  FP16: { absolute: 1e-7, relative: 2e-2 },
  FP32: { absolute: 1e-7, relative: 1e-3 },
  FP64: { absolute: 1e-7, relative: 1e-3 },
};

/** NVIDIA's libraries multiply FP32 as TF32, of ten bits: an image classifier's probabilities came out 1e-3 off. */
const onDevice: Tolerances = { ...onCpu, FP32: { absolute: 2e-3, relative: 2e-2 } };

/** What is different, in words; undefined when nothing is. */
export function describeDifference(
  expected: Tensor,
  actual: Tensor | undefined,
  isOnDevice: boolean,
): string | undefined {
  const { name } = expected;
  if (actual === undefined) return `output '${name}' is missing`;
  const [wanted, got] = [formOf(expected), formOf(actual)];
  if (wanted !== got) return `output '${name}': expected ${wanted}, got ${got}`;
  const index = findDifference(expected, actual, isOnDevice ? onDevice : onCpu);
  if (index === undefined) return undefined;
  const [left, right] = [elementAt(expected, index), elementAt(actual, index)];
  return `output '${name}', element ${index}: expected ${String(left)}, got ${String(right)}`;
}
