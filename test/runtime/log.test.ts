import { describe, expect, it } from 'vitest';
import { LogThrottle } from '../../runtime/log.ts';

describe('the log of a failing model', () => {
  it('has one line a second, which tells how many were held back', () => {
    const throttle = new LogThrottle();
    const times = [0, 1, 999, 1000, 1500, 5000];
    expect(times.map((nowMs) => throttle.admit(nowMs))).toEqual([0, undefined, undefined, 2, undefined, 1]);
  });
});
