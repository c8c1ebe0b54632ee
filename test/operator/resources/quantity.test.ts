import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sameQuantity } from '../../../operator/resources/quantity.ts';

describe('two quantities', () => {
  test.each([
    ['1000m', '1'],
    ['1024Mi', '1Gi'],
    ['1.5', '1500m'],
    ['0.5Gi', '512Mi'],
    ['1e3', '1k'],
    ['1E', '1000P'],
    ['60000', '60k'],
    ['+1', '1'],
    ['1.', '1'],
    ['.5', '500m'],
    ['-0', '0'],
    ['100u', '100000n'],
    ['1e-3', '1m'],
    ['12E2', '1200'],
  ])('%s and %s are the same', (left, right) => {
    expect(sameQuantity(left, right)).toBe(true);
  });

  test.each([
    ['1G', '1Gi'],
    ['1', '-1'],
    ['1m', '1M'],
    ['1', '1n'],
    ['1', ''],
    ['one', 'one'],
    ['.', '0'],
    ['1GB', '1G'],
  ])('%s and %s are not', (left, right) => {
    expect(sameQuantity(left, right)).toBe(false);
  });

  test('of the same number of thousandths are the same, however they are written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000 }), (thousandths) => {
        expect(sameQuantity(`${thousandths}m`, (thousandths / 1000).toFixed(3))).toBe(true);
        expect(sameQuantity(`${thousandths}m`, `${thousandths + 1}m`)).toBe(false);
      }),
    );
  });
});
