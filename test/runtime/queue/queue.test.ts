import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestError } from '../../../runtime/errors.ts';
import { ModelRunError } from '../../../runtime/executor/executor.ts';
import { InferQueue, type Job } from '../../../runtime/queue/queue.ts';
import { noTimes, ScriptedExecutor, work } from './scripted-executor.ts';

interface Bench {
  readonly executor: ScriptedExecutor;
  readonly queue: InferQueue;
  /** What became of each request, in the order in which it was settled. */
  readonly settled: string[];
  readonly submit: (name: string) => Job;
}

function build(maxDepth: number): Bench {
  const executor = new ScriptedExecutor();
  const queue = new InferQueue(executor, maxDepth);
  const settled: string[] = [];
  const submit = (name: string): Job => {
    const job = queue.submit(work(name), noTimes());
    job.answer.promise.then(
      () => settled.push(`${name} answered`),
      (error: unknown) => settled.push(`${name} ${(error as RequestError).reason}`),
    );
    return job;
  };
  return { executor, queue, settled, submit };
}

function refusalOf(submit: () => unknown): RequestError {
  try {
    submit();
  } catch (error) {
    return error as RequestError;
  }
  throw new Error('the request was admitted');
}

async function answerAll({ executor }: Bench): Promise<void> {
  while (executor.running.size > 0) {
    executor.answerOldest();
    await turn();
  }
}

describe('the queue in front of the executor', () => {
  it('answers in the order of arrival and hands over a few at a time', async () => {
    const bench = build(10);
    for (const name of ['a', 'b', 'c', 'd']) bench.submit(name);
    expect([...bench.executor.running.keys()]).toEqual(['a', 'b']);
    expect(bench.queue.depth).toBe(2);
    await answerAll(bench);
    expect(bench.settled).toEqual(['a answered', 'b answered', 'c answered', 'd answered']);
    expect(bench.queue.isIdle).toBe(true);
  });

  it('sheds beyond its depth with 429 and tells when to come back', () => {
    const bench = build(3);
    for (const name of ['a', 'b', 'c', 'd', 'e']) bench.submit(name);
    const refusal = refusalOf(() => bench.submit('f'));
    expect(refusal.httpStatus).toBe(429);
    expect(refusal.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(refusal.message).toBe('the queue is full: 3 requests are waiting');
  });

  it('forgets a waiting request whose client is gone', async () => {
    const bench = build(10);
    const [, , third] = ['a', 'b', 'c', 'd'].map((name) => bench.submit(name));
    if (third !== undefined) bench.queue.withdraw(third);
    await answerAll(bench);
    expect(bench.settled).toEqual(['a answered', 'b answered', 'd answered']);
  });

  it('tries the requests of a lost executor once more, each alone, before all others', async () => {
    const bench = build(10);
    for (const name of ['a', 'b', 'c']) bench.submit(name);
    bench.executor.lose();
    await turn();
    expect(bench.executor.running.size).toBe(0);
    bench.executor.change('ready');
    expect([...bench.executor.running.keys()]).toEqual(['a']);
    bench.executor.answerOldest();
    await turn();
    expect([...bench.executor.running.keys()]).toEqual(['b']);
    await answerAll(bench);
    expect(bench.settled).toEqual(['a answered', 'b answered', 'c answered']);
  });

  it('gives up a request under which two executors were lost, and none beside it', async () => {
    const bench = build(10);
    for (const name of ['poison', 'b', 'c']) bench.submit(name);
    bench.executor.lose();
    await turn();
    bench.executor.change('ready');
    bench.executor.lose();
    await turn();
    bench.executor.change('ready');
    await answerAll(bench);
    expect(bench.settled).toEqual(['poison ExecutorLost', 'b answered', 'c answered']);
  });

  it('does not try again for a client that is gone', async () => {
    const bench = build(10);
    bench.queue.withdraw(bench.submit('poison'));
    bench.executor.lose();
    await turn();
    bench.executor.change('ready');
    expect(bench.executor.running.size).toBe(0);
    expect(bench.queue.isIdle).toBe(true);
  });

  it("passes the model's own error on and tries nothing again", async () => {
    const bench = build(10);
    const job = bench.submit('a');
    bench.executor.running.get('a')?.reject(new ModelRunError('Gather'));
    await expect(job.answer.promise).rejects.toThrow('Gather');
    expect(bench.queue.isIdle).toBe(true);
  });

  it.each(['down', 'closed'] as const)(
    'sends all that wait away when the executor is %s, and takes no more',
    async (state) => {
      const bench = build(10);
      for (const name of ['a', 'b', 'c']) bench.submit(name);
      bench.executor.lose(state);
      await turn();
      expect(bench.settled.toSorted()).toEqual(['a ExecutorLost', 'b ExecutorLost', 'c ModelNotReady']);
      expect(refusalOf(() => bench.submit('d'))).toMatchObject({ httpStatus: 503, retryAfterSeconds: 5 });
    },
  );

  it('settles every admitted request exactly once, whatever happens in whatever order', async () => {
    const steps = fc.array(fc.constantFrom('submit', 'answer', 'lose', 'ready', 'withdraw'), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(steps, async (names) => {
        const bench = build(4);
        const admitted: Job[] = [];
        let takenBack = 0;
        const take = {
          submit: () => {
            if (bench.queue.depth < 4) admitted.push(bench.submit(String(admitted.length)));
          },
          answer: () => {
            if (bench.executor.running.size > 0) bench.executor.answerOldest();
          },
          lose: () => bench.executor.lose(),
          ready: () => bench.executor.change('ready'),
          withdraw: () => {
            const { depth } = bench.queue;
            for (const job of admitted.slice(-1)) bench.queue.withdraw(job);
            takenBack += depth - bench.queue.depth;
          },
        };
        for (const name of names) {
          take[name]();
          await turn();
        }
        bench.executor.change('ready');
        await answerAll(bench);
        expect(bench.settled.length).toBe(admitted.length - takenBack);
        expect(bench.queue.isIdle).toBe(true);
      }),
    );
  });
});
