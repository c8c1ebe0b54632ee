import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareOutput, type OutputComparison } from '../../../runtime/replay/compare.ts';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';
import { floats, integers } from '../../support/journey.ts';

function compare(expected: Tensor, actual: Tensor | undefined, tolerance = 0.01): OutputComparison {
  const { data, ...tensor } = expected;
  return compareOutput({ tensor, values: data }, actual, tolerance);
}

function texts(data: string[]): Tensor {
  return { name: 'label', datatype: 'BYTES', shape: [data.length], data };
}

describe('a recorded output and the one of now', () => {
  it.each<{
    name: string;
    pair: [Tensor, Tensor | undefined];
    agrees: boolean;
    largestDifference: number | undefined;
  }>([
    {
      name: 'equal numbers',
      pair: [floats('y', [1, 2]), floats('y', [1, 2])],
      agrees: true,
      largestDifference: 0,
    },
    {
      name: 'numbers within the tolerance',
      pair: [floats('y', [0.5]), floats('y', [0.5078125])],
      agrees: true,
      largestDifference: 0.0078125,
    },
    {
      name: 'large numbers within it for their size',
      pair: [floats('y', [1024]), floats('y', [1032])],
      agrees: true,
      largestDifference: 8,
    },
    {
      name: 'numbers beyond it',
      pair: [floats('y', [0.5]), floats('y', [0.75])],
      agrees: false,
      largestDifference: 0.25,
    },
    {
      name: 'NaN and NaN',
      pair: [floats('y', [NaN]), floats('y', [NaN])],
      agrees: true,
      largestDifference: 0,
    },
    {
      name: 'NaN and a number',
      pair: [floats('y', [NaN]), floats('y', [1])],
      agrees: false,
      largestDifference: 0,
    },
    {
      name: 'infinities of one sign',
      pair: [floats('y', [Infinity]), floats('y', [Infinity])],
      agrees: true,
      largestDifference: 0,
    },
    {
      name: 'an infinity and a number',
      pair: [floats('y', [Infinity]), floats('y', [1])],
      agrees: false,
      largestDifference: Infinity,
    },
    {
      name: 'classes that differ, however near',
      pair: [integers('y', [1]), integers('y', [2])],
      agrees: false,
      largestDifference: 1,
    },
    {
      name: 'equal texts',
      pair: [texts(['cat']), texts(['cat'])],
      agrees: true,
      largestDifference: undefined,
    },
    {
      name: 'other texts',
      pair: [texts(['cat']), texts(['dog'])],
      agrees: false,
      largestDifference: undefined,
    },
    {
      name: 'another shape',
      pair: [floats('y', [1, 2]), floats('y', [1, 2], [2, 1])],
      agrees: false,
      largestDifference: undefined,
    },
    {
      name: 'another datatype',
      pair: [floats('y', [1], [1]), integers('y', [1])],
      agrees: false,
      largestDifference: undefined,
    },
    { name: 'nothing', pair: [floats('y', [1]), undefined], agrees: false, largestDifference: undefined },
  ])('of $name', ({ pair: [expected, actual], agrees, largestDifference }) => {
    expect(compare(expected, actual)).toMatchObject({ agrees, largestDifference });
  });

  it('agree with themselves at no tolerance at all, whatever they hold', () => {
    fc.assert(
      fc.property(fc.float32Array(), (data) => {
        const tensor: Tensor = { name: 'y', datatype: 'FP32', shape: [data.length], data };
        expect(compare(tensor, tensor, 0).agrees).toBe(true);
      }),
    );
  });

  it('agree as classes when they are equal alone, whatever the tolerance', () => {
    expect(compare(integers('y', [1]), integers('y', [2]), 10).agrees).toBe(false);
    expect(compare(floats('y', [1]), floats('y', [2]), 10).agrees).toBe(true);
  });

  it('agree as far as the recorded one goes, where it was cut', () => {
    const recorded = {
      tensor: { name: 'y', datatype: 'FP32', shape: [1, 3] },
      values: Float32Array.of(1, 2),
    } as const;
    expect(compareOutput(recorded, floats('y', [1, 2, 99]), 0).agrees).toBe(true);
    expect(compareOutput(recorded, floats('y', [1, 3, 99]), 0).agrees).toBe(false);
  });
});
