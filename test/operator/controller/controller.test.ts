import { describe, expect, it } from 'vitest';
import { Controller, type Outcome } from '../../../operator/controller/controller.ts';
import { ApiError } from '../../../operator/controller/errors.ts';
import { waitFor } from '../../bed/wait.ts';

interface Pass {
  readonly key: string;
  readonly outcome: Outcome;
}

function run(reconcile: (key: string) => Promise<{ requeueAfterMs?: number }>, workers = 1) {
  const passes: Pass[] = [];
  const errors: unknown[] = [];
  const controller = new Controller({
    ...{ reconcile, workers },
    onPass: (key, outcome) => passes.push({ key, outcome }),
    onError: (_, error) => errors.push(error),
  });
  controller.start();
  return { controller, passes, errors };
}

describe('the controller', () => {
  it('repeats a pass that failed and tells of the failure', async () => {
    let calls = 0;
    const { controller, passes, errors } = run(() => {
      calls += 1;
      return calls === 1 ? Promise.reject(new Error('no')) : Promise.resolve({});
    });
    controller.queue.add('a');
    await waitFor('two passes', () => passes.length === 2);
    await controller.stop();
    expect(passes.map(({ outcome }) => outcome)).toEqual(['error', 'done']);
    expect(errors).toHaveLength(1);
  });

  it('repeats a pass that met a conflict without a word', async () => {
    let calls = 0;
    const { controller, passes, errors } = run(() => {
      calls += 1;
      return calls === 1 ? Promise.reject(new ApiError(409, 'Conflict', 'changed')) : Promise.resolve({});
    });
    controller.queue.add('a');
    await waitFor('two passes', () => passes.length === 2);
    await controller.stop();
    expect(passes.map(({ outcome }) => outcome)).toEqual(['conflict', 'done']);
    expect(errors).toEqual([]);
  });

  it('repeats a pass that was turned away not before it is welcome again', async () => {
    const startsMs: number[] = [];
    const { controller } = run(() => {
      startsMs.push(performance.now());
      return Promise.reject(new ApiError(429, 'TooManyRequests', 'later', { retryAfterMs: 200 }));
    });
    controller.queue.add('a');
    await waitFor('two passes', () => startsMs.length === 2, { everyMs: 1 });
    await controller.stop();
    const [first = 0, second = 0] = startsMs;
    // Timers count whole milliseconds.
    expect(second - first).toBeGreaterThanOrEqual(199);
  });

  it('comes back when a pass asks for it', async () => {
    let calls = 0;
    const { controller, passes } = run(() => {
      calls += 1;
      return Promise.resolve(calls < 3 ? { requeueAfterMs: 1 } : {});
    });
    controller.queue.add('a');
    await waitFor('three passes', () => passes.length === 3);
    await controller.stop();
    expect(passes.map(({ outcome }) => outcome)).toEqual(['requeued', 'requeued', 'done']);
  });

  it('works on several keys at a time, and never twice on one', async () => {
    let running = 0;
    let most = 0;
    const gates: (() => void)[] = [];
    const { controller } = run(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => gates.push(resolve));
      running -= 1;
      return {};
    }, 3);
    for (const key of ['a', 'b', 'a', 'a']) controller.queue.add(key);
    await waitFor('two passes under way', () => running === 2);
    controller.queue.add('a');
    expect(most).toBe(2);
    for (const open of gates) open();
    await waitFor('the repeated pass', () => gates.length === 3);
    gates[2]?.();
    await controller.stop();
  });

  it('waits for the pass under way before it has stopped, and begins no other', async () => {
    let finish: () => void = () => undefined;
    const { controller, passes } = run(async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      return {};
    });
    controller.queue.add('a');
    controller.queue.add('b');
    await waitFor('a pass under way', () => controller.queue.depth === 1);
    const stopped = controller.stop();
    finish();
    await stopped;
    expect(passes).toEqual([{ key: 'a', outcome: 'done' }]);
  });
});
