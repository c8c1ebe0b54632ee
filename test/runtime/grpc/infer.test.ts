import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readReference } from '../../support/example-models.ts';
import { GrpcClient } from '../../support/grpc-client.ts';
import { buildOnnxModel, type Channel } from '../../support/onnx-model.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

type Message = Readonly<Record<string, unknown>>;

/** One tensor with the same values in both forms; `typed` is what a client gets back, too. */
interface Case {
  readonly datatype: Channel['type'];
  readonly raw: Buffer;
}

interface TypedCase extends Case {
  readonly list: string;
  readonly typed: readonly unknown[];
}

function bytesOf({ buffer, byteOffset, byteLength }: NodeJS.TypedArray): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

const texts = Buffer.concat([Buffer.from([0, 0, 0, 0, 8, 0, 0, 0]), Buffer.from('Zürich!')]);
const typedCases: readonly TypedCase[] = [
  { datatype: 'BOOL', list: 'bool_contents', typed: [false, true], raw: Buffer.from([0, 1]) },
  { datatype: 'UINT8', list: 'uint_contents', typed: [0, 255], raw: bytesOf(Uint8Array.of(0, 255)) },
  { datatype: 'UINT16', list: 'uint_contents', typed: [0, 65_535], raw: bytesOf(Uint16Array.of(0, 65_535)) },
  {
    ...{ datatype: 'UINT32', list: 'uint_contents', typed: [0, 4_294_967_295] },
    raw: bytesOf(Uint32Array.of(0, 4_294_967_295)),
  },
  {
    ...{ datatype: 'UINT64', list: 'uint64_contents', typed: ['0', '18446744073709551615'] },
    raw: bytesOf(BigUint64Array.of(0n, 2n ** 64n - 1n)),
  },
  { datatype: 'INT8', list: 'int_contents', typed: [-128, 127], raw: bytesOf(Int8Array.of(-128, 127)) },
  {
    ...{ datatype: 'INT16', list: 'int_contents', typed: [-32_768, 32_767] },
    raw: bytesOf(Int16Array.of(-32_768, 32_767)),
  },
  {
    ...{ datatype: 'INT32', list: 'int_contents', typed: [-2_147_483_648, 2_147_483_647] },
    raw: bytesOf(Int32Array.of(-2_147_483_648, 2_147_483_647)),
  },
  {
    ...{ datatype: 'INT64', list: 'int64_contents', typed: ['-9223372036854775808', '9007199254740993'] },
    raw: bytesOf(BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n)),
  },
  { datatype: 'FP32', list: 'fp32_contents', typed: [-0, NaN], raw: bytesOf(Float32Array.of(-0, NaN)) },
  {
    ...{ datatype: 'FP64', list: 'fp64_contents', typed: [Math.PI, -Infinity] },
    raw: bytesOf(Float64Array.of(Math.PI, -Infinity)),
  },
  {
    ...{ datatype: 'BYTES', list: 'bytes_contents', typed: [Buffer.from(''), Buffer.from('Zürich!')] },
    raw: texts,
  },
];

const halfCase: Case = { datatype: 'FP16', raw: bytesOf(Uint16Array.of(0x3c00, 0x7c00)) };
const lists = typedCases.map(({ list }) => list);

const folder = mkdtempSync(path.join(tmpdir(), 'headgate-grpc-'));
let everyType: RuntimeProcess;
let half: RuntimeProcess;
let tumour: RuntimeProcess;
let client: GrpcClient;
let halfClient: GrpcClient;
let doctor: GrpcClient;

async function serve(name: string, served: readonly Case[]): Promise<RuntimeProcess> {
  const file = path.join(folder, `${name}.onnx`);
  const channels = served.map(({ datatype }) => ({ name: datatype, type: datatype, shape: ['n'] }));
  writeFileSync(file, buildOnnxModel(channels));
  return await RuntimeProcess.start({
    HEADGATE_MODEL_URI: pathToFileURL(file).href,
    HEADGATE_MODEL_NAME: name,
  });
}

beforeAll(async () => {
  [everyType, half, tumour] = await Promise.all([
    serve('all', typedCases),
    serve('half', [halfCase]),
    RuntimeProcess.start(),
  ]);
  client = new GrpcClient(everyType.grpcPort);
  halfClient = new GrpcClient(half.grpcPort);
  doctor = new GrpcClient(tumour.grpcPort);
}, 60_000);

