import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Batcher, type BatchProfile } from '../../../runtime/batching/batcher.ts';
import { InferQueue } from '../../../runtime/queue/queue.ts';
import { flat, journeyOf, ScriptedExecutor, unbatched, work } from './scripted-executor.ts';

const MOST_ROWS = 4;
/** Of a run, in both profiles. */
const RUN_MS = 10;
/** In flight with an executor that has no more room. */
const RESERVE = 2;

function build(profile: BatchProfile): {
  executor: ScriptedExecutor;
  queue: InferQueue;
  hasRoom: (ms?: number) => boolean;
} {
  const executor = new ScriptedExecutor(profile);
  const batcher = new Batcher({ maxRows: MOST_ROWS, maxDelayMs: 0 });
  const queue = new InferQueue({ executors: [executor], batcher, maxDepth: 100, observers: [] });
  executor.change('ready');
  const hasRoom = (withinMs = Infinity): boolean =>
    queue.hasRoom(performance.now() + withinMs, performance.now());
  return { executor, queue, hasRoom };
}

function submit(queue: InferQueue, requests: number): void {
  for (let request = 0; request < requests; request++) {
    queue.submit(work(String(request)), journeyOf()).answer.promise.catch(() => undefined);
  }
}

describe('there is room in the queue', () => {
  it('until one waits that no run has taken', async () => {
    const { queue, hasRoom } = build(unbatched);
    for (let request = 0; request < RESERVE; request++) {
      expect(hasRoom()).toBe(true);
      submit(queue, 1);
      await turn();
    }
    expect(hasRoom()).toBe(true);
    submit(queue, 1);
    await turn();
    expect(hasRoom()).toBe(false);
  });

  it('for a whole batch where requests go together', async () => {
    const { queue, hasRoom } = build(flat);
    submit(queue, 1);
    await turn();
    submit(queue, MOST_ROWS - 1);
    await turn();
    expect(hasRoom()).toBe(true);
    submit(queue, 1);
    await turn();
    expect(hasRoom()).toBe(false);
    expect(queue.runMs).toBeCloseTo(RUN_MS / MOST_ROWS, 0);
  });

  it('for nobody whose answer would come too late', async () => {
    const { queue, hasRoom } = build(unbatched);
    submit(queue, RESERVE);
    await turn();
    expect(hasRoom(RUN_MS)).toBe(false);
    expect(hasRoom(100 * RUN_MS)).toBe(true);
    expect(queue.runMs).toBeCloseTo(RUN_MS, 0);
  });

  it('while no process runs the model at all, so that everybody is told at once', async () => {
    const { executor, queue, hasRoom } = build(unbatched);
    submit(queue, 10);
    await turn();
    expect(hasRoom()).toBe(false);
    executor.lose('down');
    expect(hasRoom(1)).toBe(true);
  });

  it('again when it says so', async () => {
    const { executor, queue, hasRoom } = build(unbatched);
    let heard = false;
    submit(queue, RESERVE + 1);
    await turn();
    queue.onRoom(() => (heard ||= hasRoom()));
    executor.answerOldest();
    for (let turns = 0; turns < 3; turns++) await turn();
    expect(heard).toBe(true);
  });
});
