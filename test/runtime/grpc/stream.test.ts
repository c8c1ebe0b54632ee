import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleModelUri, readSampleRow } from '../../support/example-models.ts';
import { GrpcClient } from '../../support/grpc-client.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

interface StreamAnswer {
  readonly error_message: string;
  readonly infer_response: { readonly id: string; readonly outputs: readonly object[] } | null;
}

interface Report {
  readonly lastRequestSecondsAgo: number;
  readonly routings: readonly { readonly hash: string; readonly lastSeenSecondsAgo: number }[];
}

let runtime: RuntimeProcess;
let client: GrpcClient;
beforeAll(async () => {
  runtime = await RuntimeProcess.start({ HEADGATE_MODEL_URI: exampleModelUri('v1.onnx') });
  client = new GrpcClient(runtime.grpcPort);
}, 60_000);
afterAll(async () => {
  client.close();
  await runtime.stop();
});

function request(id: string, width = 30): object {
  const values = readSampleRow().slice(0, width);
  const input = { name: 'X', datatype: 'FP32', shape: [1, width], contents: { fp32_contents: values } };
  return { model_name: 'tumour', id, inputs: [input] };
}

/** Sends all of them at once and collects what comes until the stream ends. */
async function exchange(from: GrpcClient, requests: readonly object[]): Promise<StreamAnswer[]> {
  const stream = from.streamInfer();
  const answers: StreamAnswer[] = [];
  stream.on('data', (answer: StreamAnswer) => answers.push(answer));
  for (const each of requests) stream.write(each);
  stream.end();
  await new Promise((resolve, reject) => {
    stream.once('end', resolve);
    stream.once('error', reject);
  });
  return answers;
}

describe('ModelStreamInfer', { timeout: 30_000 }, () => {
  it('answers hundreds of requests of one stream, each once, in their order', async () => {
    const ids = Array.from({ length: 300 }, (_, index) => `row ${index}`);
    const answers = await exchange(
      client,
      ids.map((id) => request(id)),
    );
    expect(answers.map(({ infer_response }) => infer_response?.id)).toEqual(ids);
    expect(new Set(answers.map(({ error_message }) => error_message))).toEqual(new Set(['']));
  });

  it('tells a request that it fails, by its id, and goes on with the next one', async () => {
    const answers = await exchange(client, [request('good'), request('bad', 29), request('good again')]);
    expect(answers.map(({ infer_response }) => infer_response?.id)).toEqual(['good', 'bad', 'good again']);
    expect(answers.map(({ error_message }) => error_message)).toEqual([
      '',
      "tensor 'X': expected shape [-1,30], got [1,29]",
      '',
    ]);
    expect(answers.map(({ infer_response }) => infer_response?.outputs.length)).toEqual([2, 0, 2]);
  });

  it('ends with all answers when the client sends nothing', async () => {
    expect(await exchange(client, [])).toEqual([]);
  });

  it('forgets the waiting requests of a client that leaves', async () => {
    const slow = await RuntimeProcess.start({ HEADGATE_MODEL_URI: exampleModelUri('slow.onnx') });
    const other = new GrpcClient(slow.grpcPort);
    process.kill(slow.executorProcessId, 'SIGSTOP');
    const stream = other.streamInfer();
    stream.on('error', () => undefined);
    for (let index = 0; index < 30; index++) stream.write(request(`row ${index}`));
    const waiting = async (): Promise<number> => {
      const { text } = await slow.askManagement('/metrics');
      return Number(/^headgate_queue_depth\{.*\} (\d+)$/mu.exec(text)?.[1]);
    };
    await slow.until('in receipt of more than its executor takes', async () => (await waiting()) > 20);
    stream.cancel();
    await slow.until('idle', async () => (await waiting()) === 0);
    process.kill(slow.executorProcessId, 'SIGCONT');
    expect(await other.codeOf('ModelInfer', request('next'))).toBe(0);
    other.close();
    await slow.stop();
  });

  it('shows the routes that it came by once, when it is opened, and keeps no server from being idle', async () => {
    const own = await RuntimeProcess.start();
    const other = new GrpcClient(own.grpcPort);
    const stream = other.streamInfer({ 'x-headgate-routing': 'older' });
    stream.on('error', () => undefined);
    const answers: StreamAnswer[] = [];
    stream.on('data', (answer: StreamAnswer) => answers.push(answer));
    stream.write(request('first'));
    await expect.poll(() => answers.length).toBe(1);
    const ages = async (): Promise<number[]> => {
      const { text } = await own.askManagement('/headgate/report');
      const { lastRequestSecondsAgo, routings } = JSON.parse(text) as Report;
      expect(routings.map(({ hash }) => hash)).toEqual(['older']);
      return [lastRequestSecondsAgo, ...routings.map(({ lastSeenSecondsAgo }) => lastSeenSecondsAgo)];
    };
    const youngest = async (): Promise<number> => Math.min(...(await ages()));
    await expect.poll(youngest).toBeGreaterThan(0.2);
    for (let index = 0; index < 5; index++) stream.write(request(`later ${index}`));
    await expect.poll(() => answers.length).toBe(6);
    expect(await youngest()).toBeGreaterThan(0.2);
    stream.cancel();
    other.close();
    await own.stop();
  });

  it('is ended when the server leaves, after the answers to what had come', async () => {
    const own = await RuntimeProcess.start({ HEADGATE_DRAIN_SECONDS: '1' });
    const other = new GrpcClient(own.grpcPort);
    const stream = other.streamInfer();
    const answers: StreamAnswer[] = [];
    stream.on('data', (answer: StreamAnswer) => answers.push(answer));
    const end = new Promise<{ code: number; details: string }>((resolve) =>
      stream.once('error', resolve as never),
    );
    stream.write(request('before'));
    await expect.poll(() => answers.length).toBe(1);
    own.kill('SIGTERM');
    await own.until('draining', async () => (await own.askManagement('/readyz')).status === 503);
    stream.write(request('while it drains'));
    await expect.poll(() => answers.length).toBe(2);
    expect(await end).toMatchObject({
      code: 14,
      details: expect.stringContaining('open the stream again') as string,
    });
    expect(await own.exitCode()).toBe(0);
    other.close();
    await own.stop();
  });
});
