import type { Datatype, Tensor } from './datatype.ts';

/** How far a number may lie from the expected one: so much, and so much of the size of the expected one. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** What has none is equal or not. */
export type Tolerances = Readonly<Partial<Record<Datatype, Tolerance>>>;

const EXACT: Tolerance = { absolute: 0, relative: 0 };

type Elements = Pick<Tensor, 'datatype' | 'data'>;

/** NaN is close to NaN, and an infinite number to itself alone. */
export function isClose(expected: number, actual: number, { absolute, relative }: Tolerance): boolean {
  if (expected === actual || Object.is(expected, actual)) return true;
  if (!Number.isFinite(expected)) return false;
  return Math.abs(expected - actual) <= absolute + relative * Math.abs(expected);
}

/** The element as the value that it means; undefined beyond the end. */
export function elementAt({ datatype, data }: Elements, index: number): number | bigint | string | undefined {
  const element = data[index];
  return datatype === 'FP16' && typeof element === 'number' ? toNumber(element) : element;
}

/** The place of the first element that is not as expected; undefined when all are. Pre: of one datatype. */
export function findDifference(
  expected: Elements,
  actual: Elements,
  tolerances: Tolerances,
): number | undefined {
  const tolerance = tolerances[expected.datatype] ?? EXACT;
  for (let index = 0; index < expected.data.length; index++) {
    const [left, right] = [elementAt(expected, index), elementAt(actual, index)];
    if (left === right) continue;
    const areNumbers = typeof left === 'number' && typeof right === 'number';
    if (!areNumbers || !isClose(left, right, tolerance)) return index;
  }
  return undefined;
}

/** Such as FP32[1,3]. */
export function formOf({ datatype, shape }: Pick<Tensor, 'datatype' | 'shape'>): string {
  return `${datatype}[${shape.join(',')}]`;
}

/** Of the bits of an FP16. */
function toNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
