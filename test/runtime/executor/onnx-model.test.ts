import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { OnnxModel } from '../../../runtime/executor/onnx-model.ts';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';
import { exampleModelPath, readReference } from '../../support/example-models.ts';
import { buildOnnxModel, type Channel } from '../../support/onnx-model.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'headgate-onnx-'));
afterAll(() => rmSync(folder, { recursive: true }));

function load(channels: readonly Channel[]): Promise<OnnxModel> {
  const modelPath = path.join(folder, 'model.onnx');
  writeFileSync(modelPath, buildOnnxModel(channels));
  return OnnxModel.load({ modelPath, threads: 1 });
}

function loadExample(name: string): Promise<OnnxModel> {
  return OnnxModel.load({ modelPath: exampleModelPath(`${name}.onnx`), threads: 1 });
}

const allTypes: Tensor[] = [
  { name: 'a', datatype: 'BOOL', shape: [2], data: Uint8Array.of(0, 1) },
  { name: 'b', datatype: 'UINT8', shape: [2], data: Uint8Array.of(0, 255) },
  { name: 'c', datatype: 'UINT16', shape: [2], data: Uint16Array.of(0, 65_535) },
  { name: 'd', datatype: 'UINT32', shape: [2], data: Uint32Array.of(0, 4_294_967_295) },
  { name: 'e', datatype: 'UINT64', shape: [2], data: BigUint64Array.of(0n, 2n ** 64n - 1n) },
  { name: 'f', datatype: 'INT8', shape: [2], data: Int8Array.of(-128, 127) },
  { name: 'g', datatype: 'INT16', shape: [2], data: Int16Array.of(-32_768, 32_767) },
  { name: 'h', datatype: 'INT32', shape: [2], data: Int32Array.of(-2_147_483_648, 2_147_483_647) },
  { name: 'i', datatype: 'INT64', shape: [2], data: BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n) },
  { name: 'j', datatype: 'FP16', shape: [2], data: Uint16Array.of(0x3c00, 0x7c00) },
  { name: 'k', datatype: 'FP32', shape: [2], data: Float32Array.of(-0, NaN) },
  { name: 'l', datatype: 'FP64', shape: [2], data: Float64Array.of(Math.PI, -Infinity) },
  { name: 'm', datatype: 'BYTES', shape: [2], data: ['', 'Zürich 東京'] },
];

describe('ONNX Runtime behind the executor', { timeout: 60_000 }, () => {
  it('passes every datatype in and out unchanged', async () => {
    const model = await load(allTypes.map(({ name, datatype }) => ({ name, type: datatype, shape: ['n'] })));
    const outputNames = allTypes.map(({ name }) => `${name}_out`);
    const outputs = await model.run({ inputs: allTypes, outputNames });
    expect(outputs).toEqual(allTypes.map((tensor) => ({ ...tensor, name: `${tensor.name}_out` })));
  });

  it('passes any INT64 exactly', async () => {
    const model = await load([{ name: 'x', type: 'INT64', shape: ['n'] }]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })), async (values) => {
        const input: Tensor = {
          name: 'x',
          datatype: 'INT64',
          shape: [values.length],
          data: BigInt64Array.from(values),
        };
        const [output] = await model.run({ inputs: [input], outputNames: ['x_out'] });
        expect([...(output?.data ?? [])]).toEqual(values);
      }),
    );
  });

  it('tells the signature: names, datatypes, sizes and the names of changing dimensions', async () => {
    const { signature } = await load([{ name: 'image', type: 'FP32', shape: ['batch', 3, 224] }]);
    expect(signature).toEqual({
      inputs: [{ name: 'image', datatype: 'FP32', shape: ['batch', 3, 224] }],
      outputs: [{ name: 'image_out', datatype: 'FP32', shape: ['batch', 3, 224] }],
    });
  });

  it('warms up on zeros of the declared shapes, with text and scalars too', async () => {
    const model = await load([
      { name: 'x', type: 'FP32', shape: ['n', 3] },
      { name: 'text', type: 'BYTES', shape: [2] },
      { name: 'scalar', type: 'INT64', shape: [] },
    ]);
    await expect(model.warmUp()).resolves.toBeUndefined();
  });

  it('says that bfloat16 cannot be passed and what to do', async () => {
    await expect(load([{ name: 'x', type: 'BF16', shape: [1] }])).rejects.toThrow(
      /bfloat16.*cast it to float32/,
    );
  });

  it('says which operator the file asks for in vain', async () => {
    await expect(load([{ name: 'x', type: 'FP32', shape: [1], operator: 'Frobnicate' }])).rejects.toThrow(
      /Frobnicate/,
    );
  });

  it.each(['v1', 'v2', 'slow'])('answers with example model %s as scikit-learn does', async (name) => {
    const reference = readReference();
    const [{ shape, data }] = reference.request.inputs;
    const expected = reference.answers[name];
    const model = await loadExample(name);
    const [label, probabilities] = await model.run({
      inputs: [{ name: 'X', datatype: 'FP32', shape, data: Float32Array.from(data) }],
      outputNames: ['label', 'probabilities'],
    });
    expect([...(label?.data ?? [])].map(Number)).toEqual(expected?.label);
    const differences = [...(probabilities?.data ?? [])].map((value, index) =>
      Math.abs(Number(value) - (expected?.probabilities[index] ?? NaN)),
    );
    expect(differences.length).toBe(expected?.probabilities.length);
    expect(Math.max(...differences)).toBeLessThan(1e-5);
  });

  it('warms up with the model that answers every real row with an error: only traffic can tell', async () => {
    const model = await loadExample('errors-on-real-data');
    await model.warmUp();
    const [{ shape, data }] = readReference().request.inputs;
    const inputs: Tensor[] = [{ name: 'X', datatype: 'FP32', shape, data: Float32Array.from(data) }];
    await expect(model.run({ inputs, outputNames: ['label', 'probabilities'] })).rejects.toThrow(/Gather/);
  });

  it('cannot load the broken example model', async () => {
    await expect(loadExample('broken')).rejects.toThrow(/Protobuf parsing failed/);
  });
});
