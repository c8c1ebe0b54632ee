import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationMs, protobufDuration } from '../../../operator/api/duration.ts';
import { DURATION_PATTERN } from '../../../operator/api/schema.ts';

describe('a duration', () => {
  test.each([
    ['100ms', 100],
    ['1s', 1000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['1h30m', 5_400_000],
    ['1m30s500ms', 90_500],
    ['1.5s', 1500],
    ['0s', 0],
    ['1ms1m', 60_001],
  ])('of %s is %d ms', (text, milliseconds) => {
    expect(durationMs(text)).toBe(milliseconds);
  });

  test.each(['', '10', 's', '-1s', '1d', '1 s', '1s ', '1e3s', '.5s', '1s?'])('is not %o', (text) => {
    expect(() => durationMs(text)).toThrow(/is no duration such as 100ms/);
  });

  test('can be read wherever the API server lets it in', () => {
    fc.assert(
      fc.property(fc.stringMatching(new RegExp(DURATION_PATTERN)), (text) => {
        expect(durationMs(text)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('a duration in seconds for Istio', () => {
  test.each([
    [1000, '1s'],
    [1500, '1.5s'],
    [1, '0.001s'],
    [30_000, '30s'],
    [3_599_996_400_000, '3599996400s'],
  ])('of %d ms is %s', (milliseconds, text) => {
    expect(protobufDuration(milliseconds)).toBe(text);
  });

  test('stands for the same time, to the millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 86_400_000 }), (milliseconds) => {
        expect(durationMs(protobufDuration(milliseconds))).toBeCloseTo(milliseconds, 6);
      }),
    );
  });
});
