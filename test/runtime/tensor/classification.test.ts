import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify, topPlaces } from '../../../runtime/tensor/classification.ts';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';

const scores: Tensor = {
  name: 'scores',
  datatype: 'FP32',
  shape: [2, 4],
  data: Float32Array.of(1, 5, 10, 4, 0.5, NaN, -1, 0.5),
};

describe('an output as classes', () => {
  it('names the highest values of each row with their places', () => {
    expect(classify(scores, 2)).toEqual({
      name: 'scores',
      datatype: 'BYTES',
      shape: [2, 2],
      data: ['10:2', '5:1', '0.5:0', '0.5:3'],
    });
  });

  it('has labels where they are known', () => {
    expect(classify(scores, 1, ['cat', 'dog', 'fish']).data).toEqual(['10:2:fish', '0.5:0:cat']);
  });

  it('has as many as there are where more are asked for', () => {
    expect(classify(scores, 9).shape).toEqual([2, 4]);
  });

  it('puts NaN last', () => {
    expect(classify(scores, 4).data).toContain('NaN:1');
    expect((classify(scores, 4).data as string[])[7]).toBe('NaN:1');
  });

  it('keeps whole numbers beyond a double as they are', () => {
    const tensor: Tensor = {
      name: 'n',
      datatype: 'INT64',
      shape: [2],
      data: BigInt64Array.of(1n, 2n ** 62n + 1n),
    };
    expect(classify(tensor, 1).data).toEqual(['4611686018427387905:1']);
  });

  it.each<Tensor>([
    { name: 'text', datatype: 'BYTES', shape: [1], data: ['a'] },
    { name: 'scalar', datatype: 'FP32', shape: [], data: Float32Array.of(1) },
    { name: 'flag', datatype: 'BOOL', shape: [1], data: Uint8Array.of(1) },
  ])('is refused for $name', (tensor) => {
    expect(() => classify(tensor, 1)).toThrow(`output '${tensor.name}': expected numbers`);
  });

  it('never leaves out a value above one that it names', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: 1 }),
        fc.integer({ min: 1, max: 20 }),
        (values, count) => {
          const named = topPlaces(Int32Array.from(values), { start: 0, size: values.length }, count);
          const lowest = Math.min(...named.map((place) => values[place] ?? NaN));
          const others = values.filter((_, place) => !named.includes(place));
          expect(others.every((value) => value <= lowest)).toBe(true);
          expect(new Set(named).size).toBe(Math.min(count, values.length));
        },
      ),
    );
  });
});
