import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { connect, type ClientHttp2Session } from 'node:http2';
import {
  credentials,
  loadPackageDefinition,
  type GrpcObject,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FrameReader, writeFrame } from '../../../runtime/grpc/transport/frames.ts';
import { WireReader } from '../../../runtime/protobuf/wire-reader.ts';
import { readSampleRow } from '../../support/example-models.ts';
import { GrpcClient, type ReflectionVersion } from '../../support/grpc-client.ts';
import { field } from '../../support/onnx-model.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

interface Reflected {
  readonly valid_host: string;
  readonly original_request: Readonly<Record<string, unknown>>;
  readonly message_response: string;
  readonly list_services_response?: { readonly service: readonly { readonly name: string }[] };
  readonly file_descriptor_response?: { readonly file_descriptor_proto: readonly Buffer[] };
  readonly all_extension_numbers_response?: Readonly<Record<string, unknown>>;
  readonly error_response?: { readonly error_code: number; readonly error_message: string };
}

const INFERENCE = 'inference.GRPCInferenceService';
const services = [
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
  INFERENCE,
];

let runtime: RuntimeProcess;
let client: GrpcClient;
beforeAll(async () => {
  // Less than all questions of a test together: each has to be given back to the budget.
  runtime = await RuntimeProcess.start({ HEADGATE_REQUESTS_MAX_BYTES: '100000' });
  client = new GrpcClient(runtime.grpcPort);
}, 60_000);
afterAll(async () => {
  client.close();
  await runtime.stop();
});

/** Asks all of it in one stream. */
async function reflect(
  questions: readonly object[],
  version: ReflectionVersion = 'v1',
): Promise<Reflected[]> {
  const stream = client.reflect(version);
  const answers: Reflected[] = [];
  stream.on('data', (answer: Reflected) => answers.push(answer));
  for (const question of questions) stream.write(question);
  stream.end();
  await new Promise((resolve, reject) => {
    stream.once('end', resolve);
    stream.once('error', reject);
  });
  return answers;
}

async function fileOf(question: object): Promise<Buffer> {
  const [answer] = await reflect([question]);
  const [file, ...others] = answer?.file_descriptor_response?.file_descriptor_proto ?? [];
  expect(others).toEqual([]);
  if (file === undefined) throw new Error(`no file, but ${JSON.stringify(answer)}`);
  return file;
}

