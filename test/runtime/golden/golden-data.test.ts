import { copyFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeDifference } from '../../../runtime/golden/compare.ts';
import {
  checkGoldenSets,
  MOST_GOLDEN_BYTES,
  MOST_GOLDEN_SETS,
  readGoldenSets,
} from '../../../runtime/golden/golden-data.ts';
import { parseTensorProto } from '../../../runtime/golden/tensor-proto.ts';
import { WireWriter } from '../../../runtime/protobuf/wire-writer.ts';
import { datatypes, type Tensor } from '../../../runtime/tensor/datatype.ts';
import { writeRaw } from '../../../runtime/tensor/raw.ts';
import type { InferWork } from '../../../runtime/tensor/validate.ts';
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
    // Fewer texts than the shape has would be compared with as many of the answer, and nobody would see the rest.
    expect(() =>
      parseTensorProto(new WireWriter().packed(1, [2]).uint(2, 8).string(6, 'Zürich').finish()),
    ).toThrow('expected 2 values for shape [2], got 1');
  });

  const typed: readonly (readonly [Tensor['datatype'], number, Tensor['data']])[] = [
    ['BOOL', 5, Uint8Array.of(0, 1)],
    ['UINT8', 5, Uint8Array.of(0, 255)],
    ['UINT16', 5, Uint16Array.of(0, 65_535)],
    ['INT8', 5, Int8Array.of(-128, 127)],
    ['INT16', 5, Int16Array.of(-32_768, 32_767)],
    ['INT32', 5, Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
    ['FP16', 5, Uint16Array.of(0x3c00, 0x7c00)],
    ['INT64', 7, BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)],
    ['UINT32', 11, Uint32Array.of(0, 2 ** 32 - 1)],
    ['UINT64', 11, BigUint64Array.of(0n, 2n ** 64n - 1n)],
  ];

  it.each(typed)('is read from typed data, packed or not: %s', (datatype, field, data) => {
    const values = [...(data as Exclude<Tensor['data'], string[]>)];
    const head = (): WireWriter => new WireWriter().packed(1, [2]).uint(2, numberOf[datatype]);
    const apart = head();
    for (const value of values) apart.presentInt64(field, BigInt(value));
    for (const proto of [head().packed(field, values), apart])
      expect(parseTensorProto(proto.finish()).data).toEqual(data);
  });

  it('is read from doubles, packed or not', () => {
    const doubles = Float64Array.of(-0, 1e300);
    const head = (): WireWriter => new WireWriter().packed(1, [2]).uint(2, numberOf.FP64);
    const apart = head();
    for (const value of doubles) apart.double(10, value);
    for (const proto of [head().bytes(10, Buffer.from(doubles.buffer)), apart])
      expect(parseTensorProto(proto.finish()).data).toEqual(doubles);
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
        expect(describeDifference(tensor, tensor, false)).toBeUndefined();
      }),
    );
  });

  it.each<[string, Tensor, Tensor | undefined]>([
    ["output 'y' is missing", float('y', 1), undefined],
    ["output 'y': expected FP32[1], got FP32[2]", float('y', 1), float('y', 1, 2)],
    ["output 'y', element 1: expected 2, got 2.25", float('y', 1, 2), float('y', 1, 2.25)],
    ["output 'y', element 0: expected 1, got 1.001953125", float('y', 1), float('y', 1 + 2 ** -9)],
    ["output 'y', element 0: expected NaN, got 0", float('y', NaN), float('y', 0)],
    [
      "output 'y', element 0: expected 1, got 2",
      { name: 'y', datatype: 'INT64', shape: [1], data: BigInt64Array.of(1n) },
      { name: 'y', datatype: 'INT64', shape: [1], data: BigInt64Array.of(2n) },
    ],
    [
      "output 'y', element 0: expected 1, got 1.03125",
      { name: 'y', datatype: 'FP16', shape: [1], data: Uint16Array.of(0x3c00) },
      { name: 'y', datatype: 'FP16', shape: [1], data: Uint16Array.of(0x3c20) },
    ],
  ])('differ: %s', (words, expected, actual) => {
    expect(describeDifference(expected, actual, false)).toBe(words);
  });

  it('are as good as equal within the rounding of their datatype', () => {
    expect(describeDifference(float('y', 1), float('y', 1.0005), false)).toBeUndefined();
  });

  it.each([
    [1, 1.015, true],
    [0.001, 0.002, true],
    [1, 1.04, false],
  ])(
    'are as good as equal on a GPU within the ten bits of its products: %d and %d is %s',
    (expected, actual, isSame) => {
      const difference = describeDifference(float('y', expected), float('y', actual), true);
      expect(difference === undefined).toBe(isSame);
    },
  );
});

