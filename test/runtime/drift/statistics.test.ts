import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  groupForPsi,
  kolmogorovSmirnov,
  kolmogorovSurvival,
  populationStabilityIndex,
  totalOf,
} from '../../../runtime/drift/statistics.ts';

// 400 and 300 values in 20 bins; all expected figures are those of SciPy 1.17.1.
const left = [19, 15, 18, 16, 17, 17, 21, 29, 20, 20, 20, 21, 25, 21, 19, 27, 24, 10, 16, 25];
const right = [29, 20, 15, 9, 23, 10, 16, 20, 18, 14, 10, 16, 17, 11, 19, 10, 10, 13, 9, 11];

const histogram = fc
  .array(fc.nat(1000), { minLength: 5, maxLength: 5 })
  .filter((counts) => totalOf(counts) > 0);

describe("Kolmogorov's distribution", () => {
  it.each([
    // scipy.special.kolmogorov
    [0.2, 0.999999999999495],
    [0.5, 0.9639452436648751],
    [0.8, 0.5441424115741981],
    [1, 0.26999967167735456],
    [1.36, 0.049485876755377876],
    [1.63, 0.009846364888486529],
    [2, 0.0006709252557796953],
    [3, 3.045995948942526e-8],
  ])('is at %d what SciPy says', (lambda, expected) => {
    expect(kolmogorovSurvival(lambda)).toBeCloseTo(expected, 11);
  });

  it('is 1 at 0 and never rises', () => {
    expect(kolmogorovSurvival(0)).toBe(1);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 4, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (lambda, more) => {
          expect(kolmogorovSurvival(lambda + more)).toBeLessThanOrEqual(kolmogorovSurvival(lambda) + 1e-11);
        },
      ),
    );
  });
});

describe('the Kolmogorov-Smirnov test of binned values', () => {
  it("has the statistic of SciPy's ks_2samp, and its asymptotic p-value", () => {
    const result = kolmogorovSmirnov(left, right);
    expect(result?.statistic).toBeCloseTo(0.1075, 12);
    // scipy.special.kolmogorov(sqrt(400 · 300 / 700) · 0.1075)
    expect(result?.pValue).toBeCloseTo(0.038044355125921865, 11);
  });

  it('is 0 for equal distributions, of whatever size, and alike both ways round', () => {
    fc.assert(
      fc.property(histogram, histogram, fc.integer({ min: 1, max: 50 }), (one, other, times) => {
        expect(
          kolmogorovSmirnov(
            one,
            one.map((count) => count * times),
          )?.statistic,
        ).toBeCloseTo(0, 12);
        expect(kolmogorovSmirnov(one, other)).toEqual(kolmogorovSmirnov(other, one));
        const statistic = kolmogorovSmirnov(one, other)?.statistic ?? -1;
        expect(statistic).toBeGreaterThanOrEqual(0);
        expect(statistic).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
  });

  it('is 1 where nothing is shared, and says nothing of nothing', () => {
    expect(kolmogorovSmirnov([5, 0], [0, 7])?.statistic).toBe(1);
    expect(kolmogorovSmirnov([0, 0], [0, 7])).toBeUndefined();
  });
});

describe('the population stability index', () => {
  it('is what SciPy computes', () => {
    // sum(rel_entr(a, e) + rel_entr(e, a)) of the shares
    expect(populationStabilityIndex(left, right)).toBeCloseTo(0.1641594539693051, 12);
  });

  it('is 0 for equal shares, never negative, and finite for empty bins', () => {
    fc.assert(
      fc.property(histogram, histogram, (one, other) => {
        expect(
          populationStabilityIndex(
            one,
            one.map((count) => count * 3),
          ),
        ).toBeCloseTo(0, 12);
        const index = populationStabilityIndex(one, other) ?? NaN;
        expect(index).toBeGreaterThanOrEqual(-1e-12);
        expect(Number.isFinite(index)).toBe(true);
      }),
    );
    expect(populationStabilityIndex([0, 0], [1, 1])).toBeUndefined();
  });

  it('is taken over at most ten groups, in which nothing is lost', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 80 }), fc.nat(), (expected, seed) => {
        const actual = expected.map((count, index) => (count * seed + index) % 97);
        const groups = groupForPsi(expected, actual);
        expect(totalOf(groups.expected)).toBe(totalOf(expected));
        expect(totalOf(groups.actual)).toBe(totalOf(actual));
        expect(groups.expected.length).toBeLessThanOrEqual(11);
      }),
    );
  });
});
