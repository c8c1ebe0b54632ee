import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AnswerCache, type CacheJourney, type PendingOutputs } from '../../../runtime/cache/answer-cache.ts';
import { MemoryStore } from '../../../runtime/cache/memory-store.ts';
import { Deferred } from '../../../runtime/deferred.ts';
import { ModelRunError } from '../../../runtime/executor/executor.ts';
import { expired, overloaded } from '../../../runtime/queue/refusals.ts';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';
import type { InferWork } from '../../../runtime/tensor/validate.ts';

const outputs: Tensor[] = [{ name: 'y', datatype: 'FP32', shape: [1], data: Float32Array.of(1.5) }];

function workOf(value: number, outputNames: readonly string[] = ['y']): InferWork {
  return { inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: Float32Array.of(value) }], outputNames };
}

/** A cache before a model whose answers the test gives. */
class Bench {
  digest = 'a';
  withdrawn = 0;
  readonly runs: Deferred<readonly Tensor[]>[] = [];
  readonly #cache = new AnswerCache(
    new MemoryStore({ maxBytes: 10_000, ttlMs: 60_000 }, () => 0),
    () => this.digest,
  );

  ask(work: InferWork, deadlineAtMs?: number): PendingOutputs & { readonly journey: CacheJourney } {
    const journey: CacheJourney = { cache: undefined, deadlineAtMs };
    const run = (): PendingOutputs => {
      const answer = new Deferred<readonly Tensor[]>();
      this.runs.push(answer);
      return { outputs: answer.promise, withdraw: () => this.withdrawn++ };
    };
    const pending = this.#cache.answer(work, journey, run);
    // A test that withdraws looks at no answer.
    pending.outputs.catch(() => undefined);
    return { ...pending, journey };
  }
}

describe('the cache of answers', () => {
  it('asks the model once for a hundred equal requests at one time, and not at all for the next', async () => {
    const bench = new Bench();
    const asked = Array.from({ length: 100 }, () => bench.ask(workOf(1)));
    await turn();
    expect(bench.runs.length).toBe(1);
    bench.runs[0]?.resolve(outputs);
    expect(await Promise.all(asked.map((pending) => pending.outputs))).toEqual(asked.map(() => outputs));
    expect(asked.map(({ journey }) => journey.cache)).toEqual([
      'Miss',
      ...asked.slice(1).map(() => 'Shared'),
    ]);
    const next = bench.ask(workOf(1));
    expect(await next.outputs).toEqual(outputs);
    expect([next.journey.cache, bench.runs.length]).toEqual(['Hit', 1]);
  });

  it.each<[string, InferWork, string]>([
    ['value', workOf(2), 'a'],
    ['choice of outputs', workOf(1, ['z']), 'a'],
    ['model', workOf(1), 'b'],
  ])('asks the model for another %s', async (_, work, digest) => {
    const bench = new Bench();
    const first = bench.ask(workOf(1));
    await turn();
    bench.runs[0]?.resolve(outputs);
    await first.outputs;
    bench.digest = digest;
    const second = bench.ask(work);
    await turn();
    expect([second.journey.cache, bench.runs.length]).toEqual(['Miss', 2]);
  });

  it('keeps no failure, and tells it to all who wait', async () => {
    const bench = new Bench();
    const asked = [bench.ask(workOf(1)), bench.ask(workOf(1))];
    await turn();
    bench.runs[0]?.reject(new ModelRunError('Gather'));
    for (const { outputs: failed } of asked) await expect(failed).rejects.toThrow('Gather');
    bench.ask(workOf(1));
    await turn();
    expect(bench.runs.length).toBe(2);
  });

  it.each([expired(), overloaded('full', 1)])(
    'asks again for the others when only the first one was refused: $reason',
    async (error) => {
      const bench = new Bench();
      const [first, second] = [bench.ask(workOf(1)), bench.ask(workOf(1))];
      await turn();
      bench.runs[0]?.reject(error);
      await expect(first.outputs).rejects.toBe(error);
      await turn();
      bench.runs[1]?.resolve(outputs);
      expect(await second.outputs).toEqual(outputs);
    },
  );

  it('takes the question back when all who asked have gone, and not before', async () => {
    const bench = new Bench();
    const [first, second] = [bench.ask(workOf(1)), bench.ask(workOf(1))];
    await turn();
    first.withdraw();
    expect(bench.withdrawn).toBe(0);
    second.withdraw();
    expect(bench.withdrawn).toBe(1);
    bench.ask(workOf(1));
    await turn();
    expect(bench.runs.length).toBe(2);
  });

  it('takes the question back when all have gone before the store has answered', async () => {
    const bench = new Bench();
    const asked = [bench.ask(workOf(1)), bench.ask(workOf(1))];
    for (const pending of asked) pending.withdraw();
    await turn();
    expect([bench.runs.length, bench.withdrawn]).toEqual([1, 1]);
  });

  it("keeps each one's own deadline", async () => {
    const bench = new Bench();
    const patient = bench.ask(workOf(1));
    const hasty = bench.ask(workOf(1), performance.now() + 20);
    await expect(hasty.outputs).rejects.toMatchObject({ reason: 'DeadlineExceeded' });
    bench.runs[0]?.resolve(outputs);
    expect(await patient.outputs).toEqual(outputs);
  });
});
