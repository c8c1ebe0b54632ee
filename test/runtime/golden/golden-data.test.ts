import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeDifference } from '../../../runtime/golden/compare.ts';
import { parseTensorProto } from '../../../runtime/golden/tensor-proto.ts';
import { WireWriter } from '../../../runtime/protobuf/wire-writer.ts';
import { datatypes, type Tensor } from '../../../runtime/tensor/datatype.ts';
import { writeRaw } from '../../../runtime/tensor/raw.ts';
import { exampleModelPath, readReference } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

/** TensorProto.DataType, in the order of the datatypes of the protocol. */
const numberOf: Readonly<Record<Tensor['datatype'], number>> = {
  ...{ BOOL: 9, UINT8: 2, UINT16: 4, UINT32: 12, UINT64: 13, INT8: 3, INT16: 5, INT32: 6, INT64: 7 },
  ...{ FP16: 10, FP32: 1, FP64: 11, BYTES: 8 },
};

function rawProto(tensor: Tensor): Buffer {
  const writer = new WireWriter()
    .packed(1, [...tensor.shape])
    .uint(2, numberOf[tensor.datatype])
    .string(8, tensor.name);
  return writer.bytes(9, writeRaw(tensor)).finish();
}

function float(name: string, ...values: number[]): Tensor {
  return { name, datatype: 'FP32', shape: [values.length], data: Float32Array.from(values) };
}

describe('a tensor in an ONNX file', () => {
  it.each(datatypes.filter((datatype) => datatype !== 'BYTES'))('is read from raw data: %s', (datatype) => {
    const width = { BOOL: 1, UINT8: 1, INT8: 1, UINT16: 2, INT16: 2, FP16: 2 }[datatype as string];
    const bytes = Buffer.alloc(6 * (width ?? (datatype.endsWith('64') ? 8 : 4)), 1);
    const proto = new WireWriter().packed(1, [2, 3]).uint(2, numberOf[datatype]).bytes(9, bytes).finish();
    const tensor = parseTensorProto(proto);
    expect([tensor.datatype, tensor.shape, writeRaw(tensor)]).toEqual([datatype, [2, 3], bytes]);
  });

  it('is read from typed data, and refused when there is too little', () => {
    const floats = Buffer.from(Float32Array.of(1, 2.5).buffer);
    const head = (size: number): WireWriter => new WireWriter().packed(1, [size]).uint(2, 1);
    expect(parseTensorProto(head(2).bytes(4, floats).finish()).data).toEqual(Float32Array.of(1, 2.5));
    expect(() => parseTensorProto(head(3).bytes(4, floats).finish())).toThrow(
      'expected 3 values for shape [3], got 2',
    );
    const texts = new WireWriter().packed(1, [1]).uint(2, 8).string(6, 'Zürich').finish();
    expect(parseTensorProto(texts)).toMatchObject({ datatype: 'BYTES', data: ['Zürich'] });
  });

  it('is refused when its type cannot be served', () => {
    expect(() => parseTensorProto(new WireWriter().uint(2, 16).string(8, 'x').finish())).toThrow(
      "tensor 'x' has a data type that cannot be served",
    );
  });
});

describe('two tensors', () => {
  it('are equal to themselves, NaN and infinities too', () => {
    fc.assert(
      fc.property(fc.array(fc.float()), (values) => {
        const tensor = float('y', ...values);
        expect(describeDifference(tensor, tensor)).toBeUndefined();
      }),
    );
  });

  it.each<[string, Tensor, Tensor | undefined]>([
    ["output 'y' is missing", float('y', 1), undefined],
    ["output 'y': expected FP32[1], got FP32[2]", float('y', 1), float('y', 1, 2)],
    ["output 'y', element 1: expected 2, got 2.25", float('y', 1, 2), float('y', 1, 2.25)],
    ["output 'y', element 0: expected NaN, got 0", float('y', NaN), float('y', 0)],
    [
      "output 'y', element 0: expected 1, got 2",
      { name: 'y', datatype: 'INT64', shape: [1], data: BigInt64Array.of(1n) },
      { name: 'y', datatype: 'INT64', shape: [1], data: BigInt64Array.of(2n) },
    ],
    [
      "output 'y', element 0: expected 1, got 1.5",
      { name: 'y', datatype: 'FP16', shape: [1], data: Uint16Array.of(0x3c00) },
      { name: 'y', datatype: 'FP16', shape: [1], data: Uint16Array.of(0x3e00) },
    ],
  ])('differ: %s', (words, expected, actual) => {
    expect(describeDifference(expected, actual)).toBe(words);
  });

  it('are as good as equal within the rounding of their datatype', () => {
    expect(describeDifference(float('y', 1), float('y', 1.0005))).toBeUndefined();
  });
});

describe('golden data beside a model', { timeout: 60_000 }, () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'headgate-golden-'));
    copyFileSync(exampleModelPath('v1.onnx'), path.join(folder, 'model.onnx'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const { request, answers } = readReference();
  const [X] = request.inputs;

  function keep(set: string, labels: readonly number[]): void {
    const data = Float32Array.from(answers['v1']?.probabilities ?? []);
    const tensors: Readonly<Record<string, Tensor>> = {
      'input_0.pb': { name: '', datatype: 'FP32', shape: X.shape, data: Float32Array.from(X.data) },
      'output_0.pb': {
        ...{ name: 'label', datatype: 'INT64', shape: [8] },
        data: BigInt64Array.from(labels.map(BigInt)),
      },
      'output_1.pb': { name: 'probabilities', datatype: 'FP32', shape: [8, 2], data },
    };
    mkdirSync(path.join(folder, set));
    for (const [name, tensor] of Object.entries(tensors))
      writeFileSync(path.join(folder, set, name), rawProto(tensor));
  }

  const start = (): RuntimeProcess =>
    new RuntimeProcess({ HEADGATE_MODEL_URI: pathToFileURL(path.join(folder, 'model.onnx')).href });

  it('that the model answers as it did let the server become ready', async () => {
    keep('test_data_set_0', answers['v1']?.label ?? []);
    keep('test_data_set_1', answers['v1']?.label ?? []);
    const runtime = start();
    await runtime.untilReady();
    expect(runtime.log.find(({ message }) => message.includes('golden data'))).toMatchObject({ sets: 2 });
    await runtime.stop();
  });

  it('that it answers otherwise end the start: a candidate that is not what was made never gets a request', async () => {
    keep(
      'test_data_set_0',
      (answers['v1']?.label ?? []).map((label) => 1 - label),
    );
    const runtime = start();
    expect(await runtime.exitCode()).toBe(1);
    expect(runtime.lastWords).toEqual({
      reason: 'GoldenDataMismatch',
      message: expect.stringMatching(
        /golden data test_data_set_0 .*output 'label', element 0: expected [01], got [01]/u,
      ) as string,
    });
    await runtime.stop();
  });

  it('that cannot be read end it too', async () => {
    keep('test_data_set_0', answers['v1']?.label ?? []);
    writeFileSync(path.join(folder, 'test_data_set_0', 'input_0.pb'), 'no tensor at all');
    const runtime = start();
    expect(await runtime.exitCode()).toBe(1);
    expect(runtime.lastWords?.reason).toBe('GoldenDataMismatch');
    await runtime.stop();
  });
});
