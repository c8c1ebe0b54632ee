import { describe, expect, it } from 'vitest';
import { DispatchWindow } from '../../../runtime/queue/dispatch-window.ts';

/** The window after 200 answers of a model that takes so long for each. */
function windowAfter(serviceMs: number): DispatchWindow {
  const window = new DispatchWindow();
  for (let answer = 1; answer <= 200; answer++)
    window.recordAnswer((answer - 1) * serviceMs, answer * serviceMs);
  return window;
}

describe('the requests that the executor holds at once', () => {
  it.each([
    [0.01, 32],
    [0.25, 8],
    [1.5, 2],
    [80, 2],
  ])('for a model of %d ms are %d', (serviceMs, size) => {
    expect(windowAfter(serviceMs).size).toBe(size);
  });

  it('are measured by the time that the model takes, not by the time that requests wait', () => {
    const window = new DispatchWindow();
    for (let answer = 1; answer <= 200; answer++) window.recordAnswer(0, answer * 10);
    expect(window.serviceMs).toBeCloseTo(10, 1);
  });
});
