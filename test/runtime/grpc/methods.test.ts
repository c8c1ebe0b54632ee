import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSampleRow } from '../../support/example-models.ts';
import { GrpcClient } from '../../support/grpc-client.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

type Message = Readonly<Record<string, unknown>>;

let runtime: RuntimeProcess;
let client: GrpcClient;
beforeAll(async () => {
  runtime = await RuntimeProcess.start({
    HEADGATE_OUTPUT: '{"labels":["benign","malignant"]}',
  });
  client = new GrpcClient(runtime.grpcPort);
}, 60_000);
afterAll(async () => {
  client.close();
  await runtime.stop();
});

async function messageOf(method: string, message: object = {}): Promise<Message> {
  return (await client.ask(method, message)).message;
}

const row = { name: 'X', datatype: 'FP32', shape: [1, 30], contents: { fp32_contents: readSampleRow() } };
const tensor = (name: string, datatype: string, shape: string[]): Message => ({ name, datatype, shape });

describe('the methods beside ModelInfer', { timeout: 30_000 }, () => {
  it('tell that the server lives and that it and its model are ready', async () => {
    expect(await messageOf('ServerLive')).toEqual({ live: true });
    expect(await messageOf('ServerReady')).toEqual({ ready: true });
    expect(await messageOf('ModelReady', { name: 'tumour', version: '1' })).toEqual({ ready: true });
  });

  it.each([
    { name: 'other', version: '' },
    { name: 'tumour', version: '2' },
  ])('tell that a model that is not here is not ready: $name $version', async (model) => {
    expect(await messageOf('ModelReady', model)).toEqual({ ready: false });
  });

  it('describe the server and its model', async () => {
    expect(await messageOf('ServerMetadata')).toMatchObject({
      name: 'headgate',
      extensions: expect.arrayContaining(['classification', 'statistics']) as unknown,
    });
    expect(await messageOf('ModelMetadata', { name: 'tumour' })).toEqual({
      ...{ name: 'tumour', versions: ['1'], platform: 'onnx_onnxv1' },
      inputs: [tensor('X', 'FP32', ['-1', '30'])],
      outputs: [tensor('label', 'INT64', ['-1']), tensor('probabilities', 'FP32', ['-1', '2'])],
    });
  });

  it('tell the configuration in the form of Triton', async () => {
    const { config } = await messageOf('ModelConfig', { name: 'tumour', version: '1' });
    expect(config).toMatchObject({
      ...{ name: 'tumour', platform: 'onnx_onnxv1', backend: 'onnxruntime', max_batch_size: 0 },
      version_policy: { policy_choice: 'specific', specific: { versions: ['1'] } },
      input: [{ name: 'X', data_type: 'TYPE_FP32', dims: ['-1', '30'] }],
      output: [
        { name: 'label', data_type: 'TYPE_INT64', dims: ['-1'] },
        { name: 'probabilities', data_type: 'TYPE_FP32', dims: ['-1', '2'] },
      ],
      instance_group: [{ kind: 'KIND_CPU', count: 1 }],
    });
  });

  it('count what was answered and what failed, as load tools read it', async () => {
    const read = async (name: string): Promise<{ success: number; fail: number; ns: number }> => {
      const { model_stats } = await messageOf('ModelStatistics', { name });
      const [{ inference_stats: stats } = { inference_stats: {} }] = model_stats as {
        inference_stats: Record<string, { count: string; ns: string }>;
      }[];
      return {
        success: Number(stats['success']?.count),
        fail: Number(stats['fail']?.count),
        ns: Number(stats['compute_infer']?.ns),
      };
    };
    const before = await read('tumour');
    await client.ask('ModelInfer', { model_name: 'tumour', inputs: [row] });
    await client.failureOf('ModelInfer', { model_name: 'tumour', inputs: [] });
    await expect.poll(() => read('')).toMatchObject({ success: before.success + 1, fail: before.fail + 1 });
    expect((await read('tumour')).ns).toBeGreaterThan(before.ns);
  });

  it('list the one model that is served', async () => {
    expect(await messageOf('RepositoryIndex')).toEqual({
      models: [{ name: 'tumour', version: '1', state: 'READY', reason: '' }],
    });
  });

  it('answer with classes and with predictions for people where they are asked for', async () => {
    const { outputs, parameters } = await messageOf('ModelInfer', {
      ...{ model_name: 'tumour', inputs: [row], parameters: { readable: { bool_param: true } } },
      outputs: [{ name: 'probabilities', parameters: { classification: { int64_param: 1 } } }],
    });
    const [output] = outputs as {
      datatype: string;
      shape: string[];
      contents: { bytes_contents: Buffer[] };
    }[];
    expect([output?.datatype, output?.shape]).toEqual(['BYTES', ['1', '1']]);
    expect(String(output?.contents.bytes_contents[0])).toMatch(/^0\.99\d+:1:malignant$/);
    const text = (parameters as Record<string, { string_param: string }>)['predictions']?.string_param;
    expect(JSON.parse(text ?? '')).toHaveLength(1);
  });

  it.each<[string, object, number, RegExp]>([
    ['ModelMetadata', { name: 'other' }, status.NOT_FOUND, /'other' is not served here/],
    ['ModelConfig', { name: 'tumour', version: '7' }, status.NOT_FOUND, /no version '7'/],
    ['ModelStatistics', { name: 'other' }, status.NOT_FOUND, /'other' is not served here/],
    ['RepositoryModelLoad', {}, status.FAILED_PRECONDITION, /by its ModelDeployment/],
    ['RepositoryModelUnload', {}, status.FAILED_PRECONDITION, /by its ModelDeployment/],
    ['SystemSharedMemoryRegister', {}, status.UNIMPLEMENTED, /raw_input_contents/],
    ['CudaSharedMemoryStatus', {}, status.UNIMPLEMENTED, /raw_input_contents/],
    ['TraceSetting', {}, status.UNIMPLEMENTED, /configuration/],
    ['LogSettings', {}, status.UNIMPLEMENTED, /configuration/],
    ['Frobnicate', {}, status.UNIMPLEMENTED, /no method \/inference.GRPCInferenceService\/Frobnicate/],
  ])('%s refuses %j and says what to do', async (method, message, code, words) => {
    const failure = await client.failureOf(method, message);
    expect([failure?.code, failure?.details]).toEqual([code, expect.stringMatching(words)]);
    expect(failure?.metadata.get('x-headgate-revision')).toEqual(['tumour-7cb4d9f2a1']);
  });
});

