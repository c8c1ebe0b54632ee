import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CostCurve } from '../../../runtime/batching/cost-curve.ts';
import {
  drainMs,
  planBatch,
  sharingPays,
  type BatchSituation,
  type WaitingRequest,
} from '../../../runtime/batching/planner.ts';

const sizes = [1, 2, 4, 8, 16, 32];
/** A batch costs what one costs. */
const flat = new CostCurve(sizes.map((rows) => ({ rows, ms: 10 })));
/** A batch costs what its rows cost one by one. */
const linear = new CostCurve(sizes.map((rows) => ({ rows, ms: 10 * rows })));
const half = new CostCurve(sizes.map((rows) => ({ rows, ms: 10 + 2 * rows })));
const limits = { maxRows: 8, maxDelayMs: 5 };
const NOW = 1000;

function waiting(count: number, details: Partial<WaitingRequest> = {}): WaitingRequest[] {
  return Array.from({ length: count }, () => ({
    ...{ rows: 1, admittedAtMs: NOW, deadlineAtMs: undefined },
    ...details,
  }));
}

function situation(details: Partial<BatchSituation>): BatchSituation {
  return {
    ...{ waiting: waiting(1), curve: flat, expectedGapMs: undefined, lastArrivalAtMs: NOW, isTrial: false },
    ...details,
  };
}

describe('the plan for the requests that wait', () => {
  it.each<[string, Partial<BatchSituation>, number, string]>([
    [
      'one by one where a batch costs what its rows cost',
      { waiting: waiting(8), curve: linear },
      1,
      'Cheapest',
    ],
    ['all together where a batch costs what one costs', { waiting: waiting(7) }, 7, 'NobodyExpected'],
    ['at most maxBatchSize', { waiting: waiting(20) }, 8, 'Full'],
    ['exactly maxBatchSize', { waiting: waiting(8) }, 8, 'Full'],
    ['between the two, some', { waiting: waiting(8), curve: half }, 8, 'Full'],
    ['rows, not requests, fill a batch', { waiting: waiting(5, { rows: 3 }) }, 2, 'Full'],
    ['more rows than fit go alone', { waiting: waiting(2, { rows: 9 }) }, 1, 'Full'],
    ['no wait where waiting gains nothing', { curve: linear, expectedGapMs: 0.1 }, 1, 'NothingToGain'],
    ['no wait for nobody', { waiting: waiting(1) }, 1, 'NobodyExpected'],
    ['no wait for one that comes too late', { expectedGapMs: 12 }, 1, 'NobodyExpected'],
    [
      'no wait beyond maxDelay',
      { waiting: waiting(1, { admittedAtMs: NOW - 5 }), expectedGapMs: 1 },
      1,
      'DelayOver',
    ],
    ['no wait when nobody has come', { lastArrivalAtMs: NOW - 10, expectedGapMs: 1 }, 1, 'DelayOver'],
    [
      'no wait beyond a deadline',
      { waiting: waiting(1, { deadlineAtMs: NOW + 12 }), expectedGapMs: 1 },
      1,
      'DeadlineNear',
    ],
    [
      'no larger than what ends before the deadline',
      { waiting: waiting(8, { deadlineAtMs: NOW + 15 }), curve: half },
      2,
      'DeadlineNear',
    ],
    [
      'a trial takes more than the curve advises',
      { waiting: waiting(8), curve: linear, isTrial: true },
      2,
      'Cheapest',
    ],
  ])('is: %s', (_, details, requests, reason) => {
    const plan = planBatch(situation(details), limits, NOW);
    expect(plan).toMatchObject({ kind: 'Release', requests, reason });
  });

  it('is to wait where another one is expected before its wait costs more than it saves', () => {
    expect(planBatch(situation({ expectedGapMs: 2 }), limits, NOW)).toEqual({
      kind: 'Wait',
      untilMs: NOW + 5,
    });
    const long = { ...limits, maxDelayMs: 100 };
    const plan = planBatch(situation({ waiting: waiting(2), expectedGapMs: 2 }), long, NOW);
    expect(plan).toEqual({ kind: 'Wait', untilMs: expect.closeTo(NOW + 5, 0) as number });
  });

  it('never waits when maxDelay is 0', () => {
    const plan = planBatch(situation({ expectedGapMs: 0 }), { ...limits, maxDelayMs: 0 }, NOW);
    expect(plan).toMatchObject({ kind: 'Release', reason: 'NothingToGain' });
  });

  it('grows in steps of two where nothing larger was measured for these sizes', () => {
    const curve = flat.borrow();
    const counts = [1, 2, 3].map(() => {
      const plan = planBatch(situation({ waiting: waiting(8), curve }), limits, NOW);
      if (plan.kind === 'Wait') throw new Error('there is nothing to wait for');
      curve.record(plan.rows, 10);
      return plan.requests;
    });
    expect(counts).toEqual([2, 4, 8]);
  });

  it('never exceeds maxBatchSize but for one request alone, never leaves all, never waits beyond maxDelay', () => {
    const request = fc.record({
      rows: fc.integer({ min: 1, max: 12 }),
      admittedAtMs: fc.integer({ min: NOW - 20, max: NOW }),
      deadlineAtMs: fc.option(fc.integer({ min: NOW - 5, max: NOW + 100 }), { nil: undefined }),
    });
    const point = fc.record({
      rows: fc.integer({ min: 1, max: 32 }),
      ms: fc.double({ min: 0, max: 100, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 40 }),
        fc.array(point),
        fc.option(fc.double({ min: 0, max: 20, noNaN: true }), { nil: undefined }),
        fc.boolean(),
        (requests, points, expectedGapMs, isTrial) => {
          const given = { waiting: requests, curve: new CostCurve(points), expectedGapMs, isTrial };
          const plan = planBatch(situation(given), limits, NOW);
          if (plan.kind === 'Wait') {
            const first = Math.min(...requests.map(({ admittedAtMs }) => admittedAtMs));
            expect(plan.untilMs).toBeGreaterThan(NOW);
            expect(plan.untilMs).toBeLessThanOrEqual(first + limits.maxDelayMs);
            return;
          }
          const taken = requests.slice(0, plan.requests);
          expect(taken.length).toBe(plan.requests);
          expect(plan.requests).toBeGreaterThan(0);
          expect(plan.rows).toBe(taken.reduce((sum, { rows }) => sum + rows, 0));
          expect(plan.requests === 1 || plan.rows <= limits.maxRows).toBe(true);
        },
      ),
    );
  });
});

describe('what the cost curve says', () => {
  it.each([
    ['flat', flat, true],
    ['linear', linear, false],
  ])('of whether sharing pays: %s', (_, curve, pays) => {
    expect(sharingPays(curve)).toBe(pays);
  });

  it.each([
    ['flat', flat, 30],
    ['linear', linear, 240],
  ])('of how long 24 requests take: %s', (_, curve, ms) => {
    expect(drainMs(curve, 24, 8)).toBeGreaterThanOrEqual(ms);
    expect(drainMs(curve, 24, 8)).toBeLessThan(ms * 1.02);
  });
});
