import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatencyWindow } from '../../../runtime/metrics/latency-window.ts';

interface Sample {
  readonly atMs: number;
  readonly latencyMs: number;
}

/** Any latency between the finest and the largest that the window tells apart, all magnitudes alike. */
const latency = fc.double({ min: -2, max: 4.77, noNaN: true }).map((exponent) => 10 ** exponent);
const samples = fc
  .array(fc.record({ afterMs: fc.nat({ max: 3000 }), latencyMs: latency }), { minLength: 1, maxLength: 300 })
  .map((steps) => {
    let atMs = 12_345;
    return steps.map(({ afterMs, latencyMs }): Sample => ({ atMs: (atMs += afterMs), latencyMs }));
  });

function fill(entries: readonly Sample[]): LatencyWindow {
  const window = new LatencyWindow();
  for (const { atMs, latencyMs } of entries) window.record({ latencyMs, isError: false }, atMs);
  return window;
}

/** What the window stands for: a sorted array of everything in the current second and the 29 before it. */
function quantileOf(entries: readonly Sample[], share: number, nowMs: number): number {
  const oldestMs = (Math.floor(nowMs / 1000) - 29) * 1000;
  const sorted = entries
    .filter(({ atMs }) => atMs >= oldestMs)
    .map(({ latencyMs }) => latencyMs)
    .sort((left, right) => left - right);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? 0;
}

describe('the latency window', () => {
  it('is never further than two per cent from a sorted array of the last 30 seconds', () => {
    const share = fc.constantFrom(0, 0.5, 0.95, 0.99, 1);
    fc.assert(
      fc.property(samples, share, fc.nat({ max: 40_000 }), (entries, share, laterMs) => {
        const nowMs = (entries.at(-1)?.atMs ?? 0) + laterMs;
        const exact = quantileOf(entries, share, nowMs);
        const answer = fill(entries).quantileMs(share, nowMs);
        expect(answer).toBeGreaterThanOrEqual(exact * (1 - 1e-9));
        expect(answer).toBeLessThanOrEqual(exact * 1.02 * (1 + 1e-9));
      }),
      { numRuns: 500 },
    );
  });

  it('is zero without traffic and zero again when the last answer is 30 seconds old', () => {
    const window = fill([{ atMs: 500, latencyMs: 80 }]);
    expect(new LatencyWindow().quantileMs(0.95, 0)).toBe(0);
    expect(window.quantileMs(0.95, 29_999)).toBeGreaterThan(79);
    expect(window.quantileMs(0.95, 30_000)).toBe(0);
  });

  it.each([Infinity, 3_600_000, 60_001])('shows a latency of %d ms as a minute, its largest', (latencyMs) => {
    expect(fill([{ atMs: 0, latencyMs }]).quantileMs(0.95, 0)).toBe(60_000);
  });

  it('counts answers and errors of the window alone', () => {
    const window = new LatencyWindow();
    for (let second = 0; second < 100; second++) {
      window.record({ latencyMs: 1, isError: second % 2 === 0 }, second * 1000);
    }
    expect(window.counts(99_000)).toEqual({ requests: 30, errors: 15 });
    expect(window.counts(109_000)).toEqual({ requests: 20, errors: 10 });
    expect(window.counts(1_000_000)).toEqual({ requests: 0, errors: 0 });
  });

  it('does not take a fast refusal for speed', () => {
    const window = fill(Array.from({ length: 10 }, () => ({ atMs: 0, latencyMs: 100 })));
    for (let index = 0; index < 1000; index++) window.record({ latencyMs: undefined, isError: false }, 0);
    expect(window.quantileMs(0.5, 0)).toBeGreaterThan(99);
    expect(window.counts(0).requests).toBe(1010);
  });
});
