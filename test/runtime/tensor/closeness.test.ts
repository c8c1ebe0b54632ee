import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findDifference, isClose, type Tolerances } from '../../../runtime/tensor/closeness.ts';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';

const within = { absolute: 0.01, relative: 0.1 };
const tolerances: Tolerances = { FP16: within, FP32: within, FP64: within };

function halves(...bits: number[]): Tensor {
  return { name: 'y', datatype: 'FP16', shape: [bits.length], data: Uint16Array.from(bits) };
}

describe('two numbers', () => {
  it.each([
    [0, 0.01, true],
    [0, 0.011, false],
    [10, 11, true],
    [-10, -11, true],
    [10, 11.1, false],
    [0, -0, true],
    [NaN, NaN, true],
    [NaN, 1, false],
    [1, NaN, false],
    [Infinity, Infinity, true],
    [Infinity, -Infinity, false],
    [Infinity, 1e300, false],
    [1e300, Infinity, false],
  ])('of which %d was expected and %d came are close: %s', (expected, actual, are) => {
    expect(isClose(expected, actual, within)).toBe(are);
  });
});

describe('the first difference of two tensors', () => {
  it('is none between a tensor and itself, whatever it holds', () => {
    fc.assert(
      fc.property(fc.float64Array(), (data) => {
        const elements = { datatype: 'FP64', data } as const;
        expect(findDifference(elements, elements, {})).toBeUndefined();
      }),
    );
  });

  it.each<[string, Pick<Tensor, 'datatype' | 'data'>, Tensor['data'], number | undefined]>([
    ['a float', { datatype: 'FP32', data: Float32Array.of(1, 2) }, Float32Array.of(1.05, 3), 1],
    ['an integer, however near', { datatype: 'INT32', data: Int32Array.of(100) }, Int32Array.of(101), 0],
    ['a large integer', { datatype: 'INT64', data: BigInt64Array.of(2n ** 60n) }, BigInt64Array.of(0n), 0],
    ['a text', { datatype: 'BYTES', data: ['cat', 'dog'] }, ['cat', 'cow'], 1],
    ['what is missing', { datatype: 'FP32', data: Float32Array.of(0, 0) }, Float32Array.of(0), 1],
  ])('is %s', (_name, expected, data, index) => {
    expect(findDifference(expected, { datatype: expected.datatype, data }, tolerances)).toBe(index);
  });

  it.each([
    ['1 and 1.05', [0x3c00], [0x3c33], undefined],
    ['1 and 1.5', [0x3c00], [0x3e00], 0],
    ['zeros of both signs', [0x0000], [0x8000], undefined],
    ['the largest number and infinity', [0x7bff], [0x7c00], 0],
    ['NaN in other bits', [0x7e00], [0xfe01], undefined],
  ])('of FP16 is that of the numbers, not of their bits: %s', (_name, expected, actual, index) => {
    expect(findDifference(halves(...expected), halves(...actual), tolerances)).toBe(index);
  });
});
