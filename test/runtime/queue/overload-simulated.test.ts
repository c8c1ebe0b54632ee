import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Batcher, type BatchProfile } from '../../../runtime/batching/batcher.ts';
import { mergeWorks } from '../../../runtime/batching/merge.ts';
import type { RequestError } from '../../../runtime/errors.ts';
import type { Executor, ExecutorState, RunResult } from '../../../runtime/executor/executor.ts';
import { InferQueue } from '../../../runtime/queue/queue.ts';
import type { InferWork } from '../../../runtime/tensor/validate.ts';
import { Dice } from '../../support/dice.ts';
import { flat, journeyOf, unbatched, work } from './scripted-executor.ts';

const DEADLINE_MS = 300;
const RUN_MS = 10;
const LASTS_MS = 15_000;

/** Time passes only when the test says so: what else the machine does changes nothing. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Runs one batch after the other, for as long as the test says of each moment. */
class TimedExecutor implements Executor {
  readonly state = 'ready';
  readonly signature = undefined;
  readonly batchProfile: BatchProfile;
  readonly #runMs: () => number;
  #freeAtMs = 0;

  constructor(batchProfile: BatchProfile, runMs: () => number) {
    this.batchProfile = batchProfile;
    this.#runMs = runMs;
  }

  run(works: readonly InferWork[]): Promise<RunResult> {
    const { inputs } = mergeWorks(works);
    const computeMs = this.#runMs();
    this.#freeAtMs = Math.max(this.#freeAtMs, performance.now()) + computeMs;
    return new Promise((resolve) => {
      setTimeout(() => resolve({ outputs: inputs, computeMs }), this.#freeAtMs - performance.now());
    });
  }

  onStateChange(listener: (state: ExecutorState) => void): void {
    listener(this.state);
  }
}

interface Tally {
  inTime: number;
  late: number;
  expired: number;
  shed: number;
}

async function ask(queue: InferQueue, tally: Tally): Promise<void> {
  const deadlineAtMs = performance.now() + DEADLINE_MS;
  try {
    await queue.submit(work('x'), journeyOf(deadlineAtMs)).answer.promise;
    if (performance.now() <= deadlineAtMs) tally.inTime++;
    else tally.late++;
  } catch (error) {
    if ((error as RequestError).reason === 'Overloaded') tally.shed++;
    else tally.expired++;
  }
}

interface Story {
  readonly executors: number;
  readonly profile: BatchProfile;
  readonly maxRows: number;
  /** Of a run, at a time. */
  readonly runMs: (nowMs: number, dice: Dice) => number;
  /** What all executors can answer in a second, when all goes well. */
  readonly capacity: number;
}

async function tell({ executors, profile, maxRows, runMs, capacity }: Story): Promise<Tally> {
  const dice = new Dice(7);
  const queue = new InferQueue({
    executors: Array.from(
      { length: executors },
      () => new TimedExecutor(profile, () => runMs(performance.now(), dice)),
    ),
    batcher: new Batcher({ maxRows, maxDelayMs: 5 }),
    maxDepth: 100_000,
    observers: [],
  });
  const tally = { inTime: 0, late: 0, expired: 0, shed: 0 };
  const asked: Promise<void>[] = [];
  while (performance.now() < LASTS_MS) {
    // As users come: each without regard to the others.
    await vi.advanceTimersByTimeAsync((-Math.log(1 - dice.next()) * 1000) / (3 * capacity));
    asked.push(ask(queue, tally));
  }
  await vi.advanceTimersByTimeAsync(10 * DEADLINE_MS);
  await Promise.all(asked);
  return tally;
}

const steady = (): number => RUN_MS;
const one = { executors: 1, profile: unbatched, maxRows: 1, capacity: 1000 / RUN_MS };

describe('at three times the capacity', { timeout: 60_000 }, () => {
  it.each<[string, Story]>([
    ['runs all take the same', { ...one, runMs: steady }],
    ['runs take from nothing to twice the mean', { ...one, runMs: (_, dice) => 2 * RUN_MS * dice.next() }],
    [
      'one run in twenty takes ten times as long',
      { ...one, runMs: (_, dice) => (dice.next() < 0.05 ? 10 : 0.55) * RUN_MS },
    ],
    [
      'runs take twice as long for a second, every five',
      { ...one, runMs: (nowMs) => (nowMs % 5000 < 1000 ? 2 : 1) * RUN_MS },
    ],
    ['there are four executors', { ...one, executors: 4, capacity: 4 * one.capacity, runMs: steady }],
    ['batches cost what one costs', { ...one, profile: flat, maxRows: 8, capacity: 800, runMs: steady }],
  ])('at least 95 % of what is accepted is answered in time: %s', async (_, story) => {
    const { inTime, late, expired, shed } = await tell(story);
    const possible = (story.capacity * LASTS_MS) / 1000;
    expect(inTime / (inTime + late + expired)).toBeGreaterThanOrEqual(0.95);
    // What is kept in reserve is not lost: the executors are busy all the same.
    expect(inTime / possible).toBeGreaterThan(0.8);
    expect(inTime + late + expired + shed).toBeGreaterThan(2.8 * possible);
  });
});
