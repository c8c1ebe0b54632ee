import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunnableModel } from '../../../runtime/executor/batch-profile.ts';
import { OnnxModel } from '../../../runtime/executor/onnx-model.ts';
import { SizedModel, sizesUpTo } from '../../../runtime/executor/sized-model.ts';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';
import type { InferWork } from '../../../runtime/tensor/validate.ts';
import { exampleModelPath } from '../../support/example-models.ts';

/** Doubles a number and repeats a text, row by row; notes how many rows each run had. */
class NotingModel implements RunnableModel {
  readonly signature = { inputs: [], outputs: [] };
  readonly runs: number[] = [];

  run({ inputs }: InferWork): Promise<Tensor[]> {
    const [numbers, texts] = inputs as [Tensor, Tensor];
    this.runs.push(numbers.shape[0] ?? 0);
    const doubled = (numbers.data as Float32Array).map((value) => 2 * value);
    const repeated = (texts.data as string[]).map((text) => text + text);
    return Promise.resolve([
      { ...numbers, name: 'doubled', data: doubled },
      { ...texts, name: 'repeated', data: repeated },
    ]);
  }
}

function workOf(rows: number, width: number): InferWork {
  const numbers = Float32Array.from({ length: rows * width }, (_, index) => index);
  const texts = Array.from({ length: rows }, (_, row) => `row ${row}`);
  return {
    inputs: [
      { name: 'numbers', datatype: 'FP32', shape: [rows, width], data: numbers },
      { name: 'texts', datatype: 'BYTES', shape: [rows], data: texts },
    ],
    outputNames: ['doubled', 'repeated'],
  };
}

function modelsUpTo(maxRows: number): Map<number, NotingModel> {
  return new Map(sizesUpTo(maxRows).map((size) => [size, new NotingModel()]));
}

it.each([
  [1, [1]],
  [2, [1, 2]],
  [4, [1, 4]],
  [5, [1, 4, 5]],
  [32, [1, 4, 16, 32]],
  [64, [1, 4, 16, 64]],
])('batches of up to %i have sessions for %j', (maxRows, sizes) => {
  expect(sizesUpTo(maxRows)).toEqual(sizes);
});

describe('a model in several sessions', () => {
  it('answers any number of rows as one session would, and each session runs its size alone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 5 }),
        async (maxRows, rows, width) => {
          const models = modelsUpTo(maxRows);
          const work = workOf(rows, width);
          expect(await new SizedModel(models).run(work)).toEqual(await new NotingModel().run(work));
          for (const [size, { runs }] of models) expect(new Set(runs)).toEqual(new Set(runs.map(() => size)));
        },
      ),
    );
  });

  it('fills no batch up to more than four times its rows', async () => {
    for (let rows = 1; rows <= 32; rows++) {
      const models = modelsUpTo(32);
      await new SizedModel(models).run(workOf(rows, 1));
      const ran = [...models.values()].flatMap(({ runs }) => runs);
      expect(ran).toHaveLength(1);
      expect(ran[0]).toBeLessThanOrEqual(4 * rows);
    }
  });

  it('pays for a change of sizes before the run that counts, and for nothing else', async () => {
    const models = modelsUpTo(4);
    const sized = new SizedModel(models);
    const runsOfFour = async (rows: number, width: number): Promise<number> => {
      const before = models.get(4)?.runs.length ?? 0;
      await sized.prepareFor(workOf(rows, width));
      await sized.run(workOf(rows, width));
      return (models.get(4)?.runs.length ?? 0) - before;
    };
    await sized.prepareFor(workOf(1, 1));
    expect(await runsOfFour(2, 3)).toBe(2);
    expect(await runsOfFour(3, 3)).toBe(1);
    expect(await runsOfFour(4, 3)).toBe(1);
    expect(await runsOfFour(4, 5)).toBe(2);
    expect(await runsOfFour(1, 5)).toBe(0);
    expect(await runsOfFour(2, 5)).toBe(1);
  });

  it('is prepared in each size for the work that comes first', async () => {
    const models = modelsUpTo(16);
    const sized = new SizedModel(models);
    await sized.prepareFor(workOf(3, 5));
    expect([...models.values()].map(({ runs }) => runs)).toEqual([[1], [4], [16]]);
    await sized.prepareFor(workOf(9, 5));
    await sized.prepareFor(workOf(1, 5));
    expect([...models.values()].map(({ runs }) => runs)).toEqual([[1], [4], [16]]);
  });

  it('leaves inputs without common rows to the model', async () => {
    const models = modelsUpTo(4);
    const [numbers, texts] = workOf(3, 1).inputs as [Tensor, Tensor];
    const other = { ...texts, shape: [2], data: (texts.data as string[]).slice(0, 2) };
    const work = { inputs: [numbers, other], outputNames: [] };
    expect(await new SizedModel(models).run(work)).toEqual(await new NotingModel().run(work));
    expect(models.get(4)?.runs).toEqual([3]);
  });

  it('answers as ONNX Runtime does', async () => {
    const load = () => OnnxModel.load({ modelPath: exampleModelPath('v1.onnx'), threads: 1 });
    const model = await load();
    const sized = new SizedModel(
      new Map([
        [1, model],
        [4, await load()],
      ]),
    );
    for (const rows of [1, 2, 3, 4, 9]) {
      const data = Float32Array.from({ length: rows * 30 }, (_, index) => (index % 17) / 17);
      const work = {
        inputs: [{ name: 'X', datatype: 'FP32', shape: [rows, 30], data } as const],
        outputNames: model.signature.outputs.map(({ name }) => name),
      };
      expect(await sized.run(work)).toEqual(await model.run(work));
    }
  });
});
