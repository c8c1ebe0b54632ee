import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Patience } from '../../../runtime/intake/patience.ts';

function patienceAfter(timesMs: readonly number[]): number {
  const patience = new Patience();
  for (const timeMs of timesMs) patience.record(timeMs);
  return patience.longestMs;
}

describe('how long clients wait', () => {
  it.each<{ what: string; timesMs: readonly number[]; longestMs: number }>([
    { what: 'is for ever until somebody is known', timesMs: [], longestMs: Infinity },
    { what: 'is not judged by the first few', timesMs: Array<number>(7).fill(250), longestMs: Infinity },
    { what: 'is what all of the last gave', timesMs: Array<number>(8).fill(250), longestMs: 250 },
    { what: 'is the longest of them', timesMs: [...Array<number>(8).fill(250), 900], longestMs: 900 },
    {
      what: 'is for ever at once where one gives no end',
      timesMs: [...Array<number>(80).fill(250), Infinity],
      longestMs: Infinity,
    },
    {
      what: 'is forgotten after sixteen others',
      timesMs: [Infinity, ...Array<number>(16).fill(250)],
      longestMs: 250,
    },
  ])('$what', ({ timesMs, longestMs }) => {
    expect(patienceAfter(timesMs)).toBe(longestMs);
  });

  it('is never less than any of the last eight gave', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 10_000 }), { minLength: 1, maxLength: 100 }), (timesMs) => {
        expect(patienceAfter(timesMs)).toBeGreaterThanOrEqual(Math.max(...timesMs.slice(-8)));
      }),
    );
  });
});
