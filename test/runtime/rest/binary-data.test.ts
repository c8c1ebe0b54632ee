import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rawRequest } from '../../../runtime/rest/binary-data.ts';
import type { ModelSignature, Tensor, TensorSpecification } from '../../../runtime/tensor/datatype.ts';
import { readRaw, writeRaw } from '../../../runtime/tensor/raw.ts';
import { buildOnnxModel } from '../../support/onnx-model.ts';
import { RuntimeProcess, type Answer } from '../../support/runtime-process.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'headgate-binary-'));
const modelPath = path.join(folder, 'echo.onnx');
let runtime: RuntimeProcess;

/** One of each: the model answers every input as it came, under its name with _out. */
const tensors: readonly Tensor[] = [
  { name: 'text', datatype: 'BYTES', shape: [2], data: ['', 'Zürich 東京'] },
  { name: 'flag', datatype: 'BOOL', shape: [3], data: Uint8Array.of(0, 1, 1) },
  { name: 'half', datatype: 'FP16', shape: [2], data: Uint16Array.of(0x3c00, 0x7c00) },
  { name: 'float', datatype: 'FP32', shape: [2], data: Float32Array.of(-0, NaN) },
  { name: 'long', datatype: 'INT64', shape: [2], data: BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n) },
];

beforeAll(async () => {
  writeFileSync(
    modelPath,
    buildOnnxModel(tensors.map(({ name, datatype }) => ({ name, type: datatype, shape: [`n_${name}`] }))),
  );
  runtime = await RuntimeProcess.start({ HEADGATE_MODEL_URI: pathToFileURL(modelPath).href });
}, 60_000);
afterAll(async () => {
  await runtime.stop();
  rmSync(folder, { recursive: true });
});

interface Message {
  readonly id?: string;
  readonly parameters?: object;
  readonly outputs?: readonly object[];
}

function ask(message: Message, extraHeaders: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const binary = tensors.map(writeRaw);
  const inputs = tensors.map(({ name, datatype, shape }, index) => ({
    name,
    datatype,
    shape,
    parameters: { binary_data_size: binary[index]?.length },
  }));
  const json = Buffer.from(JSON.stringify({ ...message, inputs }));
  const headers = {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(json.length),
    ...extraHeaders,
  };
  return runtime.infer(Buffer.concat([json, ...binary]), { headers });
}

async function runsOfTheModel(): Promise<number> {
  const { text } = await runtime.ask('/v2/models/tumour/stats');
  const {
    model_stats: [statistics],
  } = JSON.parse(text) as { model_stats: { execution_count: number }[] };
  return statistics?.execution_count ?? NaN;
}

interface Output {
  readonly name: string;
  readonly datatype: Tensor['datatype'];
  readonly shape: readonly number[];
  readonly parameters?: { readonly binary_data_size: number };
  readonly data?: readonly unknown[];
}

/** Outputs with the bytes that belong to each, as a client cuts them. */
function cut(answer: Answer): readonly (Output & { readonly bytes?: Buffer })[] {
  const header = answer.headers['inference-header-content-length'];
  const jsonLength = header === undefined ? answer.bytes.length : Number(header);
  let position = jsonLength;
  const { outputs } = JSON.parse(answer.bytes.toString('utf8', 0, jsonLength)) as { outputs: Output[] };
  const parts = outputs.map((output) => {
    if (output.parameters === undefined) return output;
    const start = position;
    position += output.parameters.binary_data_size;
    return { ...output, bytes: answer.bytes.subarray(start, position) };
  });
  expect(position).toBe(answer.bytes.length);
  return parts;
}

