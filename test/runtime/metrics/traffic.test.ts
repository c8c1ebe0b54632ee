import { describe, expect, it } from 'vitest';
import { Traffic } from '../../../runtime/metrics/traffic.ts';

function answer(traffic: Traffic, status: number, latencyMs: number, nowMs: number): void {
  traffic.recordArrival(nowMs - latencyMs);
  traffic.recordAnswer({ status, latencyMs }, nowMs);
}

describe('the report of traffic', () => {
  it('is all zeros before the first request', () => {
    expect(new Traffic().report(0)).toEqual({
      total: { requests: 0, errors: 0 },
      window: { seconds: 30, requests: 0, errors: 0 },
      latencyP95Ms: 0,
      inFlight: 0,
      lastRequestSecondsAgo: null,
      routings: [],
    });
  });

  it('counts answers from 500 up as errors and no others', () => {
    const traffic = new Traffic();
    for (const status of [200, 400, 404, 413, 415, 429, 500, 503]) answer(traffic, status, 1, 1000);
    expect(traffic.report(1000).total).toEqual({ requests: 8, errors: 2 });
  });

  it('keeps the total when the window has gone by', () => {
    const traffic = new Traffic();
    answer(traffic, 500, 1, 1000);
    const { total, window, lastRequestSecondsAgo } = traffic.report(61_000);
    expect(total).toEqual({ requests: 1, errors: 1 });
    expect(window).toEqual({ seconds: 30, requests: 0, errors: 0 });
    expect(lastRequestSecondsAgo).toBeCloseTo(60, 2);
  });

  it('measures latency of answers that the model gave, good or bad, and of no refusal', () => {
    const traffic = new Traffic();
    for (const status of [400, 429, 503]) answer(traffic, status, 500, 1000);
    expect(traffic.latencyP95Ms(1000)).toBe(0);
    answer(traffic, 500, 40, 1000);
    expect(traffic.latencyP95Ms(1000)).toBeGreaterThan(39);
  });

  it('knows what is in flight and charges nobody for a client that hung up', () => {
    const traffic = new Traffic();
    traffic.recordArrival(0);
    traffic.recordArrival(0);
    traffic.recordHangUp();
    expect(traffic.report(0)).toMatchObject({ inFlight: 1, total: { requests: 0, errors: 0 } });
  });
});
