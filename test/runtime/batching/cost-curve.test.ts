import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CostCurve, type CostPoint } from '../../../runtime/batching/cost-curve.ts';

const measured = [
  { rows: 1, ms: 4 },
  { rows: 2, ms: 5 },
  { rows: 4, ms: 9 },
];

describe('the cost curve', () => {
  it.each([
    [1, 4],
    [2, 5],
    [3, 7],
    [4, 9],
    [6, 13],
  ])('goes in lines through what was measured, and on: %d rows', (rows, ms) => {
    expect(new CostCurve(measured).predictMs(rows)).toBeCloseTo(ms);
  });

  it('promises nothing of a batch as long as only one size was measured', () => {
    expect(new CostCurve([{ rows: 1, ms: 4 }]).predictMs(8)).toBe(32);
  });

  it('comes to what real batches take', () => {
    const curve = new CostCurve(measured);
    for (let run = 0; run < 100; run++) curve.record(4, 20);
    expect(curve.predictMs(4)).toBeCloseTo(20, 1);
    expect(curve.predictMs(1)).toBe(4);
  });

  it('is not led astray by one run that the machine held up', () => {
    const curve = new CostCurve(measured);
    curve.record(2, 5000);
    expect(curve.predictMs(2)).toBeLessThan(8);
  });

  it('for tensors of other sizes has the same form, as high as the first of them says', () => {
    const curve = new CostCurve(measured).borrow();
    curve.record(1, 40);
    expect([1, 2, 4].map((rows) => curve.predictMs(rows))).toEqual([40, 50, 90]);
    expect(curve.largestMeasuredRows).toBe(1);
  });

  it('is never negative nor endless, whatever was measured', () => {
    const costOf = (rows: number, ms: number): CostPoint => ({ rows, ms });
    const point = fc.record({
      rows: fc.integer({ min: 1, max: 64 }),
      ms: fc.double({ min: 0, max: 1e4, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(point), fc.array(point), fc.integer({ min: 1, max: 2000 }), (warm, real, rows) => {
        const curve = new CostCurve(warm).borrow();
        for (const { rows: size, ms } of real) curve.record(size, ms);
        expect(curve.predictMs(rows)).toBeGreaterThanOrEqual(0);
        expect(curve.predictMs(rows)).toBeLessThan(Infinity);
      }),
      { examples: [[[costOf(33, 1), costOf(21, 5e-324)], [costOf(1, 2.5e-16)], 683]] },
    );
  });
});
