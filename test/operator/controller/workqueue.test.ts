import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WorkQueue } from '../../../operator/controller/workqueue.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('the work queue', () => {
  it('hands out a key once however often it was added', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    queue.add('a');
    queue.add('b');
    expect([await queue.next(), await queue.next(), queue.depth]).toEqual(['a', 'b', 0]);
  });

  it('gives a key that was added during its pass another pass, and only after it', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    await queue.next();
    queue.add('a');
    expect(queue.depth).toBe(0);
    queue.done('a');
    expect(await queue.next()).toBe('a');
  });

  it('wakes a worker that waits', async () => {
    const queue = new WorkQueue();
    const next = queue.next();
    queue.add('a');
    expect(await next).toBe('a');
  });

  it('of several delays lets the earliest count', () => {
    const queue = new WorkQueue();
    queue.addAfter('a', 1000);
    queue.addAfter('a', 100);
    queue.addAfter('a', 5000);
    vi.advanceTimersByTime(99);
    expect(queue.depth).toBe(0);
    vi.advanceTimersByTime(1);
    expect(queue.depth).toBe(1);
  });

  it('forgets a delay once the key gets its pass by other means', async () => {
    const queue = new WorkQueue();
    queue.addAfter('a', 1000);
    queue.add('a');
    await queue.next();
    queue.done('a');
    vi.advanceTimersByTime(10_000);
    expect(queue.depth).toBe(0);
  });

  it('waits twice as long after each failure, up to 1000 s, until the key is forgotten', async () => {
    const queue = new WorkQueue();
    const delays: number[] = [];
    for (let failure = 0; failure < 20; failure += 1) {
      const before = Date.now();
      queue.addAfterFailure('a');
      while (queue.depth === 0) vi.advanceTimersToNextTimer();
      delays.push(Date.now() - before);
      await queue.next();
      queue.done('a');
    }
    expect(delays.slice(0, 4)).toEqual([5, 10, 20, 40]);
    expect(delays.at(-1)).toBe(1_000_000);
    queue.forget('a');
    queue.addAfterFailure('a');
    vi.advanceTimersByTime(5);
    expect(queue.depth).toBe(1);
  });

  it('adds a key that failed not before it is welcome again', () => {
    const queue = new WorkQueue();
    queue.addAfterFailure('a', 2000);
    vi.advanceTimersByTime(1999);
    expect(queue.depth).toBe(0);
    vi.advanceTimersByTime(1);
    expect(queue.depth).toBe(1);
  });

  it('holds a delay longer than a timer can bear', () => {
    const queue = new WorkQueue();
    queue.addAfter('a', 40 * 24 * 3600 * 1000);
    vi.advanceTimersByTime(1);
    expect(queue.depth).toBe(0);
  });

  it('hands out nothing after it was closed, not even to workers that wait', async () => {
    const queue = new WorkQueue();
    const next = queue.next();
    queue.addAfter('a', 1);
    queue.close();
    queue.add('b');
    vi.advanceTimersByTime(10);
    expect([await next, await queue.next(), queue.depth]).toEqual([undefined, undefined, 0]);
  });

  it('never runs two passes of one key at a time and loses no addition, whatever happens', async () => {
    const operation = fc.record({
      key: fc.constantFrom('a', 'b', 'c'),
      kind: fc.constantFrom('add', 'after', 'failure', 'take', 'done', 'time'),
      delayMs: fc.integer({ min: 0, max: 50 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
        const user = new QueueUser();
        for (const { kind, key, delayMs } of operations) await user.does[kind](key, delayMs);
        expect(await user.unansweredAtTheEnd()).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

/** Uses a queue as the controller does, and keeps account of what it is owed. */
class QueueUser {
  private readonly queue = new WorkQueue();
  private readonly active = new Set<string>();
  private readonly owed = new Set<string>();

  readonly does = {
    add: (key: string) => this.owe(key, () => this.queue.add(key)),
    after: (key: string, delayMs: number) => this.owe(key, () => this.queue.addAfter(key, delayMs)),
    failure: (key: string) => this.owe(key, () => this.queue.addAfterFailure(key)),
    take: () => this.take(),
    done: (key: string) => {
      if (this.active.delete(key)) this.queue.done(key);
    },
    time: (_key: string, delayMs: number) => {
      vi.advanceTimersByTime(delayMs);
    },
  };

  async unansweredAtTheEnd(): Promise<readonly string[]> {
    for (const key of this.active) this.does.done(key);
    vi.advanceTimersByTime(1_000_000);
    while (this.queue.depth > 0) await this.take();
    this.queue.close();
    return [...this.owed];
  }

  private owe(key: string, add: () => void): void {
    this.owed.add(key);
    add();
  }

  private async take(): Promise<void> {
    if (this.queue.depth === 0) return;
    const key = await this.queue.next();
    if (key === undefined) throw new Error('the queue is not closed');
    expect(this.active.has(key)).toBe(false);
    this.active.add(key);
    this.owed.delete(key);
  }
}
