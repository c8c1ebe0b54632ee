import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';
import { digestTensors } from '../../../runtime/tensor/digest.ts';

const tensor: Tensor = { name: 'x', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 2) };
const text: Tensor = { name: 'x', datatype: 'BYTES', shape: [2], data: ['ab', 'c'] };

describe('the digest of tensors', () => {
  it('is the same for the same values, wherever they lie in memory', () => {
    fc.assert(
      fc.property(fc.array(fc.float()), fc.nat({ max: 5 }), (values, offset) => {
        const moved = new Float32Array(values.length + offset);
        moved.set(values, offset);
        const shape = [values.length];
        const here: Tensor = { ...tensor, shape, data: Float32Array.from(values) };
        const there: Tensor = { ...tensor, shape, data: moved.subarray(offset) };
        expect(digestTensors([here])).toBe(digestTensors([there]));
      }),
    );
  });

  it('is another one for every other value, sign, shape, datatype, name, number of tensors, text and context', () => {
    const digests = [
      digestTensors([tensor]),
      digestTensors([text]),
      digestTensors([tensor], ['label']),
      digestTensors([{ ...tensor, data: Float32Array.of(1, 3) }]),
      digestTensors([{ ...tensor, data: Float32Array.of(-1, 2) }]),
      digestTensors([{ ...tensor, shape: [2, 1] }]),
      digestTensors([{ ...tensor, datatype: 'INT32', data: Int32Array.of(0x3f800000, 0x40000000) }]),
      digestTensors([{ ...tensor, name: 'y' }]),
      digestTensors([tensor, tensor]),
      digestTensors([{ ...text, data: ['a', 'bc'] }]),
      digestTensors([tensor], ['la', 'bel']),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });
});
