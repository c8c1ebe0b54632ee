import { spawnSync } from 'node:child_process';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { isClose } from '../../runtime/tensor/closeness.ts';
import { exampleModelUri, readSampleRow } from '../support/example-models.ts';
import { RuntimeProcess } from '../support/runtime-process.ts';
import { ModelFiles, type BuiltModel } from './support/models.ts';

/**
 * On a machine with an NVIDIA GPU and the libraries of runtime/cuda-requirements.txt alone: `make test-gpu`. What is
 * asserted of speed is of this machine against itself.
 */

const files = new ModelFiles();
afterAll(() => files.remove());

const libraries = { LD_LIBRARY_PATH: process.env['LD_LIBRARY_PATH'] ?? '' };
/** Of TF32, in which NVIDIA's libraries multiply FP32. */
const tolerance = { absolute: 1e-4, relative: 5e-3 };

type Settings = Readonly<Record<string, string>>;

async function start(providers: readonly string[], settings: Settings): Promise<RuntimeProcess> {
  const session = JSON.stringify({ executionProviders: providers });
  const runtime = await RuntimeProcess.start({ ...libraries, HEADGATE_SESSION: session, ...settings });
  onTestFinished(() => runtime.stop());
  return runtime;
}

function startBuilt(name: BuiltModel, settings: Settings = {}): Promise<RuntimeProcess> {
  return start(['cuda'], { HEADGATE_MODEL_URI: files.uri(name), ...settings });
}

/** Of a server on a GPU that cannot start. */
async function lastWordsOf(settings: Settings): Promise<RuntimeProcess['lastWords']> {
  const session = '{"executionProviders":["cuda"]}';
  const runtime = new RuntimeProcess({ ...libraries, HEADGATE_SESSION: session, ...settings });
  onTestFinished(() => runtime.stop());
  expect(await runtime.exitCode()).toBe(1);
  return runtime.lastWords;
}

function readyLine(runtime: RuntimeProcess): Readonly<Record<string, unknown>> {
  return runtime.log.find(({ executionProvider }) => executionProvider !== undefined) ?? {};
}

function body(name: string, datatype: string, shape: readonly number[], data: readonly number[]): string {
  return JSON.stringify({ inputs: [{ name, datatype, shape, data }] });
}

function rowsBody(rows: readonly (readonly number[])[]): string {
  return body('X', 'FP32', [rows.length, 30], rows.flat());
}

/** Different for each seed, of the same size. */
function rowOf(seed: number): number[] {
  return Array.from({ length: 30 }, (_, index) => (((seed + 1) * 7919 + index * 104_729) % 997) / 997);
}

async function answerNumbers(runtime: RuntimeProcess, asked: string): Promise<number[]> {
  const { status, text } = await runtime.infer(asked);
  expect(status, text).toBe(200);
  const { outputs } = JSON.parse(text) as { outputs: { data: number[] }[] };
  return outputs.flatMap(({ data }) => data);
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  const far = expected.findIndex((value, index) => !isClose(value, actual[index] ?? NaN, tolerance));
  expect(far, `${actual[far]} where ${expected[far]} was expected`).toBe(-1);
}

/** Answers per second of so many clients, each with a row of its own, all of them right. */
async function measureRate(
  runtime: RuntimeProcess,
  expected: readonly (readonly number[])[],
): Promise<number> {
  const forMs = 2000;
  const startedAt = performance.now();
  let answers = 0;
  const client = async (own: readonly number[], seed: number): Promise<void> => {
    const asked = rowsBody([rowOf(seed)]);
    while (performance.now() - startedAt < forMs) {
      expectClose(await answerNumbers(runtime, asked), own);
      answers++;
    }
  };
  await Promise.all(expected.map(client));
  return (answers * 1000) / (performance.now() - startedAt);
}

function usedMebibytes(): number {
  const asked = spawnSync('nvidia-smi', ['--query-gpu=memory.used', '--format=csv,noheader,nounits']);
  return Number(asked.stdout.toString());
}

