import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batcher, type BatchProfile } from '../../../runtime/batching/batcher.ts';
import type { BatchLimits } from '../../../runtime/batching/planner.ts';
import type { BatchRelease } from '../../../runtime/batching/release.ts';
import type { RequestError } from '../../../runtime/errors.ts';
import { InvalidInputError, ModelRunError } from '../../../runtime/executor/executor.ts';
import type { Job } from '../../../runtime/queue/job.ts';
import { InferQueue } from '../../../runtime/queue/queue.ts';
import { flat, journeyOf, ScriptedExecutor, unbatched, work } from './scripted-executor.ts';

/** What was answered is settled, and the queue has seen what that makes room for. */
async function rest(): Promise<void> {
  for (let turns = 0; turns < 3; turns++) await turn();
}

interface Bench {
  readonly executor: ScriptedExecutor;
  readonly queue: InferQueue;
  /** What became of each request, in the order in which it was settled. */
  readonly settled: string[];
  /** Of each batch, in order. */
  readonly releases: BatchRelease[];
  readonly submit: (name: string, deadlineAtMs?: number) => Job;
}

interface Wish {
  readonly maxDepth?: number;
  readonly profile?: BatchProfile;
  readonly limits?: BatchLimits;
}

function build({
  maxDepth = 10,
  profile = unbatched,
  limits = { maxRows: 4, maxDelayMs: 0 },
}: Wish = {}): Bench {
  const executor = new ScriptedExecutor(profile);
  const settled: string[] = [];
  const releases: BatchRelease[] = [];
  const observers = [{ onRelease: (release: BatchRelease) => releases.push(release) }];
  const queue = new InferQueue({ executors: [executor], batcher: new Batcher(limits), maxDepth, observers });
  const submit = (name: string, deadlineAtMs?: number): Job => {
    const job = queue.submit(work(name), journeyOf(deadlineAtMs));
    job.answer.promise.then(
      ([output]) => settled.push(`${name} answered${output?.data[0] === name ? '' : ' wrongly'}`),
      (error: unknown) => settled.push(`${name} ${(error as RequestError).reason}`),
    );
    return job;
  };
  executor.change('ready');
  return { executor, queue, settled, releases, submit };
}

function refusalOf(submit: () => unknown): RequestError {
  try {
    submit();
  } catch (error) {
    return error as RequestError;
  }
  throw new Error('the request was admitted');
}

async function answerAll({ executor, queue }: Bench): Promise<void> {
  for (let round = 0; round < 1000 && !queue.isIdle; round++) {
    if (executor.running.length > 0) executor.answerOldest();
    await rest();
  }
}

