import { describe, expect, it } from 'vitest';
import { Traffic } from '../../../runtime/metrics/traffic.ts';
import type { Journey } from '../../../runtime/inference/journey.ts';
import type { Origin } from '../../../runtime/inference/origin.ts';
import { answered, journeyOf } from '../../support/journey.ts';

function answer(traffic: Traffic, status: number, latencyMs: number, nowMs: number): void {
  answerTo('User', { traffic, status, latencyMs, nowMs });
}

function answerTo(
  origin: Origin,
  {
    traffic,
    status,
    latencyMs,
    nowMs,
  }: { traffic: Traffic; status: number; latencyMs: number; nowMs: number },
): void {
  traffic.recordArrival(nowMs - latencyMs);
  traffic.recordDeparture();
  traffic.recordAnswer({ origin, status, latencyMs }, nowMs);
}

describe('the report of traffic', () => {
  it('is all zeros before the first request', () => {
    expect(new Traffic().report(0)).toEqual({
      total: { requests: 0, errors: 0 },
      window: { seconds: 30, requests: 0, errors: 0 },
      mirrors: { requests: 0, errors: 0 },
      latencyP95Ms: 0,
      inFlight: 0,
      lastRequestSecondsAgo: null,
      routings: [],
      lastConnectionSecondsAgo: null,
    });
  });

  it('tells when the last connection came, which a request over a kept one is not', () => {
    const traffic = new Traffic();
    traffic.recordConnection(1000);
    answer(traffic, 200, 1, 8000);
    expect(traffic.report(9000)).toMatchObject({ lastConnectionSecondsAgo: 8, lastRequestSecondsAgo: 1.001 });
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

  it('counts copies apart from what users got', () => {
    const traffic = new Traffic();
    answer(traffic, 200, 1, 1000);
    for (const status of [200, 500]) answerTo('Mirror', { traffic, status, latencyMs: 1, nowMs: 1000 });
    expect(traffic.report(1000)).toMatchObject({
      total: { requests: 1, errors: 0 },
      window: { requests: 1, errors: 0 },
      mirrors: { requests: 2, errors: 1 },
    });
    expect(traffic.report(61_000).mirrors).toEqual({ requests: 0, errors: 0 });
  });

  it('counts previews as neither', () => {
    const traffic = new Traffic();
    answerTo('Preview', { traffic, status: 500, latencyMs: 1, nowMs: 1000 });
    expect(traffic.report(1000)).toMatchObject({
      total: { requests: 0, errors: 0 },
      mirrors: { requests: 0, errors: 0 },
    });
  });

  it.each(['Mirror', 'Preview'] as const)(
    'tells the autoscaler how busy a %s keeps the server, and the operator that something still arrives',
    (origin) => {
      const traffic = new Traffic();
      answerTo(origin, { traffic, status: 200, latencyMs: 80, nowMs: 1000 });
      expect(traffic.latencyP95Ms(1000)).toBeGreaterThan(79);
      expect(traffic.report(2000).lastRequestSecondsAgo).toBeCloseTo(1.08, 2);
      traffic.recordArrival(2000);
      expect(traffic.report(2000).inFlight).toBe(1);
    },
  );

  it('counts every message of a stream, and takes the first alone for one that a route has sent', () => {
    const traffic = new Traffic();
    const header = (): string => 'older';
    const messageAt = (arrivedAtMs: number): Journey => ({
      ...journeyOf({ arrivedAtMs, isLaterInStream: arrivedAtMs > 0 }),
      header,
    });
    for (const arrivedAtMs of [0, 1000, 2000]) traffic.onArrival(messageAt(arrivedAtMs));
    expect(traffic.report(2000)).toMatchObject({
      ...{ inFlight: 1, lastRequestSecondsAgo: 2 },
      routings: [{ hash: 'older', lastSeenSecondsAgo: 2 }],
    });
    for (const arrivedAtMs of [0, 1000, 2000]) traffic.onEnd(messageAt(arrivedAtMs), answered(), 2000);
    expect(traffic.report(2000)).toMatchObject({ inFlight: 0, total: { requests: 3 } });
  });

  it('knows what is in flight and charges nobody for a client that hung up', () => {
    const traffic = new Traffic();
    traffic.recordArrival(0);
    traffic.recordArrival(0);
    traffic.recordDeparture();
    expect(traffic.report(0)).toMatchObject({ inFlight: 1, total: { requests: 0, errors: 0 } });
  });
});
