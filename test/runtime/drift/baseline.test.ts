import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  binOf,
  learnCategories,
  learnNumeric,
  mergeBaselines,
  type NumericBaseline,
} from '../../../runtime/drift/baseline.ts';

const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
const numbers = fc.array(number, { minLength: 1, maxLength: 300 });

/** The values counted into the bins of a baseline. */
function countInto({ edges }: NumericBaseline, values: readonly number[]): NumericBaseline {
  const counts = new Array<number>(edges.length + 1).fill(0);
  for (const value of values) (counts[binOf(edges, value)] as number)++;
  return { kind: 'Numeric', edges, counts, min: Math.min(...values), max: Math.max(...values) };
}

describe('a learned baseline', () => {
  it('has rising edges, counts every value once, and nothing above its largest', () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const { edges, counts, min, max } = learnNumeric(values);
        expect(counts).toHaveLength(edges.length + 1);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(values.length);
        expect(counts.at(-1)).toBe(0);
        expect(edges.every((edge, index) => index === 0 || edge > (edges[index - 1] ?? edge))).toBe(true);
        expect([min, max]).toEqual([Math.min(...values), Math.max(...values)]);
      }),
    );
  });

  it('adds up with others over the same bins, in any order, to that of all values', () => {
    fc.assert(
      fc.property(numbers, numbers, numbers, numbers, (first, ...others) => {
        const bins = learnNumeric(first);
        const [a, b, c] = others.map((values) => countInto(bins, values));
        if (a === undefined || b === undefined || c === undefined) throw new Error('three were made');
        expect(mergeBaselines(a, b)).toEqual(mergeBaselines(b, a));
        expect(mergeBaselines(mergeBaselines(a, b), c)).toEqual(mergeBaselines(a, mergeBaselines(b, c)));
        expect(mergeBaselines(a, mergeBaselines(b, c))).toEqual(countInto(bins, others.flat()));
      }),
    );
  });

  it('adds up with none over other bins', () => {
    expect(() => mergeBaselines(learnNumeric([1, 2]), learnNumeric([1, 3]))).toThrow(RangeError);
  });

  it('finds a bin as a search from the start does', () => {
    fc.assert(
      fc.property(numbers, number, (values, value) => {
        const { edges } = learnNumeric(values);
        const expected = edges.findIndex((edge) => edge >= value);
        expect(binOf(edges, value)).toBe(expected < 0 ? edges.length : expected);
      }),
    );
  });

  it('counts categories while they are few, and gives up when they are not', () => {
    expect(learnCategories(['b', 'a', 'b'])).toEqual({ kind: 'Category', counts: { b: 2, a: 1 } });
    expect(learnCategories(Array.from({ length: 65 }, (_, index) => String(index)))).toBeUndefined();
  });
});