describe('a model on a GPU', { timeout: 120_000 }, () => {
  it.each(['v1.onnx', 'v2.onnx'])('answers as on the CPU: %s', async (file) => {
    const settings = { HEADGATE_MODEL_URI: exampleModelUri(file) };
    const [gpu, cpu] = [await start(['cuda'], settings), await start(['cpu'], settings)];
    expect(readyLine(gpu)).toMatchObject({ executionProvider: 'cuda' });
    const asked = rowsBody([readSampleRow(), rowOf(1)]);
    expectClose(await answerNumbers(gpu, asked), await answerNumbers(cpu, asked));
  });

  it.each<BuiltModel>(['convolution', 'half'])('answers as on the CPU, built for this: %s', async (name) => {
    const asked = rowsBody([rowOf(1), rowOf(2), rowOf(3)]);
    const gpu = await startBuilt(name);
    const cpu = await start(['cpu'], { HEADGATE_MODEL_URI: files.uri(name) });
    expect(readyLine(gpu)).toMatchObject({ executionProvider: 'cuda' });
    expectClose(await answerNumbers(gpu, asked), await answerNumbers(cpu, asked));
  });

  it('answers many clients more than twice as often as one, and few no slower, each as if it were alone', async () => {
    const runtime = await startBuilt('convolution');
    expect(readyLine(runtime)).not.toHaveProperty('unbatchedBecause');
    const expected: number[][] = [];
    for (let seed = 0; seed < 32; seed++)
      expected.push(await answerNumbers(runtime, rowsBody([rowOf(seed)])));
    const alone = await measureRate(runtime, expected.slice(0, 1));
    const few = await measureRate(runtime, expected.slice(0, 5));
    const many = await measureRate(runtime, expected);
    console.log(`convolution: 1 client ${alone}, 5 clients ${few}, 32 clients ${many} answers/s`);
    expect(few).toBeGreaterThan(1.2 * alone);
    expect(many).toBeGreaterThan(2 * alone);
  });

  it("answers a client's own batches of any size row by row, without a plan for each size", async () => {
    const runtime = await startBuilt('convolution');
    const rows = Array.from({ length: 70 }, (_, seed) => rowOf(seed));
    const all = await answerNumbers(runtime, rowsBody(rows));
    const width = all.length / rows.length;
    for (const count of [1, 2, 3, 4, 5, 15, 16, 17, 31, 33, 69])
      expectClose(await answerNumbers(runtime, rowsBody(rows.slice(0, count))), all.slice(0, count * width));
    const startedAt = performance.now();
    for (let turn = 0; turn < 40; turn++)
      await answerNumbers(runtime, rowsBody(rows.slice(0, 1 + (turn % 20))));
    const eachMs = (performance.now() - startedAt) / 40;
    console.log(`convolution: ${eachMs} ms for each of forty requests of 1 to 20 rows`);
    // A plan costs 10 ms.
    expect(eachMs).toBeLessThan(8);
  });

  it('is held to golden data that was made on the CPU', async () => {
    const cpu = await start(['cpu'], { HEADGATE_MODEL_URI: files.uri('convolution') });
    const input = { name: 'X', shape: [1, 30], values: rowOf(5) };
    const values = await answerNumbers(cpu, rowsBody([input.values]));
    const output = { name: 'means', shape: [1, values.length], values };
    await start(['cuda'], { HEADGATE_MODEL_URI: files.uriWithGoldenData('convolution', input, output) });
    const wrong = { ...output, values: values.map((value) => value + 1) };
    const uri = files.uriWithGoldenData('convolution', input, wrong);
    expect(await lastWordsOf({ HEADGATE_MODEL_URI: uri })).toMatchObject({ reason: 'GoldenDataMismatch' });
  });

  it('gives its memory back when its process is killed, and the next one answers', async () => {
    const runtime = await startBuilt('convolution');
    const expected = await answerNumbers(runtime, rowsBody([rowOf(1)]));
    const usedBefore = usedMebibytes();
    process.kill(runtime.executorProcessId, 'SIGKILL');
    expectClose(await answerNumbers(runtime, rowsBody([rowOf(1)])), expected);
    console.log(`memory of the GPU in use: ${usedBefore} MiB, after a kill ${usedMebibytes()} MiB`);
    expect(usedMebibytes()).toBeLessThan(1.2 * usedBefore);
  });

  it('fails a request that needs more memory than there is, and goes on', async () => {
    const runtime = await startBuilt('hungry');
    const ask = (size: number): Promise<{ status: number; text: string }> =>
      runtime.infer(body('size', 'INT64', [1], [size]));
    expect(await ask(10)).toMatchObject({ status: 200 });
    const refused = await ask(200_000_000_000);
    expect(refused.status).toBe(500);
    expect(refused.text).not.toMatch(/onnxruntime|arena|buffer/iu);
    expect(await ask(10)).toMatchObject({ status: 200 });
  });

  it.each<[BuiltModel, string, readonly number[]]>([
    ['embedding', 'INT32', [1, 4]],
    ['regions', 'INT64', [4]],
    ['pick', 'INT64', [4, 1]],
  ])('is there for others after a request that reads outside of a table: %s', async (name, type, shape) => {
    const runtime = await startBuilt(name);
    const good = body('ids', type, shape, [0, 0, 0, 0]);
    const poisoned = body('ids', type, shape, [2_147_483_647, 2_147_483_646, 1_999_999_999, 1_888_888_888]);
    const expected = await answerNumbers(runtime, good);
    const statuses = [(await runtime.infer(poisoned)).status, (await runtime.infer(poisoned)).status];
    const restarts = runtime.log.filter(({ message }) => /restarting it/u.test(message)).length;
    console.log(`${name}: answers ${statuses.join(', ')}, ${restarts} restarts`);
    // Some operators answer an index outside of their table, others take the GPU from the process, twice and no more.
    expect([
      [200, 200, 0],
      [422, 422, 2],
    ]).toContainEqual([...statuses, restarts]);
    await runtime.until('ready', async () => (await runtime.askManagement('/readyz')).status === 200);
    expectClose(await answerNumbers(runtime, good), expected);
  });
});

describe('execution providers', { timeout: 120_000 }, () => {
  it('are a GPU before the CPU, and what was passed over is told', async () => {
    const runtime = await start(['tensorrt', 'cuda', 'cpu'], {});
    const { executionProvider, passedOver } = readyLine(runtime);
    console.log(executionProvider, passedOver);
    expect(['tensorrt', 'cuda']).toContain(executionProvider);
    if (executionProvider === 'cuda') expect(String(passedOver)).toMatch(/^tensorrt: /u);
  });

  const noDevice = { CUDA_VISIBLE_DEVICES: '' };

  it('are the CPU where there is no device, and why is told', async () => {
    const runtime = await start(['cuda', 'cpu'], noDevice);
    expect(readyLine(runtime)).toMatchObject({
      executionProvider: 'cpu',
      passedOver: [expect.stringMatching(/^cuda: CUDA failure \d+: [a-zA-Z -]+$/u) as string],
    });
  });

  it('end a start without a device that demands one, with the way out', async () => {
    expect(await lastWordsOf(noDevice)).toEqual({
      reason: 'ExecutionProviderMissing',
      message: expect.stringMatching(/cuda: CUDA failure \d+: .*add cpu as the last/u) as string,
    });
  });
});
