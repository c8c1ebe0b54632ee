import type { Tensor } from '../tensor/datatype.ts';

/** What the order of additions changes in one precision is below this; what another row changes is above it. */
const RELATIVE_TOLERANCE = 1e-3;
const ABSOLUTE_TOLERANCE = 1e-5;
/** Of the last bits of an FP16. */
const HALF_TOLERANCE = 8;

function areClose(left: number, right: number): boolean {
  if (Object.is(left, right) || left === right) return true;
  return Math.abs(left - right) <= ABSOLUTE_TOLERANCE + RELATIVE_TOLERANCE * Math.abs(right);
}

function sameElement(datatype: Tensor['datatype'], left: unknown, right: unknown): boolean {
  if (datatype === 'FP32' || datatype === 'FP64') return areClose(left as number, right as number);
  if (datatype === 'FP16') return Math.abs((left as number) - (right as number)) <= HALF_TOLERANCE;
  return left === right;
}

function sameTensor(left: Tensor, right: Tensor | undefined): boolean {
  if (right === undefined || left.shape.join() !== right.shape.join()) return false;
  return Array.from(left.data as ArrayLike<unknown>).every((element, index) =>
    sameElement(left.datatype, element, right.data[index]),
  );
}

/** Whether two answers of a model differ by nothing but rounding. */
export function isSameAnswer(left: readonly Tensor[], right: readonly Tensor[]): boolean {
  return left.length === right.length && left.every((tensor, index) => sameTensor(tensor, right[index]));
}
