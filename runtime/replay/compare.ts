import { elementAt, findDifference, formOf } from '../tensor/closeness.ts';
import type { Tensor } from '../tensor/datatype.ts';
import type { RecordedOutput } from './recorded.ts';

export interface OutputComparison {
  readonly name: string;
  readonly agrees: boolean;
  /** Of numbers; undefined for texts, and for outputs that have another form. */
  readonly largestDifference: number | undefined;
}

type Elements = Pick<Tensor, 'datatype' | 'data'>;

function findLargestDifference(expected: Elements, actual: Elements): number | undefined {
  if (expected.datatype === 'BYTES') return undefined;
  let largest = 0;
  for (let index = 0; index < expected.data.length; index++) {
    const [left, right] = [elementAt(expected, index), elementAt(actual, index)];
    if (left === right) continue;
    const difference = Math.abs(Number(left) - Number(right));
    if (difference > largest) largest = difference;
  }
  return largest;
}

/** Numbers agree within `tolerance` and as much of their size; whole numbers and texts when they are equal. */
export function compareOutput(
  { tensor, values }: RecordedOutput,
  actual: Tensor | undefined,
  tolerance: number,
): OutputComparison {
  const { name, datatype } = tensor;
  if (actual === undefined || formOf(actual) !== formOf(tensor)) {
    return { name, agrees: false, largestDifference: undefined };
  }
  const within = { absolute: tolerance, relative: tolerance };
  // Values may be fewer than the tensor has.
  const expected = { datatype, data: values };
  return {
    name,
    agrees: findDifference(expected, actual, { FP16: within, FP32: within, FP64: within }) === undefined,
    largestDifference: findLargestDifference(expected, actual),
  };
}
