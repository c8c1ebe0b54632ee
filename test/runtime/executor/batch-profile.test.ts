import { describe, expect, it } from 'vitest';
import { profileBatching, type RunnableModel } from '../../../runtime/executor/batch-profile.ts';
import { OnnxModel } from '../../../runtime/executor/onnx-model.ts';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';
import { exampleModelPath } from '../../support/example-models.ts';

type Answer = (rows: number, values: Float32Array) => Tensor;

function output(shape: readonly number[], values: readonly number[]): Tensor {
  return { name: 'y', datatype: 'FP32', shape, data: Float32Array.from(values) };
}

function modelOf(answer: Answer): RunnableModel {
  return {
    signature: {
      inputs: [{ name: 'x', datatype: 'FP32', shape: ['n', 1] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: ['n'] }],
    },
    run: ({ inputs: [x] }) => {
      const rows = x?.shape[0] ?? 0;
      return new Promise((resolve) => resolve([answer(rows, x?.data as Float32Array)]));
    },
  };
}

const measuring = (maxRows: number, measuringMs = 20_000) => ({ maxRows, measuringMs, isOnDevice: false });

describe('what the executor finds out about batching at warm-up', { timeout: 60_000 }, () => {
  it.each(['v1', 'v2', 'slow'])(
    'is the cost of batches up to the largest, for example model %s',
    async (name) => {
      const model = await OnnxModel.load({ modelPath: exampleModelPath(`${name}.onnx`), threads: 1 });
      await model.warmUp();
      const { refusal, costs } = await profileBatching(model, measuring(6));
      expect(refusal).toBeUndefined();
      expect(costs.map(({ rows }) => rows)).toEqual([1, 2, 4, 6]);
      expect(costs.every(({ ms }) => ms > 0 && ms < 1000)).toBe(true);
    },
  );

  it.each<[string, Answer, string]>([
    [
      'normalises over the batch',
      (rows, values) =>
        output(
          [rows],
          [...values].map((value) => value - Math.max(...values)),
        ),
      'its answer to a row depends on the other rows',
    ],
    [
      'answers once for all rows',
      () => output([1], [0]),
      "it fails on several rows at once: output 'y': expected 3 rows, got shape [1]",
    ],
  ])('is that a model is not batched which %s', async (_, answer, refusal) => {
    expect(await profileBatching(modelOf(answer), measuring(8))).toMatchObject({
      refusal,
      costs: [{ rows: 1 }],
    });
  });

  it('takes rounding for no difference', async () => {
    const answer: Answer = (rows, values) =>
      output(
        [rows],
        [...values].map((value) => value + rows * 1e-7),
      );
    expect(await profileBatching(modelOf(answer), measuring(2))).toMatchObject({ refusal: undefined });
  });

  it('does without ones where the model does not know them', async () => {
    const answer: Answer = (rows, values) => {
      if (values.includes(1)) throw new Error('Gather');
      return output([rows], [...values]);
    };
    expect(await profileBatching(modelOf(answer), measuring(2))).toMatchObject({ refusal: undefined });
  });

  it('ends in time for a slow model', async () => {
    const answer: Answer = (rows, values) => {
      for (const until = performance.now() + 100 * rows; performance.now() < until;);
      return output([rows], [...values]);
    };
    const { costs } = await profileBatching(modelOf(answer), measuring(32, 300));
    expect(costs.map(({ rows }) => rows)).toEqual([1]);
  });
});
