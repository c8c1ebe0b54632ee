import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RequestError } from '../../../runtime/errors.ts';
import { Forecast, type Arrival } from '../../../runtime/intake/forecast.ts';
import { Intake, type Downstream } from '../../../runtime/intake/intake.ts';

const MEBIBYTE = 2 ** 20;
const READ_MS = 10;

class ScriptedQueue implements Downstream {
  depth = 0;
  isFull = false;
  readonly runMs = 0;
  tellRoom: () => void = () => undefined;

  hasRoom(): boolean {
    return !this.isFull;
  }

  onRoom(listener: () => void): void {
    this.tellRoom = listener;
  }
}

/** An intake that knows what a mebibyte costs, with names in the order in which their bodies were called. */
class Line {
  readonly queue = new ScriptedQueue();
  readonly forecast = new Forecast();
  readonly intake: Intake;
  readonly called: string[] = [];
  readonly refused: string[] = [];
  readonly gone = new Set<string>();

  constructor(maxDepth = 512) {
    this.intake = new Intake(this.queue, maxDepth, this.forecast);
    for (let body = 0; body < 100; body++) this.forecast.recordReading(arrival(), READ_MS);
  }

  join(name: string, changes: Partial<Arrival> = {}): void {
    const refuse = (error: unknown): void => {
      this.refused.push(`${name}: ${(error as RequestError).reason}`);
    };
    try {
      const { gone } = this;
      const client = {
        get isClientGone(): boolean {
          return gone.has(name);
        },
      };
      const turn = this.intake.takeTurn(arrival(changes), client, performance.now());
      turn?.then((isThere) => this.called.push(isThere ? name : `${name} is gone`), refuse);
    } catch (error) {
      refuse(error);
    }
  }
}

function arrival(changes: Partial<Arrival> = {}): Arrival {
  const arrivedAtMs = performance.now();
  return { form: 'Json', bytes: MEBIBYTE, arrivedAtMs, deadlineAtMs: Infinity, ...changes };
}

function refusalOf(work: () => unknown): RequestError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
}

afterEach(() => vi.restoreAllMocks());

describe('large bodies', () => {
  it('are read one in a turn of the event loop, in the order in which they came', async () => {
    const line = new Line();
    for (const name of ['first', 'second', 'third']) line.join(name);
    expect(line.intake.length).toBe(3);
    const seen: number[] = [];
    while (line.intake.length > 0) {
      await turnOfLoop();
      seen.push(line.called.length);
    }
    await turnOfLoop();
    expect(line.called).toEqual(['first', 'second', 'third']);
    expect(seen.every((count, index) => count - (seen[index - 1] ?? 0) <= 1)).toBe(true);
  });

  it('wait while the queue behind has enough, and go on when it says so', async () => {
    const line = new Line();
    line.queue.isFull = true;
    line.join('first');
    for (let turn = 0; turn < 20; turn++) await turnOfLoop();
    expect(line.called).toEqual([]);
    line.queue.isFull = false;
    line.queue.tellRoom();
    await vi.waitUntil(() => line.called.length === 1);
  });

  it('are read all the same after a while where small requests keep the queue full', async () => {
    const line = new Line();
    line.queue.isFull = true;
    for (const name of ['first', 'second']) line.join(name);
    await vi.waitUntil(() => line.called.length === 2, { timeout: 10_000 });
  });

  it('make way when nobody waits for them any more', async () => {
    const line = new Line();
    for (const name of ['first', 'second']) line.join(name);
    line.gone.add('first');
    await vi.waitUntil(() => line.intake.length === 0);
    await turnOfLoop();
    expect(line.called).toEqual(['first is gone', 'second']);
  });

  it('are refused by what is announced of them when the line is too long for their deadline', () => {
    const line = new Line();
    line.queue.isFull = true;
    for (let body = 0; body < 20; body++) line.join(String(body));
    const deadlineAtMs = performance.now() + 250;
    const refusal = refusalOf(() => line.intake.check(arrival({ deadlineAtMs }), performance.now()));
    expect(refusal).toMatchObject({ reason: 'Overloaded', httpStatus: 429, retryAfterSeconds: 1 });
    expect(refusalOf(() => line.intake.check(arrival(), performance.now()))).toBeUndefined();
  });

  it('are refused when as many wait as the queue may hold', () => {
    const line = new Line(4);
    line.queue.isFull = true;
    line.queue.depth = 2;
    for (const name of ['first', 'second']) line.join(name);
    line.join('third');
    expect(line.refused).toEqual(['third: Overloaded']);
    line.queue.depth = 1;
    line.join('fourth');
    expect(line.intake.length).toBe(3);
  });

  it('are refused without being read when their time ends in line', async () => {
    const line = new Line();
    line.queue.isFull = true;
    line.join('short', { deadlineAtMs: performance.now() + 1 });
    await vi.waitUntil(() => line.refused.length === 1, { timeout: 10_000 });
    expect(line.refused).toEqual(['short: DeadlineExceeded']);
    expect(line.called).toEqual([]);
  });

  it('of which the time is over when they come are not taken in', () => {
    const { intake } = new Line();
    const nowMs = performance.now();
    expect(refusalOf(() => intake.check(arrival({ deadlineAtMs: nowMs }), nowMs))?.reason).toBe(
      'DeadlineExceeded',
    );
  });
});

describe('small bodies', () => {
  it('pass the line, since they take no time of it', () => {
    const line = new Line();
    line.queue.isFull = true;
    for (let body = 0; body < 100; body++) line.join(String(body));
    const small = arrival({ bytes: 1000, deadlineAtMs: performance.now() + 100 });
    expect(line.intake.takeTurn(small, { isClientGone: false }, performance.now())).toBeUndefined();
  });
});
