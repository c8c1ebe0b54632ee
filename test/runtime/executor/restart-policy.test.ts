import { describe, expect, it } from 'vitest';
import { isWorthWaiting, restartDelayMs } from '../../../runtime/executor/restart-policy.ts';

describe('the restart of a lost executor', () => {
  it('comes at once after the first loss, then ever later, up to half a minute', () => {
    expect([1, 2, 3, 4, 5, 8, 9, 10, 1000].map(restartDelayMs)).toEqual([
      0, 250, 500, 1000, 2000, 16_000, 30_000, 30_000, 30_000,
    ]);
  });

  it('keeps the requests for a start within a second and sends them away for a later one', () => {
    expect([0, 1000, 1001].map(isWorthWaiting)).toEqual([true, true, false]);
  });
});
