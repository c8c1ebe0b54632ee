import { describe, expect, it } from 'vitest';
import { TensorFeatures } from '../../../runtime/drift/tensor-features.ts';
import { floats } from '../../support/journey.ts';

const settings = { learnValues: 100, windowMs: 600_000 };

describe('the features of a tensor', () => {
  it('are its columns, whatever the number of rows', () => {
    const tensor = floats('X', [1, 10, 2, 20, 3, 30], [3, 2]);
    const features = new TensorFeatures(tensor, settings);
    features.observe(tensor, 0);
    features.observe(floats('X', [4, 40], [1, 2]), 0);
    expect(features.report(0)).toMatchObject([
      { tensor: 'X', feature: '0', values: 4 },
      { tensor: 'X', feature: '1', values: 4 },
    ]);
  });

  it.each([
    ['64 of a wide row', floats('X', new Array<number>(500).fill(1)), 64, 1],
    ['32 of many rows', floats('X', new Array<number>(10_000).fill(1), [10_000, 1]), 1, 32],
    [
      'one of an image, of which 64 values are looked at',
      floats('X', new Array<number>(12_288).fill(1), [1, 3, 64, 64]),
      1,
      64,
    ],
    ['one of a list of labels', floats('X', [1, 2, 3], [3]), 1, 3],
  ])('are bounded: %s', (_name, tensor, count, values) => {
    const features = new TensorFeatures(tensor, settings);
    features.observe(tensor, 0);
    const reports = features.report(0);
    expect(reports).toHaveLength(count);
    expect(reports[0]?.values).toBeLessThanOrEqual(values);
    expect(reports[0]?.values).toBeGreaterThanOrEqual(values / 2);
  });

  it('leave out requests of another width, which would mix columns up', () => {
    const features = new TensorFeatures(floats('X', [1, 2]), settings);
    features.observe(floats('X', [1, 2, 3]), 0);
    expect(features.report(0)[0]?.values).toBe(0);
  });
});
