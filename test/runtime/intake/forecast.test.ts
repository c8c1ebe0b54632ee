import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Forecast, type Arrival } from '../../../runtime/intake/forecast.ts';

const MEBIBYTE = 2 ** 20;
const NOBODY = { bodies: 0, costMs: 0 };

function arrival(changes: Partial<Arrival> = {}): Arrival {
  return { form: 'Json', bytes: MEBIBYTE, arrivedAtMs: 0, deadlineAtMs: Infinity, ...changes };
}

/** A process that reads a mebibyte in so many milliseconds, and comes to the next after as many. */
function practised(readMs: number, bodies = 200): Forecast {
  const forecast = new Forecast();
  for (let body = 0; body < bodies; body++) {
    forecast.recordReading(arrival(), readMs);
    forecast.recordTurn(readMs, readMs);
  }
  return forecast;
}

describe('when a body that comes now would be answered', () => {
  it('is told from what bodies of the same form have cost, by their bytes', () => {
    const forecast = practised(8);
    expect(forecast.readMs(arrival())).toBeCloseTo(8);
    expect(forecast.readMs(arrival({ bytes: MEBIBYTE / 4 }))).toBeCloseTo(2);
    expect(forecast.readMs(arrival({ form: 'Binary' }))).toBe(0);
  });

  it('is not told from small bodies, whose cost is not in their bytes', () => {
    const forecast = new Forecast();
    forecast.recordReading(arrival({ bytes: 1000 }), 1);
    expect(forecast.readMs(arrival())).toBe(0);
    expect(practised(8).readMs(arrival({ bytes: 1000 }))).toBe(0);
  });

  it('depends on who is ahead', () => {
    const forecast = practised(10);
    const canMeet = (bodies: number): boolean =>
      forecast.canMeet(arrival({ deadlineAtMs: 250 }), 10, { bodies, costMs: 10 * bodies }, 0);
    // At first as much again is kept in reserve.
    expect(canMeet(11)).toBe(true);
    expect(canMeet(13)).toBe(false);
  });

  it('comes later where turns take longer than the reading alone', () => {
    const forecast = practised(10);
    for (let turn = 0; turn < 100; turn++) forecast.recordTurn(10, 30);
    const ahead = { bodies: 8, costMs: 80 };
    expect(forecast.canMeet(arrival({ deadlineAtMs: 250 }), 10, ahead, 0)).toBe(false);
    expect(forecast.retryAfterSeconds({ bodies: 800, costMs: 8000 })).toBe(24);
  });

  it('comes later where answers take their time after the reading', () => {
    const forecast = practised(10);
    for (let answer = 0; answer < 100; answer++) forecast.recordAnswer(200);
    const ahead = { bodies: 4, costMs: 40 };
    expect(forecast.canMeet(arrival({ deadlineAtMs: 250 }), 10, ahead, 0)).toBe(false);
    expect(forecast.canMeet(arrival({ deadlineAtMs: 350 }), 10, ahead, 0)).toBe(true);
  });

  it('matters to whoever says nothing as it does to those before', () => {
    const forecast = practised(10);
    const ahead = { bodies: 20, costMs: 200 };
    expect(forecast.canMeet(arrival(), 10, ahead, 0)).toBe(true);
    for (let request = 0; request < 16; request++) forecast.recordPatience(250);
    expect(forecast.canMeet(arrival(), 10, ahead, 0)).toBe(false);
    forecast.recordPatience(Infinity);
    expect(forecast.canMeet(arrival(), 10, ahead, 0)).toBe(true);
  });

  it('is held to be further away after promises that were not kept', () => {
    const forecast = practised(10);
    const canMeet = (): boolean =>
      forecast.canMeet(arrival({ deadlineAtMs: 250 }), 10, { bodies: 10, costMs: 100 }, 0);
    expect(canMeet()).toBe(true);
    for (let request = 0; request < 5; request++) forecast.recordOutcome(false);
    expect(canMeet()).toBe(false);
    for (let request = 0; request < 500; request++) forecast.recordOutcome(true);
    expect(canMeet()).toBe(true);
  });
});

describe('whatever was learned', () => {
  const anything = fc.record({
    readings: fc.array(fc.double({ min: 0, max: 1e7, noNaN: true })),
    turns: fc.array(
      fc.tuple(fc.double({ min: 0, max: 1e4, noNaN: true }), fc.double({ min: 0, max: 1e7, noNaN: true })),
    ),
    answers: fc.array(fc.double({ min: 0, max: 1e7, noNaN: true })),
    patiences: fc.array(fc.double({ min: 0, max: 1e7, noNaN: true })),
    outcomes: fc.array(fc.boolean()),
  });

  it('takes who comes when nobody waits and its time is not over', () => {
    fc.assert(
      fc.property(anything, fc.integer({ min: 1, max: 1e6 }), (lessons, leftMs) => {
        const forecast = new Forecast();
        for (const ms of lessons.readings) forecast.recordReading(arrival(), ms);
        for (const [expectedMs, busyMs] of lessons.turns) forecast.recordTurn(expectedMs, busyMs);
        for (const ms of lessons.answers) forecast.recordAnswer(ms);
        for (const ms of lessons.patiences) forecast.recordPatience(ms);
        for (const isInTime of lessons.outcomes) forecast.recordOutcome(isInTime);
        const costMs = forecast.readMs(arrival());
        expect(forecast.canMeet(arrival({ deadlineAtMs: leftMs }), costMs, NOBODY, 0)).toBe(true);
        expect(forecast.canMeet(arrival({ deadlineAtMs: leftMs }), costMs, NOBODY, leftMs)).toBe(false);
        expect(forecast.retryAfterSeconds(NOBODY)).toBe(1);
      }),
    );
  });

  it('is unlearned: after a pause of the whole machine a line is taken again once turns are as before', () => {
    const forecast = practised(10);
    const canMeet = (): boolean =>
      forecast.canMeet(arrival({ deadlineAtMs: 250 }), 10, { bodies: 4, costMs: 40 }, 0);
    forecast.recordTurn(10, 60_000);
    expect(canMeet()).toBe(false);
    let turns = 0;
    while (!canMeet() && turns < 1000) {
      forecast.recordTurn(10, 10);
      turns++;
    }
    expect(turns).toBeLessThan(30);
  });
});