afterAll(async () => {
  for (const open of [client, halfClient, doctor]) open.close();
  await Promise.all([everyType, half, tumour].map((runtime) => runtime.stop()));
  rmSync(folder, { recursive: true });
});

const heads = typedCases.map(({ datatype }) => ({ name: datatype, datatype, shape: [2] }));
const raws = typedCases.map(({ raw }) => raw);

function typedInputs(replaced: Readonly<Record<string, Message>> = {}): Message[] {
  return typedCases.map(({ datatype, list, typed }, index) => ({
    ...heads[index],
    contents: { [list]: typed },
    ...replaced[datatype],
  }));
}

function outputsOf(message: Message): readonly Message[] {
  return message['outputs'] as readonly Message[];
}

/** The row of the sample request in typed contents, changed as told. */
function sample(changes: Message = {}, input: Message = {}): Message {
  const [{ data }] = readReference().request.inputs;
  const X = { name: 'X', datatype: 'FP32', shape: [8, 30], contents: { fp32_contents: data }, ...input };
  return { model_name: 'tumour', inputs: [X], ...changes };
}

describe('ModelInfer', { timeout: 30_000 }, () => {
  it('takes every datatype raw and gives it back raw, bit by bit', async () => {
    const { message } = await client.ask('ModelInfer', {
      ...{ model_name: 'all', inputs: heads, raw_input_contents: raws },
    });
    expect(message['raw_output_contents']).toEqual(raws);
    expect(outputsOf(message)).toEqual(
      heads.map(({ name, datatype }) => ({
        ...{ name: `${name}_out`, datatype, shape: ['2'], parameters: {}, contents: null },
      })),
    );
  });

  it('takes FP16 raw, and says so to those who send it in typed contents', async () => {
    const input = { name: 'FP16', datatype: 'FP16', shape: [2] };
    const { message } = await halfClient.ask('ModelInfer', {
      ...{ model_name: 'half', inputs: [input], raw_input_contents: [halfCase.raw] },
    });
    expect(message['raw_output_contents']).toEqual([halfCase.raw]);
    const failure = await halfClient.failureOf('ModelInfer', {
      ...{ model_name: 'half', inputs: [{ ...input, contents: { fp32_contents: [1, 2] } }] },
    });
    expect(failure?.code).toBe(status.INVALID_ARGUMENT);
    expect(failure?.details).toMatch(/'FP16'.*raw_input_contents/);
  });

  it('takes every other datatype than FP16 in its list and gives it back there, exactly', async () => {
    const { message } = await client.ask('ModelInfer', { model_name: 'all', inputs: typedInputs() });
    const found = outputsOf(message).map(({ contents }, index) => (contents as Message)[lists[index] ?? '']);
    expect(found).toEqual(typedCases.map(({ typed }) => typed));
    expect(message['raw_output_contents']).toEqual([]);
  });

  it('answers as scikit-learn does, with the id, the outputs that were asked for, and who answered', async () => {
    const { message, metadata } = await doctor.ask(
      'ModelInfer',
      sample({ id: 'row 7', outputs: [{ name: 'label' }], parameters: { note: { string_param: 'x' } } }),
      { metadata: { 'x-request-id': 'question-1' } },
    );
    const [label, ...others] = outputsOf(message);
    expect((label?.['contents'] as Message)['int64_contents']).toEqual(
      readReference().answers['v1']?.label.map(String),
    );
    expect(others).toEqual([]);
    expect([message['id'], message['model_name'], message['model_version']]).toEqual([
      'row 7',
      'tumour',
      '1',
    ]);
    expect([metadata.get('x-request-id'), metadata.get('x-headgate-revision')]).toEqual([
      ['question-1'],
      ['tumour-7cb4d9f2a1'],
    ]);
  });

  it.each<[string, { request?: Message; input?: Message }, number, RegExp]>([
    ['another model', { request: { model_name: 'other' } }, status.NOT_FOUND, /'other'.*expected 'tumour'/],
    ['another version', { request: { model_version: '2' } }, status.NOT_FOUND, /version '2'.*'1' or none/],
    ['no inputs', { request: { inputs: [] } }, status.INVALID_ARGUMENT, /'X' is missing/],
    ['another name', { input: { name: 'Y' } }, status.INVALID_ARGUMENT, /'Y' is no input.*'X'/],
    ['an unknown datatype', { input: { datatype: 'FP8' } }, status.INVALID_ARGUMENT, /'FP8' is not known/],
    ['bfloat16', { input: { datatype: 'BF16' } }, status.INVALID_ARGUMENT, /BF16.*FP32 or FP16/],
    ['another shape', { input: { shape: [1, 29] } }, status.INVALID_ARGUMENT, /expected 29 values.*got 240/],
    ['a negative size', { input: { shape: [-1, 30] } }, status.INVALID_ARGUMENT, /'shape' holds -1/],
    [
      'a shape beyond all numbers',
      { input: { shape: Array<number>(32).fill(2 ** 31) } },
      status.INVALID_ARGUMENT,
      /got fewer/,
    ],
    [
      'too many dimensions',
      { input: { shape: Array<number>(33).fill(1) } },
      status.INVALID_ARGUMENT,
      /more than 32 dimensions/,
    ],
    [
      'values in the list of another datatype',
      { input: { contents: { fp64_contents: [1] } } },
      status.INVALID_ARGUMENT,
      /in fp32_contents, got fp64_contents/,
    ],
    [
      'contents and raw contents',
      { request: { raw_input_contents: [Buffer.alloc(960)] } },
      status.INVALID_ARGUMENT,
      /contents and in raw_input_contents/,
    ],
    [
      'more raw contents than inputs',
      { request: { raw_input_contents: [Buffer.alloc(960), Buffer.alloc(1)] }, input: { contents: null } },
      status.INVALID_ARGUMENT,
      /expected 1 raw_input_contents.*got 2/,
    ],
    [
      'raw contents of another length',
      { request: { raw_input_contents: [Buffer.alloc(959)] }, input: { contents: null } },
      status.INVALID_ARGUMENT,
      /expected 960 bytes.*got 959/,
    ],
    [
      'shared memory',
      { input: { contents: null, parameters: { shared_memory_region: { string_param: 'r' } } } },
      status.INVALID_ARGUMENT,
      /shared memory is not offered.*raw_input_contents/,
    ],
    [
      'an unknown output',
      { request: { outputs: [{ name: 'Z' }] } },
      status.INVALID_ARGUMENT,
      /'Z' is no output/,
    ],
    [
      'more inputs than anybody has',
      { request: { inputs: Array(1025).fill({ name: 'X', datatype: 'FP32', shape: [0] }) } },
      status.INVALID_ARGUMENT,
      /more than 1024 inputs/,
    ],
    [
      'a name of a megabyte',
      { input: { name: '東'.repeat(2 ** 18) } },
      status.INVALID_ARGUMENT,
      /^tensor '東+…$/,
    ],
  ])('refuses %s with what was expected', async (_what, { request, input }, code, words) => {
    const failure = await doctor.failureOf('ModelInfer', sample(request, input));
    expect([failure?.code, failure?.details]).toEqual([code, expect.stringMatching(words)]);
    expect(failure?.metadata.get('x-headgate-revision')).toEqual(['tumour-7cb4d9f2a1']);
    expect(failure?.metadata.get('x-request-id')).toHaveLength(1);
  });

  it.each<[string, Message]>([
    ['INT8', { contents: { int_contents: [0, 128] } }],
    ['UINT16', { contents: { uint_contents: [0, 65_536] } }],
  ])('refuses what %s cannot hold', async (datatype, replaced) => {
    const failure = await client.failureOf('ModelInfer', {
      ...{ model_name: 'all', inputs: typedInputs({ [datatype]: replaced }) },
    });
    expect([failure?.code, failure?.details]).toEqual([
      status.INVALID_ARGUMENT,
      expect.stringMatching(new RegExp(`'${datatype}': element 1 .*expected a whole number`, 'u')),
    ]);
  });

  it('is work as requests over HTTP are: counted, by origin, with the routing that a proxy followed', async () => {
    const read = async (): Promise<{ total: { requests: number }; mirrors: { requests: number } }> =>
      JSON.parse((await tumour.askManagement('/headgate/report')).text) as Awaited<ReturnType<typeof read>>;
    const before = await read();
    await doctor.ask('ModelInfer', sample(), { metadata: { 'x-headgate-routing': 'abc' } });
    await doctor.ask('ModelInfer', sample(), { metadata: { 'x-headgate-destination': 'other' } });
    await expect.poll(async () => (await read()).mirrors.requests).toBe(before.mirrors.requests + 1);
    const after = await read();
    expect(after.total.requests).toBe(before.total.requests + 1);
    expect(after).toMatchObject({ inFlight: 0, routings: [expect.objectContaining({ hash: 'abc' })] });
  });
});
