import { describe, expect, it } from 'vitest';
import { Pace } from '../../../runtime/queue/pace.ts';

describe('how far the cost curve can be relied upon', () => {
  it('falls at once when runs take longer, and rises again slowly', () => {
    const pace = new Pace();
    for (let run = 0; run < 10; run++) pace.recordRun(10, 40);
    const slow = pace.factor;
    expect(slow).toBeGreaterThan(3);
    for (let run = 0; run < 10; run++) pace.recordRun(10, 10);
    expect(pace.factor).toBeGreaterThan(slow * 0.75);
    for (let run = 0; run < 300; run++) pace.recordRun(10, 10);
    expect(pace.factor).toBeCloseTo(1, 1);
  });

  it('keeps as much in reserve as lets all but two in a hundred be in time', () => {
    const pace = new Pace();
    // A request is late when the reserve is below what the moment needs: here between 0 and 1 of the time.
    let late = 0;
    for (let request = 0; request < 20_000; request++) {
      const isInTime = pace.margin >= ((request * 7919) % 1000) / 1000;
      pace.recordOutcome(isInTime);
      if (request >= 10_000 && !isInTime) late++;
    }
    expect(late / 10_000).toBeCloseTo(0.02, 2);
  });

  it('has bounds', () => {
    const pace = new Pace();
    for (let request = 0; request < 1000; request++) pace.recordOutcome(false);
    expect(pace.margin).toBe(4);
    for (let request = 0; request < 10_000; request++) pace.recordOutcome(true);
    expect(pace.margin).toBe(0.1);
    pace.recordRun(0, 10);
    expect(pace.factor).toBe(1);
  });
});
