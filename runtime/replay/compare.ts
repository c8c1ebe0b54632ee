import type { Tensor, TensorData } from '../tensor/datatype.ts';
import type { RecordedOutput } from './recorded.ts';

export interface OutputComparison {
  readonly name: string;
  readonly agrees: boolean;
  /** Of numbers; undefined for texts, and for outputs that have another form. */
  readonly largestDifference: number | undefined;
}

function isAlike(left: number, right: number, tolerance: number): boolean {
  if (Object.is(left, right) || left === right) return true;
  return Math.abs(left - right) <= tolerance * Math.max(1, Math.abs(left), Math.abs(right));
}

function toNumber(value: number | bigint): number {
  return typeof value === 'bigint' ? Number(value) : value;
}

function compareNumbers(
  expected: TensorData,
  actual: TensorData,
  tolerance: number,
): Omit<OutputComparison, 'name'> {
  let agrees = true;
  let largestDifference = 0;
  for (let index = 0; index < expected.length; index++) {
    const left = expected[index] as number | bigint;
    const right = actual[index] as number | bigint;
    if (left === right) continue;
    const difference = Math.abs(toNumber(left) - toNumber(right));
    if (difference > largestDifference) largestDifference = difference;
    agrees &&= isAlike(toNumber(left), toNumber(right), tolerance);
  }
  return { agrees, largestDifference };
}

/** Numbers agree within `tolerance`, of their size where that is above 1; whole numbers and texts when they are equal. */
export function compareOutput(
  { tensor, values }: RecordedOutput,
  actual: Tensor | undefined,
  tolerance: number,
): OutputComparison {
  const { name, datatype, shape } = tensor;
  const hasForm = actual?.datatype === datatype && actual.shape.join() === shape.join();
  if (actual === undefined || !hasForm) return { name, agrees: false, largestDifference: undefined };
  if (Array.isArray(values)) {
    const texts = actual.data as string[];
    return {
      name,
      agrees: values.every((text, index) => text === texts[index]),
      largestDifference: undefined,
    };
  }
  const isReal = datatype === 'FP32' || datatype === 'FP64';
  return { name, ...compareNumbers(values, actual.data, isReal ? tolerance : 0) };
}