/** The hosts of the answers to questions as bytes, compressed or not, which gRPC's own client does not mix. */
async function hostsOf(questions: Buffer): Promise<string[]> {
  const session = connect(`http://127.0.0.1:${runtime.grpcPort}`);
  const stream = session.request({
    ...{ ':method': 'POST', ':path': '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo' },
    ...{ 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' },
  });
  stream.end(questions);
  const frames = new FrameReader(() => undefined);
  const hosts: string[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    for (const { bytes: message } of frames.push(chunk))
      new WireReader(message).readFields({ 1: (reader) => hosts.push(reader.string('valid_host')) });
  }
  session.close();
  return hosts;
}

describe('server reflection', { timeout: 30_000 }, () => {
  it.each(['v1', 'v1alpha'] as const)('lists the services, in %s', async (version) => {
    const [answer] = await reflect([{ list_services: '' }], version);
    expect(answer?.list_services_response?.service.map(({ name }) => name)).toEqual(services);
  });

  it.each([
    ['a service', INFERENCE, 'open-inference.proto'],
    ['a method', `${INFERENCE}.ModelInfer`, 'open-inference.proto'],
    ['a message', 'inference.ModelInferRequest', 'open-inference.proto'],
    ['a message within a message', 'inference.ModelInferRequest.InferInputTensor', 'open-inference.proto'],
    ['an enumeration', 'inference.DataType', 'open-inference.proto'],
    [
      'an enumeration within a message',
      'grpc.health.v1.HealthCheckResponse.ServingStatus',
      'grpc/health/v1/health.proto',
    ],
    ['itself', 'grpc.reflection.v1.ServerReflection', 'grpc/reflection/v1/reflection.proto'],
    [
      'its earlier self',
      'grpc.reflection.v1alpha.ServerReflection',
      'grpc/reflection/v1alpha/reflection.proto',
    ],
  ])('gives the file of %s, which is the one of its name', async (_, symbol, name) => {
    expect(await fileOf({ file_containing_symbol: symbol })).toEqual(
      await fileOf({ file_by_filename: name }),
    );
  });

  it('says what is not there, or not asked, and goes on with the next question', async () => {
    const missing = ['inference.Nobody', 'Model', '', 'x'.repeat(10_000)];
    const answers = await reflect([
      ...missing.map((symbol) => ({ file_containing_symbol: symbol })),
      { file_by_filename: 'health.proto' },
      { all_extension_numbers_of_type: 'inference.Nobody' },
      { file_containing_extension: { containing_type: 'inference.ModelInferRequest', extension_number: 7 } },
      { host: 'nothing else' },
      { all_extension_numbers_of_type: 'inference.ModelInferRequest' },
    ]);
    expect(answers.map(({ error_response }) => error_response?.error_code)).toEqual([
      ...missing.map(() => 5),
      ...[5, 5, 5, 3, undefined],
    ]);
    expect(answers[0]?.error_response?.error_message).toBe("there is no symbol 'inference.Nobody'");
    expect(answers.at(-1)?.all_extension_numbers_response).toEqual({
      base_type_name: 'inference.ModelInferRequest',
      extension_number: [],
    });
  });

  it('answers hundreds of questions in their order, each with the question', async () => {
    const hosts = Array.from({ length: 300 }, (_, index) => `host ${index}`.padEnd(1000));
    const answers = await reflect(hosts.map((host) => ({ host, file_containing_symbol: INFERENCE })));
    expect(answers.map(({ valid_host }) => valid_host)).toEqual(hosts);
    expect(answers[299]?.original_request).toMatchObject({
      host: hosts[299],
      message_request: 'file_containing_symbol',
      file_containing_symbol: INFERENCE,
    });
  });

  it('answers in turn where one question has to be unfolded and the next has not', async () => {
    const hosts = ['x'.repeat(50_000), 'short'];
    const [long, short] = hosts.map((host) => Buffer.concat([field(1, host), field(7, '')]));
    const folded = gzipSync(long ?? '');
    const questions = [writeFrame(folded, true), writeFrame(short ?? folded, false)];
    expect(await hostsOf(Buffer.concat(questions))).toEqual(hosts);
  });

  it('is enough for a client that has no .proto file to ask the model', async () => {
    const described = field(1, await fileOf({ file_containing_symbol: INFERENCE }));
    const options = { keepCase: true, longs: String, defaults: true, oneofs: true };
    const known = loadPackageDefinition(loadFileDescriptorSetFromBuffer(described, options));
    const Service = (known['inference'] as GrpcObject)['GRPCInferenceService'] as ServiceClientConstructor;
    const own = new Service(`127.0.0.1:${runtime.grpcPort}`, credentials.createInsecure());
    const contents = { fp32_contents: readSampleRow() };
    const question = {
      model_name: 'tumour',
      inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 30], contents }],
    };
    // protobufjs takes the entries of a map for messages where it has only a descriptor; on the wire they are the same.
    const parameters = [{ key: 'classification', value: { int64_param: '1' } }];
    const outputs = [{ name: 'probabilities', parameters }];
    const answer = await new Promise((resolve, reject) => {
      const take = (error: Error | null, message: unknown): void =>
        error === null ? resolve(message) : reject(error);
      (own['ModelInfer'] as (...of: unknown[]) => unknown).call(own, { ...question, outputs }, take);
    });
    own.close();
    const byFile = await client.ask('ModelInfer', {
      ...question,
      outputs: [{ name: 'probabilities', parameters: { classification: { int64_param: '1' } } }],
    });
    const [{ contents: expected } = {}] = byFile.message['outputs'] as { readonly contents?: object }[];
    expect(expected).toMatchObject({ bytes_contents: [expect.any(Buffer) as Buffer] });
    expect(answer).toMatchObject({ outputs: [{ name: 'probabilities', contents: expected }] });
  });

  it('tells of methods that are all answered', async () => {
    const files = await Promise.all(services.map((symbol) => fileOf({ file_containing_symbol: symbol })));
    const described = loadFileDescriptorSetFromBuffer(Buffer.concat(files.map((file) => field(1, file))));
    const paths = services.flatMap((service) =>
      Object.values(described[service] as Record<string, { readonly path: string }>).map(({ path }) => path),
    );
    expect(paths).toContain(`/${INFERENCE}/ModelStreamInfer`);
    const session = connect(`http://127.0.0.1:${runtime.grpcPort}`);
    const statuses = await Promise.all(paths.map(async (path) => [path, await statusOf(session, path)]));
    session.close();
    const unimplemented = '12';
    expect(statuses.filter(([, status]) => status === unimplemented)).toEqual([]);
  });

  it('ends with INVALID_ARGUMENT at what is no question', async () => {
    const session = connect(`http://127.0.0.1:${runtime.grpcPort}`);
    const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
    expect(await statusOf(session, path, Buffer.from([0, 0, 0, 0, 2, 0x3a, 0x7f]))).toBe('3');
    session.close();
  });
});

describe('a conversation about reflection', { timeout: 60_000 }, () => {
  it('is ended well when the server leaves, after what was asked', async () => {
    const own = await RuntimeProcess.start({ HEADGATE_DRAIN_SECONDS: '1' });
    const other = new GrpcClient(own.grpcPort);
    const stream = other.reflect('v1');
    const answers: Reflected[] = [];
    stream.on('data', (answer: Reflected) => answers.push(answer));
    const end = once(stream, 'end');
    stream.write({ list_services: '' });
    await expect.poll(() => answers.length).toBe(1);
    own.kill('SIGTERM');
    await end;
    expect(await own.exitCode()).toBe(0);
    other.close();
    await own.stop();
  });
});

/** The grpc-status of a call with this in its request, nothing unless told otherwise; undefined where it goes on. */
function statusOf(
  session: ClientHttp2Session,
  path: string,
  request = Buffer.alloc(5),
): Promise<string | undefined> {
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
  return new Promise((resolve, reject) => {
    const take = (headers: Readonly<Record<string, unknown>>): void => {
      const status = headers['grpc-status'];
      if (typeof status !== 'string') return;
      resolve(status);
      stream.close();
    };
    stream.on('response', take);
    stream.on('trailers', take);
    stream.once('error', reject);
    stream.once('data', () => {
      resolve(undefined);
      stream.close();
    });
    stream.end(request);
  });
}
