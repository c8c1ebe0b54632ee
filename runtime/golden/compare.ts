import type { Tensor } from '../tensor/datatype.ts';

/** The tolerances that ONNX' own backend tests have. */
const RELATIVE = 1e-3;
const ABSOLUTE = 1e-7;
/** FP16 has 11 bits. */
const HALF_RELATIVE = 2e-2;

function toHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function valueAt({ datatype, data }: Tensor, index: number): number | bigint | string | undefined {
  const value = data[index];
  return datatype === 'FP16' && typeof value === 'number' ? toHalf(value) : value;
}

function isClose(expected: Tensor, actual: Tensor, index: number): boolean {
  const [left, right] = [valueAt(expected, index), valueAt(actual, index)];
  if (Object.is(left, right) || left === right) return true;
  const isFloat = ['FP16', 'FP32', 'FP64'].includes(expected.datatype);
  if (!isFloat || typeof left !== 'number' || typeof right !== 'number') return false;
  const relative = expected.datatype === 'FP16' ? HALF_RELATIVE : RELATIVE;
  return Math.abs(left - right) <= ABSOLUTE + relative * Math.abs(left);
}

/** What is different, in words; undefined when nothing is. */
export function describeDifference(expected: Tensor, actual: Tensor | undefined): string | undefined {
  const { name, datatype, shape } = expected;
  if (actual === undefined) return `output '${name}' is missing`;
  const wanted = `${datatype}[${shape.join(',')}]`;
  const got = `${actual.datatype}[${actual.shape.join(',')}]`;
  if (wanted !== got) return `output '${name}': expected ${wanted}, got ${got}`;
  for (let index = 0; index < expected.data.length; index++) {
    if (isClose(expected, actual, index)) continue;
    const [left, right] = [valueAt(expected, index), valueAt(actual, index)];
    return `output '${name}', element ${index}: expected ${String(left)}, got ${String(right)}`;
  }
  return undefined;
}