describe('grpc.health.v1', { timeout: 30_000 }, () => {
  it.each(['', 'inference.GRPCInferenceService', 'tumour'])("says that '%s' serves", async (service) => {
    expect((await client.checkHealth(service)).message).toEqual({ status: 'SERVING' });
  });

  it('does not know other services: Check refuses, Watch says so and goes on', async () => {
    await expect(client.checkHealth('other')).rejects.toMatchObject({ code: status.NOT_FOUND });
    const watch = client.watchHealth('other');
    const first = await new Promise((resolve) => watch.once('data', resolve));
    expect(first).toEqual({ status: 'SERVICE_UNKNOWN' });
    watch.on('error', () => undefined);
    watch.cancel();
  });

  it('tells watchers when the model comes, goes and comes again, and when the server leaves', async () => {
    const own = await RuntimeProcess.start({ HEADGATE_DRAIN_SECONDS: '1' });
    const other = new GrpcClient(own.grpcPort);
    const seen: string[] = [];
    let end = 'none yet';
    const watch = other.watchHealth('tumour');
    watch.on('data', ({ status: told }: { status: string }) => seen.push(told));
    watch.on('status', ({ code }: { code: number }) => (end = status[code] ?? ''));
    watch.on('error', () => undefined);
    await expect.poll(() => seen).toEqual(['SERVING']);
    process.kill(own.executorProcessId, 'SIGKILL');
    await expect.poll(() => seen, { timeout: 20_000 }).toEqual(['SERVING', 'NOT_SERVING', 'SERVING']);
    own.kill('SIGTERM');
    await expect.poll(() => seen.at(-1)).toBe('NOT_SERVING');
    await expect.poll(() => end, { timeout: 5000 }).toBe('OK');
    expect(await own.exitCode()).toBe(0);
    other.close();
    await own.stop();
  });
});