describe('the queue in front of the executor', () => {
  it('answers in the order of arrival and hands over a few at a time', async () => {
    const bench = build();
    for (const name of ['a', 'b', 'c', 'd']) bench.submit(name);
    await rest();
    expect(bench.executor.running).toEqual(['a', 'b']);
    expect(bench.queue.depth).toBe(2);
    await answerAll(bench);
    expect(bench.settled).toEqual(['a answered', 'b answered', 'c answered', 'd answered']);
    expect(bench.queue.isIdle).toBe(true);
  });

  it('sheds beyond its depth with 429 and tells when to come back', async () => {
    const bench = build({ maxDepth: 3 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) bench.submit(name);
    await rest();
    const refusal = refusalOf(() => bench.submit('f'));
    expect(refusal.httpStatus).toBe(429);
    expect(refusal.retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(refusal.message).toBe('the queue is full: 3 requests are waiting');
  });

  it('forgets a waiting request whose client is gone', async () => {
    const bench = build();
    const [, , third] = ['a', 'b', 'c', 'd'].map((name) => bench.submit(name));
    if (third !== undefined) bench.queue.withdraw(third);
    await answerAll(bench);
    expect(bench.settled).toEqual(['a answered', 'b answered', 'd answered']);
  });

  it('tries the requests of a lost executor once more, each alone, before all others', async () => {
    const bench = build();
    for (const name of ['a', 'b', 'c']) bench.submit(name);
    await rest();
    bench.executor.lose();
    await rest();
    expect(bench.executor.running.length).toBe(0);
    bench.executor.change('ready');
    await rest();
    expect(bench.executor.running).toEqual(['a']);
    bench.executor.answerOldest();
    await rest();
    expect(bench.executor.running).toEqual(['b']);
    await answerAll(bench);
    expect(bench.settled).toEqual(['a answered', 'b answered', 'c answered']);
  });

  it('gives up a request under which two executors were lost, and none beside it', async () => {
    const bench = build();
    for (const name of ['poison', 'b', 'c']) bench.submit(name);
    await rest();
    bench.executor.lose();
    await rest();
    bench.executor.change('ready');
    await rest();
    bench.executor.lose();
    await rest();
    bench.executor.change('ready');
    await rest();
    await answerAll(bench);
    expect(bench.settled).toEqual(['poison InputQuarantined', 'b answered', 'c answered']);
    const refusal = refusalOf(() => bench.submit('poison'));
    expect(refusal).toMatchObject({ reason: 'InputQuarantined', httpStatus: 422 });
    bench.submit('d');
    await answerAll(bench);
    expect(bench.settled.at(-1)).toBe('d answered');
  });

  it('does not try again for a client that is gone', async () => {
    const bench = build();
    bench.queue.withdraw(bench.submit('poison'));
    bench.executor.lose();
    await rest();
    bench.executor.change('ready');
    await rest();
    expect(bench.executor.running.length).toBe(0);
    expect(bench.queue.isIdle).toBe(true);
  });

  it("passes the model's own error on and tries nothing again", async () => {
    const bench = build();
    const job = bench.submit('a');
    await rest();
    bench.executor.failOldest(new ModelRunError('Gather'));
    await expect(job.answer.promise).rejects.toThrow('Gather');
    expect(bench.queue.isIdle).toBe(true);
  });

  it.each(['down', 'closed'] as const)(
    'sends all that wait away when the executor is %s, and takes no more',
    async (state) => {
      const bench = build();
      for (const name of ['a', 'b', 'c']) bench.submit(name);
      await rest();
      bench.executor.lose(state);
      await rest();
      expect(bench.settled.toSorted()).toEqual(['a ExecutorLost', 'b ExecutorLost', 'c ModelNotReady']);
      expect(refusalOf(() => bench.submit('d'))).toMatchObject({ httpStatus: 503, retryAfterSeconds: 5 });
    },
  );

  it('gives requests that wait together to the model in one batch, and each its own answer', async () => {
    const bench = build({ profile: flat });
    const jobs = ['a', 'b', 'c', 'd', 'e'].map((name) => bench.submit(name));
    await rest();
    expect(bench.executor.running).toEqual(['a+b']);
    bench.executor.answerOldest();
    await rest();
    expect(bench.executor.running).toEqual(['c+d+e']);
    await answerAll(bench);
    expect(bench.settled).toEqual(['a', 'b', 'c', 'd', 'e'].map((name) => `${name} answered`));
    expect(jobs.map(({ journey }) => journey.batchRows)).toEqual([2, 2, 3, 3, 3]);
    expect(jobs.map(({ journey }) => journey.computeMs)).toEqual([10, 10, 10, 10, 10]);
    // They waited for the executor, not for each other.
    expect(jobs.map(({ journey }) => journey.batchMs)).toEqual(Array(5).fill(undefined));
    expect(bench.releases).toEqual([
      { reason: 'Cheapest', requests: 2, rows: 2 },
      { reason: 'NothingToGain', requests: 3, rows: 3 },
    ]);
  });

  it.each([new ModelRunError('Gather'), new InvalidInputError('rank')])(
    'runs each request of a batch that failed with "$message" alone, so that one poisoned request fails alone',
    async (error) => {
      const bench = build({ profile: flat });
      for (const name of ['poison', 'b']) bench.submit(name);
      await rest();
      expect(bench.executor.running).toEqual(['poison+b']);
      bench.executor.failOldest(error);
      await rest();
      expect(bench.executor.running).toEqual(['poison', 'b']);
      bench.executor.failOldest(error);
      await answerAll(bench);
      expect(bench.settled).toEqual(['poison undefined', 'b answered']);
    },
  );

  it('runs each request of a batch whose executor was lost alone', async () => {
    const bench = build({ profile: flat });
    for (const name of ['poison', 'b']) bench.submit(name);
    await rest();
    bench.executor.lose();
    await rest();
    bench.executor.change('ready');
    await rest();
    expect(bench.executor.running).toEqual(['poison']);
    bench.executor.lose();
    await rest();
    bench.executor.change('ready');
    await answerAll(bench);
    expect(bench.settled).toEqual(['poison InputQuarantined', 'b answered']);
  });

  it('holds a batch open for company that is expected, and not beyond maxDelay', async () => {
    const bench = build({ profile: flat, limits: { maxRows: 4, maxDelayMs: 40 } });
    const ask = async (names: readonly string[]): Promise<Job[]> => {
      const jobs = names.map((name) => bench.submit(name));
      await rest();
      return jobs;
    };
    for (let round = 0; round < 6; round++) {
      await ask(['a', 'b', 'c', 'd']);
      await answerAll(bench);
    }
    const [first] = await ask(['e']);
    expect(bench.executor.running).toEqual([]);
    const [second] = await ask(['f']);
    await expect.poll(() => bench.executor.running).toEqual(['e+f']);
    // An executor was there all the time.
    const [waited, queued] = [first?.journey.batchMs ?? 0, first?.journey.queueMs ?? Infinity];
    expect(waited).toBeGreaterThan(queued);
    expect(waited).toBeGreaterThanOrEqual(second?.journey.batchMs ?? Infinity);
    // One of two gains half of the 10 ms of a run.
    expect(waited + queued).toBeGreaterThan(4);
    expect(bench.releases.at(-1)).toEqual({ reason: 'DelayOver', requests: 2, rows: 2 });
    await answerAll(bench);
  });

  it('serves the earliest deadline first', async () => {
    const bench = build();
    const nowMs = performance.now();
    for (const name of ['a', 'b']) bench.submit(name);
    bench.submit('late', nowMs + 60_000);
    bench.submit('usual');
    bench.submit('early', nowMs + 500);
    await answerAll(bench);
    expect(bench.settled).toEqual(['early', 'a', 'b', 'usual', 'late'].map((name) => `${name} answered`));
  });

  it('answers a request whose deadline passed while it waited with 504, and never runs it', async () => {
    const bench = build();
    for (const name of ['a', 'b']) bench.submit(name);
    await rest();
    const doomed = bench.submit('doomed', performance.now() + 100);
    await expect(doomed.answer.promise).rejects.toMatchObject({
      reason: 'DeadlineExceeded',
      httpStatus: 504,
    });
    expect(bench.executor.running).toEqual(['a', 'b']);
    await answerAll(bench);
    expect(bench.settled).toEqual(['doomed DeadlineExceeded', 'a answered', 'b answered']);
  });

  it('sheds at arrival what cannot be answered in time, or would make another one late', async () => {
    const bench = build({ profile: { refusal: 'the test says so', costs: [{ rows: 1, ms: 1000 }] } });
    const nowMs = performance.now();
    for (const name of ['a', 'b', 'c', 'd']) bench.submit(name);
    await rest();
    expect(bench.executor.running).toEqual(['a', 'b']);
    expect(refusalOf(() => bench.submit('hopeless', nowMs + 9800))).toMatchObject({
      httpStatus: 429,
      retryAfterSeconds: 5,
      message: "the answer would come after the request's deadline: 2 requests are waiting",
    });
    bench.submit('just in time', nowMs + 10_500);
    expect(refusalOf(() => bench.submit('pushing', nowMs + 10_400)).reason).toBe('Overloaded');
    bench.submit('patient', nowMs + 60_000);
    expect(refusalOf(() => bench.submit('over', nowMs - 1)).reason).toBe('DeadlineExceeded');
    await answerAll(bench);
    expect(bench.settled).toEqual(
      ['a', 'b', 'c', 'd', 'just in time', 'patient'].map((name) => `${name} answered`),
    );
  });

  it('settles every admitted request exactly once, whatever happens in whatever order', async () => {
    const steps = fc.array(fc.constantFrom('submit', 'answer', 'lose', 'ready', 'withdraw'), {
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(steps, async (names) => {
        const bench = build({ maxDepth: 4 });
        const admitted: Job[] = [];
        let takenBack = 0;
        const take = {
          submit: () => {
            if (bench.queue.depth < 4) admitted.push(bench.submit(String(admitted.length)));
          },
          answer: () => {
            if (bench.executor.running.length > 0) bench.executor.answerOldest();
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
          await rest();
        }
        bench.executor.change('ready');
        await rest();
        await answerAll(bench);
        expect(bench.settled.length).toBe(admitted.length - takenBack);
        expect(bench.queue.isIdle).toBe(true);
      }),
    );
  });
});