describe('the sets beside a model', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'headgate-golden-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const read = (): ReturnType<typeof readGoldenSets> => readGoldenSets(path.join(folder, 'model.onnx'));

  function keep(set: string, file: string, tensor: Tensor): void {
    mkdirSync(path.join(folder, set), { recursive: true });
    writeFileSync(path.join(folder, set, file), rawProto(tensor));
  }

  it('have their tensors in the order of their numbers, without what else lies there', async () => {
    for (const place of [10, 2, 0, 9, 1])
      keep('test_data_set_7', `input_${place}.pb`, float(`in ${place}`, 0));
    keep('test_data_set_7', 'output_0.pb', float('out', 0));
    keep('test_data_set_7', 'notes_0.pb', float('no', 0));
    keep('test_data', 'input_0.pb', float('no', 0));
    const [set, ...others] = await read();
    expect(others).toEqual([]);
    expect(set?.inputs.map(({ name }) => name)).toEqual(['in 0', 'in 1', 'in 2', 'in 9', 'in 10']);
    expect(set?.outputs.map(({ name }) => name)).toEqual(['out']);
  });

  it('are bounded in their number', async () => {
    for (let set = 0; set < MOST_GOLDEN_SETS; set++) mkdirSync(path.join(folder, `test_data_set_${set}`));
    expect(await read()).toHaveLength(MOST_GOLDEN_SETS);
    mkdirSync(path.join(folder, 'test_data_set_99'));
    await expect(read()).rejects.toThrow(`keep at most ${MOST_GOLDEN_SETS}`);
  });

  it('are bounded in their size', async () => {
    keep('test_data_set_0', 'input_0.pb', float('x', 0));
    truncateSync(path.join(folder, 'test_data_set_0', 'input_0.pb'), MOST_GOLDEN_BYTES + 1);
    await expect(read()).rejects.toThrow('input_0.pb is too large');
  });
});

describe('the answers to golden data', () => {
  const specification = (name: string) => ({ name, datatype: 'FP32', shape: ['n'] }) as const;
  const signature = { inputs: [specification('x')], outputs: ['a', 'b'].map(specification) };
  const good = { name: 'good', inputs: [float('', 1)], outputs: [float('', 2), float('', 3)] };
  /** A model that answers all as the good set says. */
  const run = (): Promise<Tensor[]> => Promise.resolve([float('a', 2), float('b', 3)]);

  it('are asked for by the names of the model where the files have none', async () => {
    const asked: unknown[] = [];
    const noting = (work: InferWork): Promise<Tensor[]> => {
      asked.push([work.inputs.map(({ name }) => name), work.outputNames]);
      return run();
    };
    await checkGoldenSets([good], { signature, run: noting, isOnDevice: false });
    expect(asked).toEqual([[['x'], ['a', 'b']]]);
  });

  it.each([
    ['in a later set', [good, { ...good, name: 'bad', outputs: [float('', 9), float('', 3)] }], "'a'"],
    ['in a later output', [{ ...good, name: 'bad', outputs: [float('', 2), float('', 9)] }], "'b'"],
    ['with one output more', [{ ...good, name: 'bad', outputs: [...good.outputs, float('c', 1)] }], "'c'"],
  ])('must be the same %s too', async (_, sets, output) => {
    await expect(checkGoldenSets(sets, { signature, run, isOnDevice: false })).rejects.toMatchObject({
      reason: 'GoldenDataMismatch',
      message: expect.stringMatching(new RegExp(`golden data bad .*output ${output}`, 'u')) as string,
    });
  });

  it('must come at all', async () => {
    const failing = (): Promise<Tensor[]> => Promise.reject(new Error('no such operator'));
    const checked = checkGoldenSets([good], { signature, run: failing, isOnDevice: false });
    await expect(checked).rejects.toThrow('the model fails on the golden data good: no such operator');
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