describe('binary tensor data over REST', { timeout: 60_000 }, () => {
  it('passes every kind of tensor in and out unchanged', async () => {
    const answer = await ask({ parameters: { binary_data_output: true } });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/octet-stream']);
    const outputs = cut(answer).map(({ name, datatype, shape, bytes = Buffer.alloc(0) }) => {
      const head = { name: name.replace('_out', ''), datatype, shape };
      return { ...head, data: readRaw(head, bytes) };
    });
    expect(outputs).toEqual(tensors);
  });

  it('counts the JSON of an answer in bytes, not in characters', async () => {
    const answer = await ask({
      id: 'Zürich 東京',
      outputs: [{ name: 'long_out', parameters: { binary_data: true } }],
    });
    const [long] = cut(answer);
    expect(long?.bytes).toEqual(writeRaw(tensors[4] as Tensor));
  });

  it("takes an output's own wish before the request's", async () => {
    const answer = await ask({
      parameters: { binary_data_output: true },
      outputs: [{ name: 'flag_out', parameters: { binary_data: false } }, { name: 'long_out' }],
    });
    const [flag, long] = cut(answer);
    expect(flag).toMatchObject({ name: 'flag_out', data: [false, true, true] });
    expect(long?.bytes).toHaveLength(16);
  });

  it('answers in JSON, with no word of binary data, where nobody asked for it', async () => {
    const answer = await ask({ outputs: [{ name: 'flag_out' }] });
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.headers).not.toHaveProperty('inference-header-content-length');
    expect(cut(answer)).toMatchObject([{ data: [false, true, true] }]);
  });

  it('refuses FP16 in JSON with the way out, and without asking the model', async () => {
    const before = await runsOfTheModel();
    const answer = await ask({ outputs: [{ name: 'half_out' }] });
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining('ask for it as binary data')]);
    expect((await ask({})).status).toBe(400);
    expect(await runsOfTheModel()).toBe(before);
  });

  it.each(['-1', '1e3', '99999999', 'x', ''])('refuses %j as the length of the JSON', async (length) => {
    const answer = await ask({}, { 'inference-header-content-length': length });
    expect([answer.status, answer.text]).toEqual([
      400,
      expect.stringContaining('expected a whole number of bytes'),
    ]);
  });
});

describe('a body that is one raw tensor', () => {
  const signature = (...inputs: readonly Omit<TensorSpecification, 'name'>[]): ModelSignature => ({
    inputs: inputs.map((input, index) => ({ name: `x${index}`, ...input })),
    outputs: [],
  });

  it.each<[string, Omit<TensorSpecification, 'name'>, number, readonly number[]]>([
    ['one row', { datatype: 'FP32', shape: ['batch', 3] }, 12, [1, 3]],
    ['its open dimension by its length', { datatype: 'INT64', shape: [-1, 'length'] }, 40, [1, 5]],
    ['a fixed shape', { datatype: 'UINT8', shape: [2, 2] }, 4, [2, 2]],
    ['one open dimension in the middle', { datatype: 'FP16', shape: ['n', -1, 2] }, 8, [1, 2, 2]],
  ])('is %s', (_what, input, bytes, expected) => {
    const { inputs, parameters } = rawRequest(Buffer.alloc(bytes), signature(input));
    expect(inputs[0]?.shape).toEqual(expected);
    expect(parameters.get('binary_data_output')).toBe(true);
  });

  it('is one element of BYTES', () => {
    const request = rawRequest(Buffer.from('héllo'), signature({ datatype: 'BYTES', shape: [-1] }));
    expect(request.inputs[0]).toMatchObject({ shape: [1], data: ['héllo'] });
  });

  it.each<[string, ModelSignature, number]>([
    [
      'expected a model of one input, got 2',
      signature({ datatype: 'FP32', shape: [1] }, { datatype: 'FP32', shape: [1] }),
      4,
    ],
    [
      'at most one open dimension besides the batch',
      signature({ datatype: 'FP32', shape: ['n', 'h', 'w'] }),
      4,
    ],
    ['expected 12 bytes for FP32[1,3], got 10', signature({ datatype: 'FP32', shape: ['n', 3] }), 10],
    ['expected 8 bytes for FP32[1,2], got 11', signature({ datatype: 'FP32', shape: ['n', 'm'] }), 11],
  ])('is refused with: %s', (message, model, bytes) => {
    expect(() => rawRequest(Buffer.alloc(bytes), model)).toThrow(message);
  });
});
