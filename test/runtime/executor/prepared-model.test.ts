import { describe, expect, it } from 'vitest';
import type { RunnableModel } from '../../../runtime/executor/batch-profile.ts';
import {
  prepareModel,
  type OpenAnother,
  type PreparedModel,
  type Session,
} from '../../../runtime/executor/prepared-model.ts';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';
import type { InferWork } from '../../../runtime/tensor/validate.ts';

const CHANGE_MS = 20;
const FULL = 'Failed to allocate memory for requested buffer of size 9';

function spin(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until;);
}

/** One session on a GPU: as ONNX Runtime plans convolutions, it pays for each change of rows, if it is told to. */
class GpuSession implements Session {
  readonly signature = {
    inputs: [{ name: 'x', datatype: 'FP32' as const, shape: ['n', 1] }],
    outputs: [{ name: 'y', datatype: 'FP32' as const, shape: ['n', 1] }],
  };
  readonly #changeMs: number;
  readonly #mostRows: number;
  #rows = 0;
  changes = 0;
  isReleased = false;

  constructor(changeMs: number, mostRows = Infinity) {
    this.#changeMs = changeMs;
    this.#mostRows = mostRows;
  }

  release(): Promise<void> {
    this.isReleased = true;
    return Promise.resolve();
  }

  run({ inputs: [x] }: InferWork): Promise<Tensor[]> {
    const { shape, data } = x as Tensor;
    const [rows = 0] = shape;
    if (rows > this.#mostRows) return Promise.reject(new Error(FULL));
    if (rows !== this.#rows) {
      this.changes++;
      spin(this.#changeMs);
    }
    this.#rows = rows;
    spin(0.2);
    return Promise.resolve([{ name: 'y', datatype: 'FP32', shape, data }]);
  }
}

function workOf(rows: number): InferWork {
  const x = { name: 'x', datatype: 'FP32' as const, shape: [rows, 1], data: new Float32Array(rows) };
  return { inputs: [x], outputNames: ['y'] };
}

function prepare(
  model: RunnableModel,
  isOnDevice: boolean,
  openAnother: OpenAnother = () => Promise.reject(new Error('not asked for')),
): Promise<PreparedModel> {
  return prepareModel(model, { maxRows: 16, measuringMs: 20_000, isOnDevice }, openAnother);
}

describe('a model that is to run on a GPU', () => {
  it('has a session for each size of batch where a change of size is dear, and pays for none any more', async () => {
    const sessions: GpuSession[] = [];
    const open = (): GpuSession => {
      const session = new GpuSession(CHANGE_MS);
      sessions.push(session);
      return session;
    };
    const prepared = await prepare(open(), true, () => Promise.resolve(open()));
    expect(sessions).toHaveLength(3);
    expect(prepared.batchProfile.refusal).toBeUndefined();
    expect(prepared.batchProfile.costs.map(({ rows }) => rows)).toEqual([1, 2, 4, 8, 16]);
    for (const { ms } of prepared.batchProfile.costs) expect(ms).toBeLessThan(CHANGE_MS);
    const before = sessions.map(({ changes }) => changes);
    for (const rows of [1, 5, 2, 16, 7, 1, 40, 3]) {
      await prepared.prepareFor?.(workOf(rows));
      await prepared.model.run(workOf(rows));
    }
    expect(sessions.map(({ changes }, index) => changes - (before[index] ?? 0))).toEqual([0, 0, 0]);
  });

  it('stays as it is where a change costs nothing', async () => {
    const model = new GpuSession(0);
    const prepared = await prepare(model, true);
    expect(prepared).toMatchObject({ model, prepareFor: undefined });
    expect(prepared.batchProfile.refusal).toBeUndefined();
  });

  it('has sessions as far as there is room; larger batches go in pieces', async () => {
    const small = new GpuSession(CHANGE_MS);
    const large = new GpuSession(CHANGE_MS, 4);
    const sessions = [small, large];
    const open = (): Promise<GpuSession> => Promise.resolve(sessions.shift() as GpuSession);
    const prepared = await prepare(new GpuSession(CHANGE_MS), true, open);
    expect(prepared.batchProfile.refusal).toBeUndefined();
    expect(large.isReleased).toBe(true);
    expect(small.isReleased).toBe(false);
    const { changes } = small;
    expect((await prepared.model.run(workOf(15)))[0]?.shape).toEqual([15, 1]);
    expect(small.changes).toBe(changes);
  });

  it('is not batched where there is no room for another session', async () => {
    const model = new GpuSession(CHANGE_MS);
    const { batchProfile, ...prepared } = await prepare(model, true, () => Promise.reject(new Error(FULL)));
    expect(prepared).toEqual({ model, prepareFor: undefined });
    expect(batchProfile).toMatchObject({
      refusal: `the device cannot hold it once more for another size of batch: ${FULL}`,
      costs: [{ rows: 1 }],
    });
  });
});

it('a model on the CPU stays as it is, whatever a change costs', async () => {
  const model = new GpuSession(CHANGE_MS);
  expect(await prepare(model, false)).toMatchObject({ model, prepareFor: undefined });
});
